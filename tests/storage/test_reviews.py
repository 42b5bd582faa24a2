"""storage.reviews: every human answer is kept as it was given."""

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from storage import reviews
from storage.records import Action
from storage.schema import reviews as table
from tests.storage.examples import NOW, TEAM, file_ticket, later, review


async def test_reviews_add_up_in_order(db):
    async with db.write() as conn:
        ticket = await file_ticket(conn)
        assert await reviews.last_of_ticket(conn, ticket.id) is None
        await review(conn, ticket.id, Action.REASSIGN, queue_before="Access", reviewer="U8")
        await review(conn, ticket.id, Action.PRIORITY, priority_after="P1", now=later(1))
        first, second = await reviews.of_tickets(conn, [ticket.id])
        assert await reviews.last_of_ticket(conn, ticket.id) == second
    assert (first.action, first.reviewer, first.created_at) == (Action.REASSIGN, "U8", NOW)
    assert (first.queue_before, first.queue_after) == ("Access", "Hardware")
    assert (second.action, second.priority_before, second.priority_after) == (
        "priority",
        "P4",
        "P1",
    )


async def test_a_review_needs_its_ticket(db):
    with pytest.raises(DBAPIError, match=r"(?i)foreign key"):
        async with db.write() as conn:
            await review(conn, 12345)


@pytest.mark.parametrize("change", [sa.update(table).values(reviewer="x"), sa.delete(table)])
async def test_nobody_changes_what_was_answered(db, change):
    async with db.write() as conn:
        await review(conn, (await file_ticket(conn)).id)
    with pytest.raises(DBAPIError, match="append-only"):
        async with db.write() as conn:
            await conn.execute(change)
    async with db.read() as conn:
        assert (await conn.execute(sa.select(table.c.reviewer))).scalars().all() == ["U9"]


async def test_what_was_settled_since_then_is_counted_once_for_each_ticket(db):
    async with db.write() as conn:
        first, second = await file_ticket(conn), await file_ticket(conn, "C1:2.2")
        await review(conn, first.id, now=NOW)
        assert await reviews.settled_since(conn, TEAM, later(1)) == 0
        await review(conn, first.id, Action.CLAIM, now=later(2))
        await review(conn, second.id, Action.DISMISS, now=later(3))
        await review(conn, second.id, Action.REASSIGN, now=later(4))
        assert await reviews.settled_since(conn, TEAM, later(1)) == 1
        assert await reviews.settled_since(conn, TEAM, NOW) == 2
        assert await reviews.settled_since(conn, "T2", NOW) == 0
