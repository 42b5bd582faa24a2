"""storage.forget: what is erased is nowhere, what is counted stays."""

from dataclasses import replace

import pytest
import sqlalchemy as sa

from storage import (
    export,
    forget,
    inbox,
    installations,
    lanes,
    predictions,
    reviews,
    settled,
    tickets,
)
from storage.database import Database
from storage.export import Dataset
from storage.records import Place, State
from storage.schema import deliveries as outbox
from storage.schema import inbox as intake
from tests.storage.examples import (
    NOW,
    TEAM,
    enqueue,
    file_ticket,
    finish,
    later,
    predict,
    receive,
    review,
    want_card,
)
from tests.storage.test_installations import ACME

SECRET = "my landlord is called Grendel"


async def payloads(conn, table):
    rows = await conn.execute(sa.select(table.c.payload, table.c.state).order_by(table.c.id))
    return [(row.payload, row.state.value) for row in rows]


async def bury(conn, key, text, user="U1"):
    await receive(conn, key, payload={"text": text, "user": user})
    items = await inbox.lease(conn, owner="x", limit=99, now=later(99))
    await inbox.bury(conn, owner="x", id=items[-1].id, error=f"cannot take {text}")


async def test_a_forgotten_ticket_keeps_all_but_its_text(db):
    async with db.write() as conn:
        ticket = await file_ticket(conn, text=SECRET)
        other = await file_ticket(conn, "other", text="another text")
        await predict(conn, ticket.id)
        await review(conn, ticket.id)
        assert await forget.ticket(conn, team="T2", ticket_id=ticket.id) == 0
        assert await forget.ticket(conn, team=TEAM, ticket_id=ticket.id) == 1
        assert await forget.ticket(conn, team=TEAM, ticket_id=ticket.id) == 0
        left = await tickets.get(conn, TEAM, ticket.id)
        assert (left.text, left.version) == ("", 2)
        assert (left.state, left.reporter, left.updated_at) == (State.PENDING, "U1", NOW)
        assert len(await predictions.of_ticket(conn, ticket.id)) == 1
        assert len(await reviews.of_tickets(conn, [ticket.id])) == 1
        assert await tickets.get(conn, TEAM, other.id) == other
        assert [row async for row in export.rows(conn, Dataset.LABELS)] == []


async def test_payloads_that_quote_the_ticket_go_with_it(db):
    async with db.write() as conn:
        for key in ("message:C1:1.1", "edit:C1:1.1:77", "C1:1.1", "message:C1:1.12", "xC1:1.1"):
            await receive(conn, key)
        await receive(conn, "message:C1:1.1", team="T2")
        ticket = await file_ticket(conn, "C1:1.1")
        await forget.ticket(conn, team=TEAM, ticket_id=ticket.id)
        kept = {"text": "message:C1:1.12"}, {"text": "xC1:1.1"}, {"text": "message:C1:1.1"}
        assert await payloads(conn, intake) == [
            *[({}, "done")] * 3,
            *[(payload, "waiting") for payload in kept],
        ]


async def test_messages_about_the_ticket_go_and_its_cards_stay(db):
    async with db.write() as conn:
        ticket = await file_ticket(conn)
        card = await want_card(conn, ticket.id, Place.THREAD)
        await enqueue(conn, ticket_id=ticket.id)
        await enqueue(conn, ticket_id=ticket.id, card_id=card.id)
        await enqueue(conn, "C2")
        taken = {"owner": "x", "limit": 9, "per_lane": 1, "now": NOW}
        first, _ = await lanes.lease(conn, **taken)
        await forget.ticket(conn, team=None, ticket_id=ticket.id)
        about = {"say": "hello"}, "leased"
        assert await payloads(conn, outbox) == [({}, "done"), ({}, "waiting"), about]
        made = {"owner": "x", "delivery_id": first.deliveries[0].id}
        assert not await finish(conn, **made, now=NOW)


