"""Into the outbox: what programs elsewhere hear of a ticket, through webhooks."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from slackbot.queue_names import EVER_THE_SAME, QueueNames
from storage import deliveries, predictions
from storage.records import Action, DeliveryKind, NewDelivery, Prediction, State, Ticket

VERSION = 1
"""Of the payload; grows when a receiver would have to change something."""


class Event(StrEnum):
    """What happened to a ticket."""

    CREATED = "ticket.created"
    ROUTED = "ticket.routed"
    SETTLED = "ticket.settled"
    RESOLVED = "ticket.resolved"
    REOPENED = "ticket.reopened"
    WITHDRAWN = "ticket.withdrawn"
    UPDATED = "ticket.updated"


_OF_STEP = {
    Action.CONFIRM: (Event.SETTLED, Event.ROUTED),
    Action.REASSIGN: (Event.SETTLED, Event.ROUTED),
    Action.DISMISS: (Event.SETTLED,),
    Action.RESOLVE: (Event.RESOLVED,),
    Action.REOPEN: (Event.REOPENED,),
    Action.WITHDRAW: (Event.WITHDRAWN,),
}
"""Any other step is an update."""


@dataclass(frozen=True, slots=True)
class News:
    """What happened to one ticket, by one step.

    Attributes:
        ticket: As it is after the step.
        events: What that means, in order.
        correlation: Follows the step through logs and tables.
        action: What a person did; None when the model did it.
        by: Slack user id of who did it.
    """

    ticket: Ticket
    events: tuple[Event, ...]
    correlation: str
    action: Action | None = None
    by: str | None = None

    @classmethod
    def filed(cls, ticket: Ticket, correlation: str) -> News:
        """A new ticket, which the model may have routed already."""
        routed = ticket.state is State.ASSIGNED
        return cls(ticket, (Event.CREATED, Event.ROUTED)[: 1 + routed], correlation)

    @classmethod
    def judged_again(cls, before: Ticket, after: Ticket, correlation: str) -> News:
        """A ticket whose text was edited."""
        routed = after.queue is not None and after.queue != before.queue
        return cls(after, (Event.ROUTED if routed else Event.UPDATED,), correlation)

    @classmethod
    def stepped(cls, ticket: Ticket, action: Action, by: str, correlation: str) -> News:
        """A ticket with which a person did something."""
        return cls(ticket, _OF_STEP.get(action, (Event.UPDATED,)), correlation, action, by)


async def announce(
    conn: AsyncConnection,
    news: Sequence[News],
    lanes: Sequence[str],
    names: QueueNames = EVER_THE_SAME,
) -> None:
    """Have every webhook told, in the transaction of what it is told.

    Args:
        conn: A write transaction, in which the tickets and what the model says are written.
        news: In the order in which it happened.
        lanes: One for each webhook; without any this costs nothing.
        names: What became of queues since the model said something.
    """
    if not lanes or not news:
        return
    found = await predictions.latest(conn, {each.ticket.id for each in news})
    said = {ticket: names.of_prediction(each) for ticket, each in found.items()}
    calls = [
        _delivery(each, event, said.get(each.ticket.id), lane)
        for each in news
        for event in each.events
        for lane in lanes
    ]
    await deliveries.enqueue(conn, calls, datetime.now(UTC))


def _delivery(news: News, event: Event, said: Prediction | None, lane: str) -> NewDelivery:
    payload = _payload(news, event, said)
    return NewDelivery(
        team=news.ticket.team,
        lane=lane,
        kind=DeliveryKind.WEBHOOK,
        ticket_id=news.ticket.id,
        card_id=None,
        key=f"{lane}:{payload['id']}",
        payload=payload,
        correlation=news.correlation,
    )


def _payload(news: News, event: Event, said: Prediction | None) -> Mapping[str, Any]:
    """What a receiver gets, but for the text: that is read when it is sent."""
    ticket = news.ticket
    return {
        "version": VERSION,
        "id": _event_id(ticket, event),
        "event": event.value,
        "occurred_at": ticket.updated_at.isoformat(),
        "ticket": {
            "number": ticket.number,
            "revision": ticket.version,
            "team": ticket.team,
            "state": ticket.state.value,
            "queue": ticket.queue,
            "priority": ticket.priority,
            "urgency": ticket.urgency,
            "impact": ticket.impact,
            "source": ticket.source.value,
            "reporter": ticket.reporter,
            "channel": ticket.channel,
            "ts": ticket.ts,
            "created_at": ticket.created_at.isoformat(),
            "updated_at": ticket.updated_at.isoformat(),
        },
        "prediction": said
        and {
            "queue": said.queue,
            "confidence": round(said.confidence, 4),
            "decision": said.decision,
            "reason": said.reason,
            "language": said.language,
            "model_version": said.model_version,
        },
        "step": news.action and {"action": news.action.value, "by": news.by},
    }


def _event_id(ticket: Ticket, event: Event) -> str:
    """The same for every attempt and every webhook, and never given twice.

    The time tells a ticket from that of the same number in a database that was begun anew.
    """
    parts = (ticket.team, ticket.number, ticket.created_at.isoformat(), ticket.version, event)
    return hashlib.sha256(":".join(map(str, parts)).encode()).hexdigest()[:32]
