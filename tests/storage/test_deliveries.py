"""storage.deliveries, storage.lanes: all in order, by one owner, never blindly twice."""

import asyncio

from sqlalchemy import select

from storage import deliveries, lanes
from storage.records import DeliveryState, Place
from storage.schema import deliveries as table
from storage.schema import lanes as lanes_table
from tests.storage.examples import NOW, TEAM, enqueue, file_ticket, finish, later, want_card


async def take(database, owner, *, now=NOW, limit=10, per_lane=10):
    async with database.write() as conn:
        return await lanes.lease(conn, owner=owner, limit=limit, per_lane=per_lane, now=now)


async def let_go(conn, owner, lane="C1", not_before=NOW):
    return await lanes.let_go(conn, owner=owner, team=TEAM, lane=lane, not_before=not_before)


async def make_card(conn):
    ticket = await file_ticket(conn)
    return await want_card(conn, ticket.id, Place.THREAD)


async def enqueue_card(conn, card):
    return await enqueue(conn, ticket_id=card.ticket_id, card_id=card.id)


def keys(lane):
    return [delivery.key for delivery in lane.deliveries]


async def test_lanes_are_taken_whole_and_in_order(db):
    async with db.write() as conn:
        for lane, key in [("C2", "a"), ("C1", "b"), ("C2", "c"), ("C1", "d"), ("C2", "e")]:
            assert await enqueue(conn, lane, key=key)
    one, other = await take(db, "x", per_lane=2)
    assert (one.lane, keys(one)) == ("C2", ["a", "c"])
    assert (other.team, other.lane, keys(other)) == (TEAM, "C1", ["b", "d"])
    first = one.deliveries[0]
    assert (first.state, first.attempts, first.uncertain) == (DeliveryState.LEASED, 1, False)
    assert (first.payload, first.correlation, first.created_at) == ({"say": "hello"}, "c", NOW)
    assert await take(db, "y") == []


async def test_a_known_key_is_refused_in_its_team_only(db):
    async with db.write() as conn:
        assert await enqueue(conn, key="k")
        assert not await enqueue(conn, key="k", lane="C2")
        assert await enqueue(conn, key="k", team="T2")
        assert await enqueue(conn)
        assert await enqueue(conn)


async def test_a_lane_of_one_name_in_two_teams_is_two_lanes(db):
    async with db.write() as conn:
        await enqueue(conn, key="ours")
        await enqueue(conn, key="theirs", team="T2")
    (ours,) = await take(db, "x", limit=1)
    (theirs,) = await take(db, "y")
    assert (keys(ours), theirs.team, keys(theirs)) == (["ours"], "T2", ["theirs"])


async def test_many_owners_never_hold_the_same_lane(open_database):
    replicas = [await open_database() for _ in range(3)]
    async with replicas[0].write() as conn:
        for number in range(60):
            await enqueue(conn, f"C{number % 12}", key=f"{number}")

    async def drain(database, owner):
        made = []
        while taken := await take(database, owner, limit=2, per_lane=2):
            for lane in taken:
                async with database.write() as conn:
                    for each in lane.deliveries:
                        made.append((lane.lane, each.id))
                        assert await finish(conn, owner=owner, delivery_id=each.id, now=NOW)
                    assert await let_go(conn, owner, lane.lane)
        return made

    shares = await asyncio.gather(
        *(drain(database, f"owner {n}") for n, database in enumerate(replicas * 2))
    )
    made = [each for share in shares for each in share]
    assert len(made) == len(set(made)) == 60
    async with replicas[0].read() as conn:
        assert (await deliveries.depth(conn)).waiting == 0


async def test_a_done_delivery_keeps_no_payload(db):
    async with db.write() as conn:
        await enqueue(conn)
    (lane,) = await take(db, "x")
    async with db.write() as conn:
        done = {"owner": "x", "delivery_id": lane.deliveries[0].id, "now": later(1)}
        assert await finish(conn, **done)
        assert not await finish(conn, **done)
        row = (await conn.execute(select(table))).one()
    assert (row.state, row.payload, row.done_at) == (DeliveryState.DONE, {}, later(1))


