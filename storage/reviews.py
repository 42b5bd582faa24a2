"""Reviews: what people did to tickets, appended and never changed."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.records import NewReview, Review
from storage.schema import reviews
from storage.statements import values_of

_ADD = sa.insert(reviews).inline()


async def add(conn: AsyncConnection, review: NewReview, now: datetime) -> None:
    """Append a review to the record."""
    await conn.execute(_ADD, values_of(review) | {"created_at": now})


async def of_ticket(conn: AsyncConnection, ticket_id: int) -> list[Review]:
    """All that people did to a ticket, oldest first."""
    done = sa.select(reviews).where(reviews.c.ticket_id == ticket_id)
    rows = await conn.execute(done.order_by(reviews.c.id))
    return [Review(**row._mapping) for row in rows]


async def last_of_ticket(conn: AsyncConnection, ticket_id: int) -> Review | None:
    """What a person did last to a ticket; None when nobody did anything."""
    newest = sa.select(reviews).where(reviews.c.ticket_id == ticket_id)
    rows = await conn.execute(newest.order_by(reviews.c.id.desc()).limit(1))
    row = rows.one_or_none()
    return None if row is None else Review(**row._mapping)
