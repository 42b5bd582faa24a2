"""Any mix of work, failures and deaths: the outbox against a model of Slack."""

import asyncio
import shutil
from collections import Counter, defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage import cards, deliveries, lanes
from storage.database import Database
from storage.records import Place
from tests.storage.examples import TEAM, enqueue, file_ticket, finish, later, want_card

LANES = ["C0", "C1"]
ENDS = ["delivered", "answer_lost", "rate_limited", "refused", "died", "died_after_call"]
STEPS = st.lists(
    st.tuples(st.sampled_from(["notify", "change"]), st.sampled_from(LANES))
    | st.tuples(st.sampled_from(["take", *ENDS, "leave"]), st.sampled_from(["a", "b"]))
    | st.tuples(st.just("wait"), st.sampled_from([1, 6, 31])),
    max_size=60,
)


class World:
    """One card and any number of notices in each lane, two owners, and what Slack has seen."""

    def __init__(self, database):
        self.database = database
        self.clock = 0.0
        self.held = {}  # by owner: lane, what is left to deliver, when the lease ends
        self.cards = {}
        self.changed = Counter()  # by lane: the card's version
        self.shown = Counter()  # by lane: the version that Slack shows
        self.given_up = set()  # keys of notices; lane and version of cards
        self.notices = defaultdict(list)  # by lane: the keys in the order that Slack saw them
        self.posts = Counter()  # by notice's key or card's lane
        self.count = 0

    async def set_up(self):
        async with self.database.write() as conn:
            ticket = await file_ticket(conn)
            for lane, place in zip(LANES, (Place.THREAD, Place.QUEUE), strict=True):
                self.cards[lane] = await want_card(conn, ticket.id, place, lane)

    async def notify(self, lane):
        self.count += 1
        async with self.database.write() as conn:
            assert await enqueue(conn, lane, key=f"{self.count:03}", now=later(self.clock))

    async def change(self, lane):
        self.changed[lane] += 1
        card = {"ticket_id": self.cards[lane].ticket_id, "card_id": self.cards[lane].id}
        async with self.database.write() as conn:
            await enqueue(conn, lane, **card, now=later(self.clock))

    async def wait(self, seconds):
        self.clock += seconds

    async def take(self, owner):
        if owner in self.held:
            return
        async with self.database.write() as conn:
            asked = {"owner": owner, "limit": 1, "per_lane": 3, "now": later(self.clock)}
            for lane in await lanes.lease(conn, **asked):
                self.held[owner] = lane.lane, list(lane.deliveries), self.clock + 30

    async def leave(self, owner):
        self.held.pop(owner, None)
        async with self.database.write() as conn:
            await lanes.release(conn, owner=owner)

    async def deliver(self, owner, end):
        lane, left, until = self.held.get(owner, (None, [], 0))
        if self.clock >= until:  # a good owner stops when its time is up
            self.held.pop(owner, None)
            return
        each = left.pop(0)
        if end in ("delivered", "answer_lost", "died_after_call"):
            await self.call(lane, each)
        if end in ("died", "died_after_call"):
            del self.held[owner]
            return
        async with self.database.write() as conn:
            assert await self.note(conn, {"owner": owner, "delivery_id": each.id}, lane, each, end)
            if not left or end in ("answer_lost", "rate_limited"):
                del self.held[owner]
                free = {"owner": owner, "team": TEAM, "lane": lane}
                assert await lanes.let_go(conn, **free, not_before=later(self.clock))

    async def call(self, lane, each):
        if each.card_id is None:
            if not (each.uncertain and each.key in self.notices[lane]):
                self.notices[lane].append(each.key)
                self.posts[each.key] += 1
            return
        if not await self.knows_where(each) and not (each.uncertain and self.posts[lane]):
            self.posts[lane] += 1
        self.shown[lane] = self.changed[lane]

    async def knows_where(self, each):
        async with self.database.read() as conn:
            of_ticket = await cards.of_tickets(conn, [each.ticket_id])
        return next(card.ts for card in of_ticket if card.id == each.card_id)

    async def note(self, conn, held, lane, each, end):
        if end == "delivered":
            if each.card_id is not None:
                await cards.posted(conn, [(each.card_id, lane, "1.1")])
            return await finish(conn, **held, now=later(self.clock))
        if end == "refused":
            self.given_up.add(each.key or (lane, self.changed[lane]))
            return await deliveries.bury(conn, **held, error="refused")
        uncertain = each.uncertain or end == "answer_lost"
        again = {"due_at": later(self.clock + 5), "error": end, "uncertain": uncertain}
        return await deliveries.retry(conn, **held, **again)

    async def drain(self):
        self.clock += 31
        for _ in range(300):
            await self.take("heir")
            if "heir" in self.held:
                await self.deliver("heir", "delivered")
                continue
            async with self.database.read() as conn:
                left = await deliveries.depth(conn)
            if left.waiting == left.leased == 0:
                return
            self.clock += 5
        raise AssertionError(f"never delivered: {left}")


async def play(path, steps):
    database = await Database.open(f"sqlite:///{path}")
    try:
        world = World(database)
        await world.set_up()
        for step, what in steps:
            if step in ENDS:
                await world.deliver(what, step)
            else:
                await getattr(world, step)(what)
        await world.drain()
        return world
    finally:
        await database.close()


@pytest.fixture(scope="module")
def migrated(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "migrated.db"

    async def make():
        await (await Database.open(f"sqlite:///{path}")).close()

    asyncio.run(make())
    return path


@settings(max_examples=40)
@given(steps=STEPS)
def test_all_is_delivered_in_order_and_nothing_twice(migrated, steps):
    path = migrated.with_name("played.db")
    shutil.copy(migrated, path)
    world = asyncio.run(play(path, steps))
    assert set(world.posts.values()) <= {1}
    for keys in world.notices.values():
        assert keys == sorted(keys)
    for number in range(1, world.count + 1):
        key = f"{number:03}"
        assert world.posts[key] == 1 or key in world.given_up
    for lane, version in world.changed.items():
        assert world.shown[lane] == version or (lane, version) in world.given_up