async def test_a_failed_head_blocks_its_lane_until_it_is_due(db):
    async with db.write() as conn:
        await enqueue(conn, key="a")
        await enqueue(conn, key="b")
        await enqueue(conn, "C2", key="c")
    lane, _ = await take(db, "x")
    async with db.write() as conn:
        head = lane.deliveries[0].id
        failed = {"owner": "x", "delivery_id": head, "due_at": later(60), "error": "429"}
        assert await deliveries.retry(conn, **failed, uncertain=False)
        assert await let_go(conn, "x")
        await lanes.release(conn, owner="x")
    assert [keys(lane) for lane in await take(db, "y", now=later(59))] == [["c"]]
    (lane,) = await take(db, "y", now=later(60))
    assert keys(lane) == ["a", "b"]
    tried, untried = lane.deliveries
    assert (tried.attempts, tried.uncertain, tried.error) == (2, False, "429")
    assert (untried.attempts, untried.uncertain) == (1, False)


async def test_a_released_lane_rests_as_long_as_asked(db):
    async with db.write() as conn:
        await enqueue(conn)
    await take(db, "x")
    async with db.write() as conn:
        assert await let_go(conn, "x", not_before=later(2))
        assert not await let_go(conn, "x")
    assert await take(db, "y", now=later(1.9)) == []
    assert len(await take(db, "y", now=later(2))) == 1


async def test_what_a_dead_owner_held_is_taken_over_as_uncertain(db):
    async with db.write() as conn:
        await enqueue(conn, key="a")
    (lane,) = await take(db, "dead")
    async with db.write() as conn:
        await enqueue(conn, key="b")
    assert await take(db, "heir", now=later(29.9)) == []
    (again,) = await take(db, "heir", now=later(30))
    assert [(each.key, each.uncertain) for each in again.deliveries] == [("a", True), ("b", False)]
    lost = {"owner": "dead", "delivery_id": lane.deliveries[0].id}
    async with db.write() as conn:
        assert not await finish(conn, **lost, now=NOW)
        assert not await deliveries.retry(conn, **lost, due_at=NOW, error="")
        assert not await deliveries.bury(conn, **lost, error="")
        assert not await let_go(conn, "dead")
        assert not await lanes.renew(conn, owner="dead", team=TEAM, lane="C1", now=later(30))
        assert await lanes.release(conn, owner="dead") == 0
        assert await finish(conn, owner="heir", delivery_id=again.deliveries[0].id, now=NOW)


async def test_a_takeover_and_the_old_owners_last_word_do_not_mix(open_database):
    one, other = await open_database(), await open_database()
    async with one.write() as conn:
        await enqueue(conn)
    (lane,) = await take(one, "slow")

    async def say_it_is_done():
        async with other.write() as conn:
            finished = {"owner": "slow", "delivery_id": lane.deliveries[0].id, "now": later(30)}
            return await finish(conn, **finished)

    async with one.write() as conn:
        heir = {"owner": "heir", "limit": 1, "per_lane": 1, "now": later(30)}
        assert len(await lanes.lease(conn, **heir)) == 1
        last_word = asyncio.create_task(say_it_is_done())
        await asyncio.sleep(0.1)
    assert await last_word is False


async def test_a_renewed_lane_is_kept_longer(db):
    async with db.write() as conn:
        await enqueue(conn)
    await take(db, "x")
    async with db.write() as conn:
        renewed = {"owner": "x", "team": TEAM, "lane": "C1", "now": later(20), "seconds": 30}
        assert await lanes.renew(conn, **renewed)
    assert await take(db, "y", now=later(49)) == []
    assert len(await take(db, "y", now=later(50))) == 1


async def test_an_owner_that_ends_leaves_all_lanes_as_uncertain(db):
    async with db.write() as conn:
        await enqueue(conn, "C1")
        await enqueue(conn, "C2")
    await take(db, "leaving")
    async with db.write() as conn:
        assert await lanes.release(conn, owner="leaving") == 2
    for lane in await take(db, "heir"):
        assert [each.uncertain for each in lane.deliveries] == [True]


