"""storage.inbox: recorded once, worked on by one owner at a time, never lost."""

import asyncio

import pytest
from sqlalchemy import select

from storage import inbox
from storage.records import DeliveryState
from storage.schema import inbox as table
from tests.storage.examples import NOW, TEAM, later, receive


async def take(database, owner, *, limit=10, now=NOW):
    async with database.write() as conn:
        return await inbox.lease(conn, owner=owner, limit=limit, now=now)


async def test_a_payload_comes_back_as_it_went_in(db):
    payload = {"text": "nul \0, lone \ud800, \U0001f600", "nested": {"list": [1, None, True]}}
    async with db.write() as conn:
        assert await receive(conn, "k", payload=payload)
    (item,) = await take(db, "a", now=later(1))
    assert item.payload == payload
    assert (item.team, item.key, item.kind) == (TEAM, "k", "message")
    assert (item.correlation, item.received_at, item.attempts) == ("about k", NOW, 1)


async def test_a_known_key_is_refused_in_its_team_only(db):
    async with db.write() as conn:
        assert await receive(conn, "k")
        assert not await receive(conn, "k", payload={"text": "again"})
        assert await receive(conn, "k", team="T2")


async def test_the_same_payload_four_times_at_once_is_recorded_once(open_database):
    replicas = [await open_database(), await open_database()]

    async def receive_in(database):
        async with database.write() as conn:
            return await receive(conn, "k")

    answers = await asyncio.gather(*(receive_in(database) for database in replicas * 2))
    assert sorted(answers) == [False, False, False, True]


async def test_leases_are_oldest_first_and_end_when_done(db):
    async with db.write() as conn:
        for key in "abcde":
            await receive(conn, key)
    first, second = await take(db, "x", limit=3), await take(db, "y", limit=3)
    assert [item.key for item in first] == ["a", "b", "c"]
    assert [item.key for item in second] == ["d", "e"]
    async with db.write() as conn:
        assert await inbox.finish(conn, owner="x", ids=[item.id for item in first]) == 3
        rows = (await conn.execute(select(table.c.payload).order_by(table.c.id))).all()
        assert await inbox.status(conn, team=TEAM, key="a") == "done"
        assert await inbox.status(conn, team="T2", key="a") is None
    assert [row.payload for row in rows[:3]] == [{}] * 3
    assert await take(db, "x", now=later(29)) == []


async def test_many_owners_never_get_the_same_item(open_database):
    replicas = [await open_database() for _ in range(3)]
    async with replicas[0].write() as conn:
        for number in range(60):
            await receive(conn, f"k{number}")

    async def drain(database, owner):
        taken = []
        while items := await take(database, owner, limit=4):
            taken += [item.id for item in items]
            await asyncio.sleep(0)
        return taken

    shares = await asyncio.gather(
        *(drain(database, f"owner {n}") for n, database in enumerate(replicas * 2))
    )
    everything = [item for share in shares for item in share]
    assert len(everything) == len(set(everything)) == 60


@pytest.mark.parametrize("kind", ["postgresql"])
async def test_an_owner_does_not_wait_for_another_that_is_about_to_commit(open_database):
    one, other = await open_database(), await open_database()
    async with one.write() as conn:
        for key in "ab":
            await receive(conn, key)
    async with one.write() as conn:
        (first,) = await inbox.lease(conn, owner="x", limit=1, now=NOW)
        (second,) = await asyncio.wait_for(take(other, "y"), 2)
    assert (first.key, second.key) == ("a", "b")


async def test_an_expired_lease_is_taken_over_and_the_old_owner_finds_out(db):
    async with db.write() as conn:
        await receive(conn, "k")
    (item,) = await take(db, "dead")
    assert await take(db, "heir", now=later(29.9)) == []
    (again,) = await take(db, "heir", now=later(30))
    assert (again.id, again.attempts) == (item.id, 2)
    async with db.write() as conn:
        assert await inbox.finish(conn, owner="dead", ids=[item.id]) == 0
        assert await inbox.renew(conn, owner="dead", ids=[item.id], now=later(30)) == 0
        assert not await inbox.postpone(conn, owner="dead", id=item.id, due_at=NOW, error="")
        assert not await inbox.bury(conn, owner="dead", id=item.id, error="")
        assert await inbox.finish(conn, owner="heir", ids=[item.id]) == 1
        assert await inbox.finish(conn, owner="heir", ids=[item.id]) == 0


