"""Reviews: what people did to tickets, appended and never changed."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.records import NewReview, Review
from storage.schema import reviews
from storage.statements import values_of

_ADD = sa.insert(reviews).inline()
_OF_TICKETS = (
    sa.select(reviews)
    .where(reviews.c.ticket_id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(reviews.c.id)
)


async def add(conn: AsyncConnection, review: NewReview, now: datetime) -> None:
    """Append a review to the record."""
    await conn.execute(_ADD, values_of(review) | {"created_at": now})


async def of_tickets(conn: AsyncConnection, ticket_ids: Collection[int]) -> list[Review]:
    """All that people did to some tickets, oldest first."""
    rows = await conn.execute(_OF_TICKETS, {"ids": ticket_ids})
    return [Review(**row._mapping) for row in rows]


async def last_of_ticket(conn: AsyncConnection, ticket_id: int) -> Review | None:
    """What a person did last to a ticket; None when nobody did anything."""
    newest = sa.select(reviews).where(reviews.c.ticket_id == ticket_id)
    rows = await conn.execute(newest.order_by(reviews.c.id.desc()).limit(1))
    row = rows.one_or_none()
    return None if row is None else Review(**row._mapping)
