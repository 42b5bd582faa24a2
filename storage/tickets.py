"""Tickets: created once per key, changed by whoever comes first."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, TypedDict, Unpack

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.records import CLOSED, NewTicket, State, Ticket
from storage.schema import tickets
from storage.statements import insert_if_new, literal, values_of

_NUMBER = re.compile(r"(?:[Tt]-|#)?([0-9]{1,19})")
_LARGEST_ID = 2**63 - 1
_OF_IDS = (
    sa.select(tickets)
    .where(tickets.c.id.in_(sa.bindparam("ids", expanding=True)))
    .with_for_update(read=True)
)


class Changes(TypedDict, total=False):
    """What `change` may set; what is left out stays as it is."""

    state: State
    queue: str | None
    urgency: str
    impact: str
    priority: str
    text: str


def parse_number(text: str) -> int | None:
    """The id in what a person typed: `T-12`, `t-12`, `#12` or `12`; None for anything else."""
    match = _NUMBER.fullmatch(text.strip())
    number = int(match[1]) if match else 0
    return number if 0 < number <= _LARGEST_ID else None


async def create(
    conn: AsyncConnection, wanted: Sequence[NewTicket], now: datetime
) -> list[Ticket | None]:
    """Create tickets.

    Returns:
        Each in the order asked for; None where the team has a ticket of that key already, or it
        was asked for twice.
    """
    made = {"created_at": now, "updated_at": now, "version": 1}
    rows = [values_of(ticket) | made for ticket in wanted]
    inserted = await insert_if_new(conn, tickets, rows, *tickets.c)
    created = {(row.team, row.key): Ticket(**row._mapping) for row in inserted}
    return [created.pop((ticket.team, ticket.key), None) for ticket in wanted]


async def get(
    conn: AsyncConnection, team: str, number_or_id: str | int, *, lock: bool = False
) -> Ticket | None:
    """The team's ticket of that id, or of that number as people write it.

    With `lock` nobody else changes it until this transaction ends.
    """
    ticket_id = parse_number(str(number_or_id))
    return await _one(conn, tickets.c.team == team, tickets.c.id == ticket_id, lock=lock)


async def of_ids(conn: AsyncConnection, ids: Collection[int]) -> list[Ticket]:
    """The tickets of these ids, of whatever team.

    Waits for who is changing one of them: that change has found the ticket's card waiting in the
    outbox and added none, so whoever has leased that card meanwhile must not read past it.
    """
    return [Ticket(**row._mapping) for row in await conn.execute(_OF_IDS, {"ids": ids})]


async def by_key(
    conn: AsyncConnection, team: str, key: str, *, lock: bool = False
) -> Ticket | None:
    """The team's ticket that was created under that key.

    With `lock` nobody else changes it until this transaction ends.
    """
    return await _one(conn, tickets.c.team == team, tickets.c.key == key, lock=lock)


async def of_reporter(conn: AsyncConnection, team: str, reporter: str, limit: int) -> list[Ticket]:
    """A person's tickets, newest first, without those that were only recorded."""
    rows = await conn.execute(
        sa.select(tickets)
        .where(
            tickets.c.team == team,
            tickets.c.reporter == reporter,
            tickets.c.state != State.SILENT,
        )
        .order_by(tickets.c.id.desc())
        .limit(limit)
    )
    return [Ticket(**row._mapping) for row in rows]


async def pending(conn: AsyncConnection, team: str, limit: int) -> list[Ticket]:
    """The team's tickets that wait for a person's decision, oldest first."""
    rows = await conn.execute(
        sa.select(tickets)
        .where(tickets.c.team == team, tickets.c.state == literal(State.PENDING))
        .order_by(tickets.c.id)
        .limit(limit)
    )
    return [Ticket(**row._mapping) for row in rows]


async def open_in(conn: AsyncConnection, queues: Collection[str]) -> list[Ticket]:
    """The tickets of every team that are in one of these queues and not closed, oldest first."""
    rows = await conn.execute(
        sa.select(tickets)
        .where(tickets.c.queue.in_(queues), tickets.c.state.not_in(CLOSED))
        .order_by(tickets.c.id)
    )
    return [Ticket(**row._mapping) for row in rows]


async def change(
    conn: AsyncConnection,
    *,
    team: str,
    ticket_id: int,
    expected: Collection[State],
    now: datetime,
    **changes: Unpack[Changes],
) -> Ticket | None:
    """Change a ticket if it is in one of the expected states: one statement, one winner.

    Returns:
        The ticket as it is now; None when it is in another state, or not the team's.
    """
    values: dict[str, Any] = {**changes, "updated_at": now, "version": tickets.c.version + 1}
    rows = await conn.execute(
        sa.update(tickets)
        .where(
            tickets.c.team == team,
            tickets.c.id == ticket_id,
            tickets.c.state.in_(expected),
        )
        .values(values)
        .returning(*tickets.c)
    )
    return _ticket(rows.one_or_none())


async def _one(conn: AsyncConnection, *where: sa.ColumnElement[bool], lock: bool) -> Ticket | None:
    chosen = sa.select(tickets).where(*where)
    if lock:
        chosen = chosen.with_for_update()  # SQLite's write transactions are alone anyway
    return _ticket((await conn.execute(chosen)).one_or_none())


def _ticket(row: sa.Row[Any] | None) -> Ticket | None:
    return None if row is None else Ticket(**row._mapping)