async def test_a_forgotten_reporter_leaves_no_text_in_the_team(db):
    async with db.write() as conn:
        mine = [await file_ticket(conn, f"k{n}") for n in range(3)]
        theirs = await file_ticket(conn, "theirs", reporter="U2")
        elsewhere = await file_ticket(conn, "k0", team="T2")
        await bury(conn, "a", SECRET)
        await bury(conn, "b", "of somebody else", user="U12")
        for user in ("U1", "U2"):  # not judged yet
            await receive(conn, f"new {user}", payload={"text": SECRET, "reporter": user})
        assert await forget.reporter(conn, team=TEAM, reporter="U1") == 3
        texts = [ticket.text for ticket in await tickets.of_reporter(conn, TEAM, "U1", 9)]
        assert texts == [""] * len(mine)
        assert await tickets.get(conn, TEAM, theirs.id) == theirs
        assert await tickets.get(conn, "T2", elsewhere.id) == elsewhere
        gone, kept, not_judged, waiting = await payloads(conn, intake)
        assert (gone, kept[1]) == (({}, "done"), "dead")
        assert (not_judged, waiting[1]) == (({}, "done"), "waiting")
        assert await forget.reporter(conn, team=None, reporter="U1") == 1


async def test_a_forgotten_workspace_leaves_numbers_only(db):
    async with db.write() as conn:
        ticket = await file_ticket(conn, text=SECRET)
        await predict(conn, ticket.id)
        await review(conn, ticket.id)
        await settled.keep_vectors(conn, TEAM, "e", {ticket.id: b"v"})
        await bury(conn, "a", SECRET)
        await receive(conn, "b", payload={"text": SECRET})
        await enqueue(conn, payload={"message": SECRET})
        elsewhere = await file_ticket(conn, "theirs", team="T2")
        for team in (TEAM, "T2"):
            await enqueue(conn, team=team)
            await installations.save(conn, replace(ACME, team=team), NOW)
        assert await forget.everything_of(conn, team=TEAM) == 1
        assert await payloads(conn, intake) == [({}, "done")] * 2
        left = await conn.execute(sa.select(outbox.c.team).where(outbox.c.payload != {}))
        assert left.scalars().all() == ["T2"]
        assert await tickets.get(conn, "T2", elsewhere.id) == elsewhere
        for team, there in ((TEAM, False), ("T2", True)):
            assert (await installations.get(conn, team) is not None) is there
        assert await settled.vectors(conn, "e", [ticket.id]) == {}
        assert len(await predictions.of_ticket(conn, ticket.id)) == 1
        assert len(await reviews.of_tickets(conn, [ticket.id])) == 1
        assert SECRET not in str([row async for row in export.rows(conn, Dataset.TICKETS)])


async def test_texts_expire_when_nobody_has_touched_them_for_long(db):
    async with db.write() as conn:
        for number in range(3):
            closed = {"state": State.RESOLVED, "now": later(number)}
            await file_ticket(conn, f"old {number}", **closed)
        still_open = await file_ticket(conn, "open", now=later(0))
        young = await file_ticket(conn, "young", state=State.RESOLVED, now=later(10))
        await bury(conn, "dead", SECRET)
        await enqueue(conn)
        assert await forget.expire(conn, later(10), limit=2) == 2
        assert await forget.expire(conn, later(10), limit=2) == 1
        assert await forget.expire(conn, later(10), limit=2) == 0
        assert await tickets.get(conn, TEAM, young.id) == young
        assert await tickets.get(conn, TEAM, still_open.id) == still_open
        assert await payloads(conn, intake) == []
        assert await payloads(conn, outbox) == [({"say": "hello"}, "waiting")]


@pytest.mark.parametrize("length", [1, 300])  # within a page, and over several
async def test_no_byte_of_a_forgotten_text_is_left_in_the_files(tmp_path, length):
    db = await Database.open(f"sqlite:///{tmp_path}/record.db")
    async with db.write() as conn:
        await bury(conn, "C1:1.1", SECRET * length)
        ticket = await file_ticket(conn, text=SECRET * length)
    assert SECRET.encode() in everything_in(tmp_path)
    async with db.write() as conn:
        await forget.ticket(conn, team=TEAM, ticket_id=ticket.id)
    await db.scrub()
    assert SECRET.encode() not in everything_in(tmp_path)
    await db.close()


def everything_in(folder):
    return b"".join(path.read_bytes() for path in folder.iterdir())
