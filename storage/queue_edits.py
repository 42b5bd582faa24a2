"""Edits of the list of queues: renamed, merged, split, added; appended and never changed.

Predictions and reviews keep the name that they were made with. Each edit notes up to which row
that was done before it, so that no clock decides what a name means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.records import Recorded
from storage.schema import predictions, queue_changes, queue_edits, reviews, team_settings, tickets


class Written(StrEnum):
    """Tables in which names of queues stay as they were written."""

    PREDICTIONS = "predictions"
    REVIEWS = "reviews"
    QUEUE_CHANGES = "queue_changes"
    TEAM_SETTINGS = "team_settings"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewQueueEdit:
    """An edit to be added to the record.

    Attributes:
        before: Queues that are no more, unless they are among those after.
        after: What they are from then on.
        by: Who did it.
    """

    before: tuple[str, ...]
    after: tuple[str, ...]
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedEdit(NewQueueEdit, Recorded):
    """An edit, as recorded; never changed afterwards.

    Attributes:
        written: By table, the last row that was written with the names before.
    """

    written: Mapping[str, int]


_TABLES = {
    Written.PREDICTIONS: predictions,
    Written.REVIEWS: reviews,
    Written.QUEUE_CHANGES: queue_changes,
    Written.TEAM_SETTINGS: team_settings,
}
_ALL = sa.select(queue_edits).order_by(queue_edits.c.id)
_NEWEST = sa.select(sa.func.coalesce(sa.func.max(queue_edits.c.id), 0))


async def everything(conn: AsyncConnection) -> list[RecordedEdit]:
    """All edits, oldest first."""
    return [
        RecordedEdit(
            id=row.id,
            before=tuple(row.queues["before"]),
            after=tuple(row.queues["after"]),
            by=row.by,
            written=row.written,
            created_at=row.created_at,
        )
        for row in await conn.execute(_ALL)
    ]


async def newest(conn: AsyncConnection) -> int:
    """The id of the last edit; 0 when there is none.

    No edit is made while a transaction that has asked this is under way: what it writes has the
    names that it found.
    """
    return int(await conn.scalar(_NEWEST) or 0)


async def wait_for_writers(conn: AsyncConnection) -> None:
    """Let nobody else read or make edits until this transaction ends.

    SQLite's write transactions are alone anyway.
    """
    if conn.dialect.name == "postgresql":
        await conn.execute(sa.text("LOCK TABLE queue_edits IN ACCESS EXCLUSIVE MODE"))


async def add(conn: AsyncConnection, edit: NewQueueEdit, now: datetime) -> None:
    """Append an edit, and let tickets that are in a queue go with it.

    Tickets of a queue that is split stay where they are: nobody knows to which part they belong.

    Args:
        conn: A write transaction that has called `wait_for_writers`.
        edit: What is done.
        now: The present (UTC).
    """
    lasts = {name: sa.select(sa.func.max(table.c.id)) for name, table in _TABLES.items()}
    written = {name.value: int(await conn.scalar(last) or 0) for name, last in lasts.items()}
    row = {
        "queues": {"before": edit.before, "after": edit.after},
        "by": edit.by,
        "written": written,
        "created_at": now,
    }
    await conn.execute(sa.insert(queue_edits), row)
    if len(edit.after) == 1 and edit.before:
        [name] = edit.after
        moved = sa.update(tickets).where(tickets.c.queue.in_(edit.before), tickets.c.queue != name)
        await conn.execute(moved.values(queue=name))
