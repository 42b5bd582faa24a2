"""Rows that tests start from, with only what matters to a test spelled out."""

import asyncio
import sys
import textwrap
from datetime import UTC, datetime, timedelta

from storage import cards, deliveries, inbox, predictions, reviews, tickets
from storage.records import (
    Action,
    DeliveryKind,
    NewCard,
    NewDelivery,
    NewInboxItem,
    NewPrediction,
    NewReview,
    NewTicket,
    Source,
    State,
)

NOW = datetime(2026, 5, 4, 9, 30, 15, 123456, tzinfo=UTC)
TEAM = "T1"


def later(seconds):
    return NOW + timedelta(seconds=seconds)


async def receive(conn, key, *, team=TEAM, payload=None, now=NOW):
    item = NewInboxItem(
        team=team,
        key=key,
        kind="message",
        payload={"text": key} if payload is None else payload,
        correlation=f"about {key}",
    )
    [new] = await inbox.record(conn, [item], now)
    return new


async def file_ticket(conn, key="C1:1.1", *, now=NOW, **values):
    given = {
        "team": TEAM,
        "channel": "C1",
        "ts": "1.1",
        "thread_ts": None,
        "source": Source.MESSAGE,
        "reporter": "U1",
        "text": "my vpn drops",
        "state": State.PENDING,
        "queue": None,
        "urgency": "medium",
        "impact": "user",
        "priority": "P4",
    }
    [ticket] = await tickets.create(conn, [NewTicket(key=key, **{**given, **values})], now)
    return ticket


async def predict(conn, ticket_id, *, now=NOW, **values):
    given = {
        "team": TEAM,
        "model_version": "m1",
        "queue": "Hardware",
        "confidence": 0.75,
        "probabilities": {"Hardware": 0.75, "Access": 0.25},
        "threshold": 0.6,
        "decision": "auto",
        "reason": "confident",
        "urgency": "medium",
        "impact": "user",
        "priority": "P4",
        "language": "en",
        "latency_ms": 2.5,
    }
    await predictions.add(conn, [NewPrediction(ticket_id=ticket_id, **{**given, **values})], now)


async def review(conn, ticket_id, action=Action.CONFIRM, *, now=NOW, **values):
    given = {
        "team": TEAM,
        "reviewer": "U9",
        "queue_before": None,
        "queue_after": "Hardware",
        "priority_before": "P4",
        "priority_after": "P4",
    }
    await reviews.add(
        conn, NewReview(ticket_id=ticket_id, action=action, **{**given, **values}), now
    )


async def enqueue(conn, lane="C1", *, ticket_id=None, card_id=None, key=None, now=NOW, **values):
    given = {
        "team": TEAM,
        "kind": DeliveryKind.NOTICE if card_id is None else DeliveryKind.CARD,
        "payload": {"say": "hello"},
        "correlation": "c",
    }
    wanted = NewDelivery(
        lane=lane, ticket_id=ticket_id, card_id=card_id, key=key, **{**given, **values}
    )
    return await deliveries.enqueue(conn, [wanted], now) == 1


async def finish(conn, *, owner, delivery_id, now):
    return await deliveries.done(conn, owner=owner, ids=[delivery_id], now=now) == 1


async def want_card(conn, ticket_id, place, channel="C1", *, team=TEAM, thread_ts=None):
    wanted = NewCard(
        team=team, ticket_id=ticket_id, place=place, channel=channel, thread_ts=thread_ts
    )
    [card] = await cards.want(conn, [wanted])
    return card


async def run_python(code, *arguments):
    """Start another Python process; its standard output is a pipe."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        textwrap.dedent(code),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
