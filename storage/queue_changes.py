"""Queue changes: which queues have lost automatic routing and got it back, appended only."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.review_records import NewQueueChange, QueueChange
from storage.schema import queue_changes
from storage.statements import values_of

_ADD = sa.insert(queue_changes).inline()
_LATEST = sa.select(queue_changes).where(
    queue_changes.c.id.in_(
        sa.select(sa.func.max(queue_changes.c.id))
        .where(queue_changes.c.team == sa.bindparam("of_team"))
        .group_by(queue_changes.c.queue)
    )
)


async def add(conn: AsyncConnection, change: NewQueueChange, now: datetime) -> None:
    """Append a change to the record."""
    await conn.execute(_ADD, values_of(change) | {"created_at": now})


async def latest(conn: AsyncConnection, team: str) -> dict[str, QueueChange]:
    """The last change of each queue, without those of which nothing was ever changed."""
    rows = await conn.execute(_LATEST, {"of_team": team})
    return {row.queue: QueueChange(**row._mapping) for row in rows}
