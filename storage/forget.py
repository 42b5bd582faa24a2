"""Erases what people wrote, and keeps what is counted.

On SQLite follow with `Database.scrub`, so that the write-ahead log loses the text too.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import work
from storage.records import CLOSED, DeliveryKind, DeliveryState
from storage.schema import (
    deliveries,
    inbox,
    installations,
    settled_embeddings,
    tickets,
)
from storage.statements import literal

_ERASED = {"state": DeliveryState.DONE, "payload": {}, "error": ""}


async def ticket(conn: AsyncConnection, *, team: str | None, ticket_id: int) -> int:
    """Erase a ticket's text, and the payloads and messages that quote it.

    Args:
        conn: A write transaction.
        team: The workspace; None for the operator, who may forget in all of them.
        ticket_id: The ticket.

    Returns:
        How many tickets lost their text: 1, or 0 when there was none to lose.
    """
    return await _erase(conn, sa.and_(tickets.c.id == ticket_id, _in_team(tickets, team)))


async def reporter(conn: AsyncConnection, *, team: str | None, reporter: str) -> int:
    """Erase the text of all that a person reported, also of what is still to be judged.

    Given-up payloads go that only name the person.

    Args:
        conn: A write transaction.
        team: The workspace; None for all of them.
        reporter: Slack user id.

    Returns:
        How many tickets lost their text.
    """
    payload = sa.cast(inbox.c.payload, sa.Text)
    named = payload.contains(f'"{reporter}"', autoescape=True)
    reports = payload.contains(f'"reporter":"{reporter}"', autoescape=True)
    for which in (sa.and_(work.is_dead(inbox), named), sa.and_(work.is_open(inbox), reports)):
        await conn.execute(sa.update(inbox).where(which, _in_team(inbox, team)).values(_ERASED))
    reported = sa.and_(tickets.c.reporter == reporter, _in_team(tickets, team))
    return await _erase(conn, reported)


async def everything_of(conn: AsyncConnection, *, team: str) -> int:
    """Erase all text of a workspace, what waits for it, and its tokens; ids and numbers stay.

    Args:
        conn: A write transaction.
        team: The workspace; the app must be installed anew to serve it again.

    Returns:
        How many tickets lost their text.
    """
    for table in (inbox, deliveries):
        left = sa.and_(table.c.team == team, table.c.state != literal(DeliveryState.DONE))
        await conn.execute(sa.update(table).where(left).values(_ERASED))
    for kept_for_it in (settled_embeddings, installations):
        await conn.execute(sa.delete(kept_for_it).where(kept_for_it.c.team == team))
    return await _erase(conn, tickets.c.team == team)


async def expire(conn: AsyncConnection, before: datetime, limit: int = 500) -> int:
    """Erase the text of closed tickets that nobody has touched since a time, some at once.

    What the inbox and the outbox still hold of that age, done or given up, is deleted.

    Returns:
        How many tickets lost their text; call again until none does.
    """
    for table, arrived in ((inbox, inbox.c.received_at), (deliveries, deliveries.c.created_at)):
        over = [DeliveryState.DONE, DeliveryState.DEAD]
        await work.sweep(conn, table, arrived, before=before, states=over)
    old = sa.select(tickets.c.id).where(
        tickets.c.text != literal(""),
        tickets.c.updated_at < before,
        tickets.c.state.in_([literal(state) for state in CLOSED]),
    )
    some = old.order_by(tickets.c.updated_at).limit(limit).correlate(None)
    return await _erase(conn, tickets.c.id.in_(some))


async def _erase(conn: AsyncConnection, which: sa.ColumnElement[bool]) -> int:
    with_text = sa.and_(which, tickets.c.text != literal(""))
    ids = sa.select(tickets.c.id).where(with_text).correlate(None)
    for unfinished in (work.is_open(inbox), work.is_dead(inbox)):
        quoting = sa.exists().where(tickets.c.id.in_(ids), _is_of_ticket())
        await conn.execute(sa.update(inbox).where(unfinished, quoting).values(_ERASED))
    # A card's delivery may still come: it shows the ticket as it then is, without text. So does a
    # webhook's, whose payload never has the text.
    state = sa.case((deliveries.c.card_id.is_(None), DeliveryState.DONE), else_=deliveries.c.state)
    quotes = deliveries.c.kind != DeliveryKind.WEBHOOK
    about = sa.update(deliveries).where(deliveries.c.ticket_id.in_(ids), quotes)
    await conn.execute(about.values(payload={}, error="", state=state))
    # Who has the embedding can tell whether a text is the one that was forgotten.
    learned = settled_embeddings.c.ticket_id.in_(ids)
    await conn.execute(sa.delete(settled_embeddings).where(learned))
    blank = {"text": "", "version": tickets.c.version + 1}
    return (await conn.execute(sa.update(tickets).where(with_text).values(blank))).rowcount


def _is_of_ticket() -> sa.ColumnElement[bool]:
    """Whether the ticket's key is the inbox row's key, or among its parts between colons."""
    parts, part = ":" + inbox.c.key + ":", ":" + tickets.c.key + ":"
    among = sa.func.replace(parts, part, "") != parts
    return sa.and_(tickets.c.team == inbox.c.team, among)


def _in_team(table: sa.Table, team: str | None) -> sa.ColumnElement[bool]:
    return sa.true() if team is None else table.c.team == team
