"""Queue changes: which queues have lost automatic routing and got it back, appended only."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.review_records import NewQueueChange, QueueChange
from storage.schema import queue_changes
from storage.statements import values_of

_ADD = sa.insert(queue_changes).inline()
_OF_TEAM = (
    sa.select(queue_changes)
    .where(queue_changes.c.team == sa.bindparam("of_team"))
    .order_by(queue_changes.c.id)
)


async def add(conn: AsyncConnection, change: NewQueueChange, now: datetime) -> None:
    """Append a change to the record."""
    await conn.execute(_ADD, values_of(change) | {"created_at": now})


async def everything(conn: AsyncConnection, team: str) -> list[QueueChange]:
    """All changes in a team, oldest first; each with the name that its queue had then."""
    rows = await conn.execute(_OF_TEAM, {"of_team": team})
    return [QueueChange(**row._mapping) for row in rows]
