"""storage.cards: one living card per ticket and place."""

import asyncio

from storage import cards
from storage.records import Place
from tests.storage.examples import file_ticket, want_card


async def want(conn, ticket, place=Place.THREAD, channel="C1", thread_ts="1.1"):
    return await want_card(conn, ticket.id, place, channel, thread_ts=thread_ts)


async def test_a_wanted_card_is_made_once(db):
    async with db.write() as conn:
        ticket = await file_ticket(conn)
        card = await want(conn, ticket)
        assert (card.place, card.channel, card.thread_ts) == (Place.THREAD, "C1", "1.1")
        assert (card.ts, card.posted_channel, card.retired) == (None, None, False)
        assert await want(conn, ticket, channel="C2") == card
        other = await want(conn, ticket, Place.QUEUE, "C3", None)
        assert await cards.of_tickets(conn, [ticket.id]) == [card, other]


async def test_a_card_wanted_twice_at_once_is_one(open_database):
    replicas = [await open_database(), await open_database()]
    async with replicas[0].write() as conn:
        ticket = await file_ticket(conn)

    async def want_in(database):
        async with database.write() as conn:
            return await want(conn, ticket)

    made = await asyncio.gather(*(want_in(database) for database in replicas * 3))
    assert len({card.id for card in made}) == 1


async def test_a_posted_card_knows_where_it_is(db):
    async with db.write() as conn:
        ticket = await file_ticket(conn)
        mine, other = await want(conn, ticket, channel="U1"), await want(conn, ticket, Place.REVIEW)
        await cards.posted(conn, [(mine.id, "D7", "9.9")])
        mine, still = await cards.of_tickets(conn, [ticket.id])
    assert (mine.channel, mine.posted_channel, mine.ts) == ("U1", "D7", "9.9")
    assert still == other


async def test_a_retired_card_makes_room_for_another(db):
    async with db.write() as conn:
        ticket = await file_ticket(conn)
        first = await want(conn, ticket, Place.QUEUE, "C1")
        await cards.retire(conn, first.id)
        second = await want(conn, ticket, Place.QUEUE, "C2")
        await cards.retire(conn, second.id)
        third = await want(conn, ticket, Place.QUEUE, "C1")
        made = await cards.of_tickets(conn, [ticket.id])
    assert [card.id for card in made] == [first.id, second.id, third.id]
    assert [card.retired for card in made] == [True, True, False]
