"""Reviews: what people did to tickets, appended and never changed."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.records import Action, NewReview, Review
from storage.schema import reviews
from storage.statements import values_of

_ADD = sa.insert(reviews).inline()
_OF_TICKETS = (
    sa.select(reviews)
    .where(reviews.c.ticket_id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(reviews.c.id)
)
_earlier = reviews.alias()
_SETTLED_SINCE = sa.select(sa.func.count(reviews.c.ticket_id.distinct())).where(
    # Ids grow with time, so the search goes back from the last one and ends at the first before.
    reviews.c.id
    > sa.func.coalesce(
        sa.select(_earlier.c.id)
        .where(_earlier.c.created_at < sa.bindparam("since"))
        .order_by(_earlier.c.id.desc())
        .limit(1)
        .scalar_subquery(),
        0,
    ),
    reviews.c.team == sa.bindparam("of_team"),
    reviews.c.action.in_([Action.CONFIRM, Action.REASSIGN, Action.DISMISS]),
)


async def add(conn: AsyncConnection, review: NewReview, now: datetime) -> None:
    """Append a review to the record."""
    await conn.execute(_ADD, values_of(review) | {"created_at": now})


async def of_tickets(conn: AsyncConnection, ticket_ids: Collection[int]) -> list[Review]:
    """All that people did to some tickets, oldest first."""
    rows = await conn.execute(_OF_TICKETS, {"ids": ticket_ids})
    return [Review(**row._mapping) for row in rows]


async def settled_since(conn: AsyncConnection, team: str, since: datetime) -> int:
    """How many of the team's tickets people have settled since then."""
    return int(await conn.scalar(_SETTLED_SINCE, {"of_team": team, "since": since}) or 0)


async def last_of_ticket(conn: AsyncConnection, ticket_id: int) -> Review | None:
    """What a person did last to a ticket; None when nobody did anything."""
    newest = sa.select(reviews).where(reviews.c.ticket_id == ticket_id)
    rows = await conn.execute(newest.order_by(reviews.c.id.desc()).limit(1))
    row = rows.one_or_none()
    return None if row is None else Review(**row._mapping)
