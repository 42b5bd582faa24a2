"""Cards: where each of a ticket's cards belongs, and where Slack put it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.records import Card, NewCard
from storage.schema import cards
from storage.statements import insert_if_new, values_of

_POSTED = sa.update(cards).where(cards.c.id == sa.bindparam("card_id"))
_OF_TICKETS = (
    sa.select(cards)
    .where(cards.c.ticket_id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(cards.c.id)
)


async def want(conn: AsyncConnection, wanted: Sequence[NewCard]) -> list[Card]:
    """The cards for some places of tickets, made where there are none.

    Returns:
        Each in the order asked for: the new card, or the one that stands for that place already.
        That one may be in another channel: `retire` it and ask again to have it here.
    """
    rows = [values_of(card) | {"retired": False, "refused": False} for card in wanted]
    inserted = await insert_if_new(conn, cards, rows, *cards.c)
    made = {(row.ticket_id, row.place): Card(**row._mapping) for row in inserted}
    return [
        made.get((card.ticket_id, card.place)) or await _standing(conn, card) for card in wanted
    ]


async def _standing(conn: AsyncConnection, card: NewCard) -> Card:
    place = (cards.c.ticket_id == card.ticket_id, cards.c.place == card.place, ~cards.c.retired)
    return Card(**(await conn.execute(sa.select(cards).where(*place))).one()._mapping)


async def posted(conn: AsyncConnection, where: Sequence[tuple[int, str, str]]) -> None:
    """Note where Slack put cards: id, channel and timestamp of each."""
    rows = [
        {"card_id": card_id, "posted_channel": channel, "ts": ts, "refused": False}
        for card_id, channel, ts in where
    ]
    if rows:
        await conn.execute(_POSTED, rows)


async def refuse(conn: AsyncConnection, card_id: int) -> bool:
    """Note that Slack will not have a card where it belongs; False when it stands there."""
    unposted = sa.and_(cards.c.id == card_id, cards.c.ts.is_(None))
    return (await conn.execute(sa.update(cards).where(unposted).values(refused=True))).rowcount == 1


async def of_tickets(conn: AsyncConnection, ticket_ids: Collection[int]) -> list[Card]:
    """All cards of some tickets in the order they were made, the retired ones too."""
    rows = await conn.execute(_OF_TICKETS, {"ids": ticket_ids})
    return [Card(**row._mapping) for row in rows]


async def retire(conn: AsyncConnection, card_id: int) -> None:
    """Leave a card behind; its place is then free for another."""
    await conn.execute(sa.update(cards).where(cards.c.id == card_id).values(retired=True))
