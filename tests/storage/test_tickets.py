"""storage.tickets: one ticket per key, one winner per change, no team sees another's."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import tickets
from storage.records import State
from storage.tickets import parse_number
from tests.storage.examples import NOW, TEAM, file_ticket, later


@given(st.integers(1, 2**63 - 1), st.sampled_from(["T-{}", "t-{}", "#{}", "{}", " T-{}\n"]))
def test_every_way_to_write_a_number_is_read(number, way):
    assert parse_number(way.format(number)) == number


@given(st.text(alphabet="Tt#-0123456789 \n٣") | st.text())
def test_no_text_breaks_the_reading_of_numbers(text):
    assert parse_number(text) is None or 0 < parse_number(text) < 2**63


@pytest.mark.parametrize(
    "text",
    ["", "T", "T-", "T-0", "-1", "T--1", "T-1 T-2", "1.0", "T-٣", "T-1\0", str(2**63), "1" * 5000],
)
def test_what_only_looks_like_a_number_is_none(text):
    assert parse_number(text) is None


async def test_a_ticket_comes_back_as_it_was_filed(db):
    async with db.write() as conn:
        filed = await file_ticket(conn, "C1:1.1", text="Zürich \0 \ud800", thread_ts="1.0")
        again = await file_ticket(conn, "C1:1.1", text="another")
    assert again is None
    assert filed.text == "Zürich � �"
    assert (filed.thread_ts, filed.queue, filed.version) == ("1.0", None, 1)
    assert filed.created_at == filed.updated_at == NOW
    assert filed.number == f"T-{filed.id}"
    async with db.read() as conn:
        assert await tickets.get(conn, TEAM, filed.number) == filed
        assert await tickets.get(conn, TEAM, filed.id) == filed
        assert await tickets.by_key(conn, TEAM, "C1:1.1") == filed


@pytest.mark.parametrize("unknown", ["T-999", "nonsense", "", 0, -1, 2**70])
async def test_an_unknown_number_is_no_ticket(db, unknown):
    async with db.write() as conn:
        await file_ticket(conn)
        assert await tickets.get(conn, TEAM, unknown) is None


async def test_no_team_sees_or_changes_anothers_ticket(db):
    async with db.write() as conn:
        ours = await file_ticket(conn, "k")
        theirs = await file_ticket(conn, "k", team="T2")
        assert await tickets.get(conn, "T2", ours.id) is None
        assert await tickets.by_key(conn, "T2", "k") == theirs
        assert await tickets.of_reporter(conn, TEAM, "U1", 9) == [ours]
        assert await tickets.pending(conn, "T2", 9) == [theirs]
        stolen = await tickets.change(
            conn, team="T2", ticket_id=ours.id, expected=list(State), now=NOW, queue="Access"
        )
        assert stolen is None
        assert await tickets.get(conn, TEAM, ours.id) == ours


async def test_the_same_message_filed_twice_at_once_is_one_ticket(open_database):
    replicas = [await open_database(), await open_database()]

    async def file_in(database):
        async with database.write() as conn:
            return await file_ticket(conn)

    filed = await asyncio.gather(*(file_in(database) for database in replicas * 3))
    assert sum(ticket is not None for ticket in filed) == 1


async def test_of_several_changes_at_once_one_wins(open_database):
    replicas = [await open_database(), await open_database()]
    async with replicas[0].write() as conn:
        ticket = await file_ticket(conn)

    async def settle(database, queue):
        async with database.write() as conn:
            return await tickets.change(
                conn,
                team=TEAM,
                ticket_id=ticket.id,
                expected=[State.PENDING],
                now=later(1),
                state=State.ASSIGNED,
                queue=queue,
            )

    results = await asyncio.gather(*(settle(db, f"Q{n}") for n, db in enumerate(replicas * 3)))
    (winner,) = [result for result in results if result is not None]
    assert (winner.state, winner.version, winner.updated_at) == (State.ASSIGNED, 2, later(1))
    async with replicas[1].read() as conn:
        assert await tickets.get(conn, TEAM, ticket.id) == winner


async def test_a_change_sets_what_is_named_and_leaves_the_rest(db):
    async with db.write() as conn:
        ticket = await file_ticket(conn, queue="Hardware", state=State.ASSIGNED)
        where = {"team": TEAM, "ticket_id": ticket.id, "expected": list(State), "now": later(5)}
        changed = await tickets.change(conn, **where, priority="P1", text="it is worse")
        assert (changed.priority, changed.text, changed.queue) == ("P1", "it is worse", "Hardware")
        changed = await tickets.change(conn, **where, queue=None, state=State.PENDING)
        assert (changed.queue, changed.priority, changed.version) == (None, "P1", 3)


async def test_lists_are_in_order_and_limited(db):
    async with db.write() as conn:
        filed = [await file_ticket(conn, f"k{n}") for n in range(4)]
        await file_ticket(conn, "other", reporter="U2", state=State.ASSIGNED)
        mine = await tickets.of_reporter(conn, TEAM, "U1", 3)
        waiting = await tickets.pending(conn, TEAM, 3)
    assert mine == filed[:0:-1]
    assert waiting == filed[:3]


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
async def test_who_shows_tickets_waits_for_a_change_that_is_on_its_way(db):
    """The change found the card waiting in the outbox, and trusts that it will show it."""
    async with db.write() as conn:
        filed = await file_ticket(conn)

    async def shown():
        async with db.read() as conn:
            return await tickets.of_ids(conn, [filed.id])

    async with db.write() as conn:
        state = {"expected": [State.PENDING], "state": State.ASSIGNED, "now": later(1)}
        await tickets.change(conn, team=TEAM, ticket_id=filed.id, queue="Hardware", **state)
        showing = asyncio.create_task(shown())
        await asyncio.sleep(0.2)
        assert not showing.done()
    [ticket] = await showing
    assert ticket.queue == "Hardware"