async def test_a_renewed_lease_lasts_longer(db):
    async with db.write() as conn:
        await receive(conn, "k")
    (item,) = await take(db, "busy")
    async with db.write() as conn:
        assert await inbox.renew(conn, owner="busy", ids=[item.id], now=later(20), seconds=30) == 1
    assert await take(db, "heir", now=later(49)) == []
    assert len(await take(db, "heir", now=later(50))) == 1


async def test_a_postponed_item_waits_until_it_is_due(db):
    async with db.write() as conn:
        await receive(conn, "k")
    (item,) = await take(db, "x")
    async with db.write() as conn:
        assert await inbox.postpone(conn, owner="x", id=item.id, due_at=later(60), error="slow")
    assert await take(db, "x", now=later(59)) == []
    (item,) = await take(db, "x", now=later(60))
    assert item.attempts == 2


async def test_a_buried_item_keeps_its_payload_until_somebody_asks_for_it_again(db):
    async with db.write() as conn:
        await receive(conn, "k", payload={"text": "odd"})
    (item,) = await take(db, "x")
    async with db.write() as conn:
        assert await inbox.bury(conn, owner="x", id=item.id, error="cannot \ud800 read")
        row = (await conn.execute(select(table))).one()
        assert (row.payload, row.error) == ({"text": "odd"}, "cannot � read")
    assert await take(db, "x", now=later(99)) == []
    async with db.write() as conn:
        assert [row[2] for row in await inbox.dead(conn, 9)] == ["cannot � read"]
        assert await receive(conn, "k")
    (again,) = await take(db, "x", now=later(99))
    assert (again.id, again.attempts) == (item.id, 1)


async def test_a_released_item_was_never_taken(db):
    async with db.write() as conn:
        await receive(conn, "k")
        await receive(conn, "other")
    await take(db, "leaving", limit=1)
    await take(db, "staying", limit=1)
    async with db.write() as conn:
        assert await inbox.release(conn, owner="leaving") == 1
    (item,) = await take(db, "heir")
    assert (item.key, item.attempts) == ("k", 1)


async def test_depth_counts_what_is_not_done(db):
    async with db.write() as conn:
        empty = await inbox.depth(conn)
        for seconds, key in enumerate("abcde"):
            await receive(conn, key, now=later(seconds))
    a, b, _ = await take(db, "x", limit=3, now=later(9))
    async with db.write() as conn:
        await inbox.finish(conn, owner="x", ids=[a.id])
        await inbox.bury(conn, owner="x", id=b.id, error="")
        depth = await inbox.depth(conn)
    assert (empty.waiting, empty.leased, empty.dead, empty.oldest_waiting) == (0, 0, 0, None)
    assert (depth.waiting, depth.leased, depth.dead) == (2, 1, 1)
    assert depth.oldest_waiting == later(3)


async def test_purge_forgets_only_old_and_done(db):
    async with db.write() as conn:
        for seconds, key in enumerate(["done", "dead", "leased", "waiting", "young"]):
            await receive(conn, key, now=later(seconds))
    done, dead, _ = await take(db, "x", limit=3, now=later(9))
    async with db.write() as conn:
        await inbox.finish(conn, owner="x", ids=[done.id])
        await inbox.bury(conn, owner="x", id=dead.id, error="")
        assert await inbox.purge(conn, later(0)) == 0
        assert await inbox.purge(conn, later(4)) == 1
        assert await receive(conn, "done")
        assert await inbox.status(conn, team=TEAM, key="dead") is DeliveryState.DEAD
        assert await inbox.purge(conn, later(999)) == 0
