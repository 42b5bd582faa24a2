"""Review requests: which tickets were put to a person and why, and which answer counts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.review_records import NewReviewRequest, ReviewRequest, Why
from storage.schema import review_answers, review_requests, reviews
from storage.statements import insert_if_new, values_of

_ADD = sa.insert(review_requests).inline()
_ANSWERED = sa.exists().where(review_answers.c.request_id == review_requests.c.id).label("answered")
_LATEST = sa.select(review_requests, _ANSWERED).where(
    review_requests.c.id.in_(
        sa.select(sa.func.max(review_requests.c.id))
        .where(review_requests.c.ticket_id.in_(sa.bindparam("of_tickets", expanding=True)))
        .group_by(review_requests.c.ticket_id)
    )
)
_EXPLORED = sa.select(review_requests.c.ticket_id).where(
    review_requests.c.team == sa.bindparam("of_team"),
    review_requests.c.created_at >= sa.bindparam("since"),
    review_requests.c.why == Why.EXPLORATION,
)
_LAST_REVIEW = sa.select(sa.func.max(reviews.c.id)).where(
    reviews.c.ticket_id == sa.bindparam("of_ticket")
)


async def add(conn: AsyncConnection, wanted: Sequence[NewReviewRequest], now: datetime) -> None:
    """Append requests to the record.

    Raises:
        ValueError: A probability is outside (0, 1].
    """
    if not all(0 < request.probability <= 1 for request in wanted):
        raise ValueError("a ticket that was put to a person had a probability in (0, 1]")
    rows = [values_of(request) | {"created_at": now} for request in wanted]
    if rows:
        await conn.execute(_ADD, rows)


async def explored(conn: AsyncConnection, team: str, since: datetime) -> frozenset[int]:
    """The team's tickets that were drawn since then from what a review budget leaves out."""
    rows = await conn.execute(_EXPLORED, {"of_team": team, "since": since})
    return frozenset(rows.scalars())


async def latest(conn: AsyncConnection, ticket_ids: Collection[int]) -> dict[int, ReviewRequest]:
    """The last request for each ticket, without those that were never put to a person."""
    rows = await conn.execute(_LATEST, {"of_tickets": ticket_ids})
    return {row.ticket_id: ReviewRequest(**row._mapping) for row in rows}


async def answer(
    conn: AsyncConnection, request: ReviewRequest, *, asked: bool, now: datetime
) -> bool:
    """Let the ticket's last review, just added, count as the request's answer.

    Args:
        conn: The write transaction that added the review.
        request: The request.
        asked: Given on a card that asked; False when the ticket was settled on another card
            before anybody answered.
        now: The present (UTC).

    Returns:
        False when the request had its answer already, which then stays the one that counts.
    """
    review_id = await conn.scalar(_LAST_REVIEW, {"of_ticket": request.ticket_id})
    row = {
        "request_id": request.id,
        "team": request.team,
        "review_id": review_id,
        "asked": asked,
        "created_at": now,
    }
    return bool(await insert_if_new(conn, review_answers, [row], review_answers.c.request_id))
