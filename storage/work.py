"""What the inbox and the outbox have in common: which rows are open, how many, and sweeping."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.columns import BIG_ID
from storage.records import DeliveryState, QueueDepth
from storage.statements import literal


def is_open(table: sa.FromClause) -> sa.ColumnElement[bool]:
    """Rows that still mean work: waiting or leased."""
    states = [literal(DeliveryState.WAITING), literal(DeliveryState.LEASED)]
    return table.c.state.in_(states)


def is_dead(table: sa.FromClause) -> sa.ColumnElement[bool]:
    """Rows that were given up."""
    return table.c.state == literal(DeliveryState.DEAD)


async def depth(conn: AsyncConnection, table: sa.Table, arrived: sa.Column[datetime]) -> QueueDepth:
    """Count the rows of `table` that are not done; `arrived` says when each came in."""
    tally = sa.select(table.c.state, sa.func.count(), sa.func.min(arrived)).group_by(table.c.state)
    statement = tally.where(is_open(table)).union_all(tally.where(is_dead(table)))
    counts: dict[DeliveryState, tuple[int, datetime]] = {
        state: (count, oldest) for state, count, oldest in await conn.execute(statement)
    }
    waiting, oldest_waiting = counts.get(DeliveryState.WAITING, (0, None))
    return QueueDepth(
        waiting=waiting,
        leased=counts.get(DeliveryState.LEASED, (0, None))[0],
        dead=counts.get(DeliveryState.DEAD, (0, None))[0],
        oldest_waiting=oldest_waiting,
    )


async def sweep(
    conn: AsyncConnection,
    table: sa.Table,
    arrived: sa.Column[datetime],
    *,
    before: datetime,
    states: Collection[DeliveryState],
) -> int:
    """Delete the rows in `states` that came in before a time.

    Ids grow with time, so the first row that is young enough ends the search: what it costs
    depends on how much is old, not on how much there is.

    Returns:
        How many rows were deleted.
    """
    first_kept = (
        sa.select(table.c.id).where(arrived >= before).order_by(table.c.id).limit(1)
    ).scalar_subquery()
    old = table.c.id < sa.func.coalesce(first_kept, sa.literal(2**63 - 1, BIG_ID))
    result = await conn.execute(
        sa.delete(table).where(old, arrived < before, table.c.state.in_(states))
    )
    return result.rowcount