async def test_a_card_waits_once_and_its_older_delivery_wins(db):
    async with db.write() as conn:
        card = await make_card(conn)
        assert await enqueue_card(conn, card)
        assert not await enqueue_card(conn, card)
    (lane,) = await take(db, "x")
    (older,) = lane.deliveries
    async with db.write() as conn:
        assert await enqueue_card(conn, card)
        await enqueue(conn, key="notice")
        failed = {"owner": "x", "delivery_id": older.id, "due_at": later(5), "error": "timeout"}
        assert await deliveries.retry(conn, **failed)
        await let_go(conn, "x")
    (lane,) = await take(db, "y", now=later(5))
    assert [(each.id == older.id, each.uncertain) for each in lane.deliveries] == [
        (True, True),
        (False, False),
    ]
    assert keys(lane) == [None, "notice"]


async def test_a_card_is_uncertain_while_an_earlier_delivery_of_it_is(db):
    async with db.write() as conn:
        card = await make_card(conn)
        await enqueue_card(conn, card)
    await take(db, "dead")
    (lane,) = await take(db, "x", now=later(30))
    async with db.write() as conn:
        given_up = {"owner": "x", "delivery_id": lane.deliveries[0].id, "error": "no answer"}
        assert await deliveries.bury(conn, **given_up)
        await enqueue_card(conn, card)
        await let_go(conn, "x")
    (lane,) = await take(db, "x", now=later(30))
    assert [each.uncertain for each in lane.deliveries] == [True]


async def test_the_dead_are_shown_and_revived_once_for_a_card(db):
    async with db.write() as conn:
        card = await make_card(conn)
    for _ in range(2):
        async with db.write() as conn:
            await enqueue_card(conn, card)
        (lane,) = await take(db, "x")
        async with db.write() as conn:
            given_up = {"owner": "x", "delivery_id": lane.deliveries[0].id}
            await deliveries.bury(conn, **given_up, error="is_archived")
            await let_go(conn, "x")
    async with db.write() as conn:
        await enqueue_card(conn, card)
        newest, oldest = await deliveries.dead(conn, 9)
        assert newest.id > oldest.id
        assert (oldest.error, oldest.payload) == ("is_archived", {"say": "hello"})
        assert [each.id for each in await deliveries.dead(conn, 1)] == [newest.id]
        assert (await deliveries.depth(conn)).dead == 2
        assert await deliveries.revive(conn, [newest.id, oldest.id, 999]) == 1
        assert await deliveries.dead(conn, 9) == []
    (lane,) = await take(db, "x")
    (again,) = lane.deliveries
    assert (again.id, again.attempts, again.uncertain) == (oldest.id, 1, True)


async def test_depth_counts_what_is_not_done(db):
    async with db.write() as conn:
        for seconds in range(3):
            await enqueue(conn, f"C{seconds}", now=later(seconds))
    await take(db, "x", limit=1, now=later(9))
    async with db.read() as conn:
        depth = await deliveries.depth(conn)
    assert (depth.waiting, depth.leased, depth.dead) == (2, 1, 0)
    assert depth.oldest_waiting == later(1)


async def test_purge_forgets_only_what_is_old_and_done(db):
    async with db.write() as conn:
        await enqueue(conn, "C1", key="made")
        await enqueue(conn, "C1", key="waiting")
    (lane,) = await take(db, "x", per_lane=1)
    async with db.write() as conn:
        await finish(conn, owner="x", delivery_id=lane.deliveries[0].id, now=NOW)
        await let_go(conn, "x")
        assert await deliveries.purge(conn, NOW) == 0
        assert await deliveries.purge(conn, later(1)) == 1
        assert (await conn.execute(select(table.c.key))).scalars().all() == ["waiting"]
        assert (await conn.execute(select(lanes_table))).all() == []
    (lane,) = await take(db, "y")
    assert keys(lane) == ["waiting"]


async def test_a_card_enqueued_while_an_older_one_fails_never_collides(open_database):
    one, other = await open_database(), await open_database()
    async with one.write() as conn:
        card = await make_card(conn)
        await enqueue_card(conn, card)

    async def change():
        async with other.write() as conn:
            await enqueue_card(conn, card)

    for _ in range(20):
        (lane,) = await take(one, "x")

        async def fail(delivery=lane.deliveries[0]):
            async with one.write() as conn:
                failed = {"owner": "x", "delivery_id": delivery.id, "due_at": NOW, "error": "?"}
                assert await deliveries.retry(conn, **failed)
                await let_go(conn, "x")

        await asyncio.gather(change(), fail(), change())
    async with one.read() as conn:
        assert (await deliveries.depth(conn)).waiting == 1
