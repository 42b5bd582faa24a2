"""Cards: where each of a ticket's cards belongs, and where Slack put it."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.records import Card, Place
from storage.schema import cards
from storage.statements import insert_if_new

_POSTED = sa.update(cards).where(cards.c.id == sa.bindparam("card_id"))


async def want(
    conn: AsyncConnection,
    *,
    team: str,
    ticket_id: int,
    place: Place,
    channel: str,
    thread_ts: str | None,
) -> Card:
    """The ticket's card for a place, made when there is none.

    Returns:
        The new card, or the one that stands for that place already. That one may be in another
        channel: `retire` it and ask again to have it here.
    """
    row = {
        "team": team,
        "ticket_id": ticket_id,
        "place": place,
        "channel": channel,
        "thread_ts": thread_ts,
        "retired": False,
        "refused": False,
    }
    made = await insert_if_new(conn, cards, row, *cards.c)
    if made is None:
        standing = (cards.c.ticket_id == ticket_id, cards.c.place == place, ~cards.c.retired)
        made = (await conn.execute(sa.select(cards).where(*standing))).one()
    return Card(**made._mapping)


async def posted(conn: AsyncConnection, card_id: int, channel: str, ts: str) -> None:
    """Note where Slack put a card."""
    values = {"card_id": card_id, "posted_channel": channel, "ts": ts, "refused": False}
    await conn.execute(_POSTED, values)


async def refuse(conn: AsyncConnection, card_id: int) -> bool:
    """Note that Slack will not have a card where it belongs; False when it stands there."""
    unposted = sa.and_(cards.c.id == card_id, cards.c.ts.is_(None))
    return (await conn.execute(sa.update(cards).where(unposted).values(refused=True))).rowcount == 1


async def of_ticket(conn: AsyncConnection, ticket_id: int) -> list[Card]:
    """All cards of a ticket in the order they were made, the retired ones too."""
    made = sa.select(cards).where(cards.c.ticket_id == ticket_id)
    return [Card(**row._mapping) for row in await conn.execute(made.order_by(cards.c.id))]


async def retire(conn: AsyncConnection, card_id: int) -> None:
    """Leave a card behind; its place is then free for another."""
    await conn.execute(sa.update(cards).where(cards.c.id == card_id).values(retired=True))
