"""What people settled, for learning: the texts with their last word, and their embeddings."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.export import labels_query
from storage.model_records import SettledText
from storage.records import Source
from storage.schema import review_requests, reviews, settled_embeddings, tickets
from storage.statements import insert_if_new

_labels = labels_query().subquery()
_asked = (
    sa.select(review_requests.c.probability)
    .where(review_requests.c.ticket_id == reviews.c.ticket_id)
    .order_by(review_requests.c.id.desc())
    .limit(1)
    .scalar_subquery()
)
_ALL = sa.select(
    _labels.c.id,
    reviews.c.ticket_id,
    reviews.c.team,
    _labels.c.text,
    _labels.c.queue,
    tickets.c.source,
    sa.func.coalesce(_asked, 1.0).label("probability"),
).select_from(
    _labels.join(reviews, reviews.c.id == _labels.c.id).join(
        tickets, tickets.c.id == reviews.c.ticket_id
    )
)
_NEWEST = (
    _ALL.where(reviews.c.team == sa.bindparam("of_team"))
    .order_by(_labels.c.id.desc())
    .limit(sa.bindparam("at_most"))
)
_OF_TICKETS = _ALL.where(reviews.c.ticket_id.in_(sa.bindparam("ids", expanding=True)))
_TOUCHED = sa.select(reviews.c.ticket_id, reviews.c.id).where(
    reviews.c.id > sa.bindparam("after"), reviews.c.team == sa.bindparam("of_team")
)
_STAND = sa.select(
    sa.select(sa.func.coalesce(sa.func.max(reviews.c.id), 0)).scalar_subquery(),
    sa.select(sa.func.count())
    .select_from(settled_embeddings)
    .where(
        settled_embeddings.c.team == sa.bindparam("of_team"),
        settled_embeddings.c.encoder == sa.bindparam("with_encoder"),
    )
    .scalar_subquery(),
)
_EMBEDDED = sa.select(settled_embeddings.c.ticket_id).where(
    settled_embeddings.c.team == sa.bindparam("of_team"),
    settled_embeddings.c.encoder == sa.bindparam("with_encoder"),
    settled_embeddings.c.ticket_id >= sa.bindparam("from_id"),
)
_VECTORS = sa.select(settled_embeddings.c.ticket_id, settled_embeddings.c.vector).where(
    settled_embeddings.c.encoder == sa.bindparam("with_encoder"),
    settled_embeddings.c.ticket_id.in_(sa.bindparam("ids", expanding=True)),
)
_IDS_AT_ONCE = 500


async def everything(conn: AsyncConnection) -> list[SettledText]:
    """All settled tickets whose text is there, in the order in which they were settled."""
    rows = await conn.execute(_ALL.order_by(_labels.c.id))
    return [_settled(row) for row in rows]


async def newest(conn: AsyncConnection, team: str, limit: int) -> list[SettledText]:
    """The team's `limit` settled last, the oldest of them first."""
    rows = await conn.execute(_NEWEST, {"of_team": team, "at_most": limit})
    return [_settled(row) for row in rows][::-1]


async def of_tickets(conn: AsyncConnection, ids: Collection[int]) -> list[SettledText]:
    """Those of some tickets that are settled."""
    return [_settled(row) for row in await conn.execute(_OF_TICKETS, {"ids": ids})]


async def touched(conn: AsyncConnection, team: str, after: int) -> Mapping[int, int]:
    """The team's tickets with steps after that review: each one's latest review."""
    rows = await conn.execute(_TOUCHED, {"after": after, "of_team": team})
    latest: dict[int, int] = {}
    for ticket_id, review_id in rows:
        latest[ticket_id] = max(review_id, latest.get(ticket_id, 0))
    return latest


async def stand(conn: AsyncConnection, team: str, encoder: str) -> tuple[int, int]:
    """The latest review of all, and how many embeddings there are of the team's tickets."""
    row = (await conn.execute(_STAND, {"of_team": team, "with_encoder": encoder})).one()
    return int(row[0]), int(row[1])


async def embedded(conn: AsyncConnection, team: str, encoder: str, first: int) -> set[int]:
    """The team's tickets, from one on, of which there is an embedding: no forgotten one has any."""
    values = {"of_team": team, "with_encoder": encoder, "from_id": first}
    return set((await conn.scalars(_EMBEDDED, values)).all())


async def vectors(conn: AsyncConnection, encoder: str, ids: Collection[int]) -> dict[int, bytes]:
    """The embeddings that are there, by ticket."""
    found: dict[int, bytes] = {}
    wanted = list(ids)
    for start in range(0, len(wanted), _IDS_AT_ONCE):
        some = {"with_encoder": encoder, "ids": wanted[start : start + _IDS_AT_ONCE]}
        found.update({row.ticket_id: row.vector for row in await conn.execute(_VECTORS, some)})
    return found


async def keep_vectors(
    conn: AsyncConnection, team: str, encoder: str, embedded: Mapping[int, bytes]
) -> None:
    """Record the embeddings of tickets whose text is still there.

    Args:
        conn: A write transaction.
        team: The tickets' workspace.
        encoder: What made the embeddings.
        embedded: By ticket.
    """
    if not embedded:
        return
    chosen = sa.select(tickets.c.id).where(tickets.c.id.in_(list(embedded)), tickets.c.text != "")
    still = set((await conn.scalars(chosen)).all())
    rows: list[dict[str, Any]] = [
        {"ticket_id": ticket_id, "encoder": encoder, "team": team, "vector": vector}
        for ticket_id, vector in embedded.items()
        if ticket_id in still
    ]
    await insert_if_new(conn, settled_embeddings, rows, settled_embeddings.c.ticket_id)


def _settled(row: Any) -> SettledText:
    return SettledText(
        review_id=row.id,
        ticket_id=row.ticket_id,
        team=row.team,
        text=row.text,
        queue=row.queue or None,
        from_channel=row.source is Source.MESSAGE,
        probability=row.probability,
    )
