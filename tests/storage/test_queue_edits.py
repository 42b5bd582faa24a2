"""storage.queue_edits: appended, and each knows up to which row the names before were written."""

import asyncio

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from storage import queue_edits, schema, tickets
from storage.queue_edits import NewQueueEdit, Written
from storage.records import State
from tests.storage.examples import NOW, file_ticket, later, predict, review


async def make(conn, before, after, at=NOW):
    await queue_edits.wait_for_writers(conn)
    await queue_edits.add(conn, NewQueueEdit(before=before, after=after, by="U1"), at)


async def test_edits_are_kept_in_order_with_what_was_written_before(db):
    async with db.write() as conn:
        assert await queue_edits.newest(conn) == 0
        ticket = await file_ticket(conn)
        await predict(conn, ticket.id)
        await predict(conn, ticket.id)
        await make(conn, ("Hardware",), ("Devices",))
        await review(conn, ticket.id)
        await make(conn, (), ("Printers",), later(1))
        first, second = await queue_edits.everything(conn)
        assert await queue_edits.newest(conn) == second.id
    assert (first.before, first.after, first.by) == (("Hardware",), ("Devices",), "U1")
    assert (second.before, second.after, second.created_at) == ((), ("Printers",), later(1))
    assert first.written == {
        Written.PREDICTIONS: 2,
        Written.REVIEWS: 0,
        Written.QUEUE_CHANGES: 0,
        Written.TEAM_SETTINGS: 0,
    }
    assert second.written[Written.REVIEWS] == 1


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (("Hardware",), ("Devices",), ["Devices", "Access", None]),
        (("Hardware", "Access"), ("Access",), ["Access", "Access", None]),
        (("Hardware",), ("Laptops", "Printers"), ["Hardware", "Access", None]),
        ((), ("Printers",), ["Hardware", "Access", None]),
    ],
)
async def test_tickets_go_with_their_queue_unless_it_is_split(db, before, after, expected):
    async with db.write() as conn:
        states = (State.ASSIGNED, State.RESOLVED, State.PENDING)
        for queue, state in zip(("Hardware", "Access", None), states, strict=True):
            await file_ticket(conn, f"C1:{state}", state=state, queue=queue)
        await make(conn, before, after)
        found = {ticket.id: ticket.queue for ticket in await tickets.of_ids(conn, [1, 2, 3])}
        assert [queue for _, queue in sorted(found.items())] == expected
        opened = [t.id for t in await tickets.open_in(conn, ["Hardware", "Access", "Devices"])]
    assert opened == [1]


async def test_edits_can_only_be_added(db):
    async with db.write() as conn:
        await make(conn, (), ("Printers",))
    for statement in (
        sa.update(schema.queue_edits).values(by="nobody"),
        sa.delete(schema.queue_edits),
    ):
        with pytest.raises(DBAPIError, match="append-only"):
            async with db.write() as conn:
                await conn.execute(statement)


async def test_an_edit_waits_for_who_writes_with_the_names_before(db, open_database):
    """So no row that it does not count has a name of before it."""
    other, reading = await open_database(), asyncio.Event()

    async def writer():
        async with db.write() as conn:
            assert await queue_edits.newest(conn) == 0
            reading.set()
            await asyncio.sleep(0.1)
            ticket = await file_ticket(conn)
            await predict(conn, ticket.id)

    async def editor():
        await reading.wait()
        async with other.write() as conn:
            await make(conn, ("Hardware",), ("Devices",))
            [edit] = await queue_edits.everything(conn)
            return edit.written[Written.PREDICTIONS]

    _, counted = await asyncio.gather(writer(), editor())
    assert counted == 1
