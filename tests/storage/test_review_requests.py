"""storage.review_requests, queue_changes, secrets: appended, answered once, shared."""

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from storage import queue_changes, review_requests, schema, secrets
from storage.review_records import NewQueueChange, NewReviewRequest, RoutingChange, Why
from tests.storage.examples import NOW, TEAM, file_ticket, later, review


def request_for(ticket, why=Why.AUDIT, probability=0.05, blind=True):
    return NewReviewRequest(
        team=TEAM, ticket_id=ticket.id, why=why, probability=probability, blind=blind
    )


def change_of(queue, change, team=TEAM):
    return NewQueueChange(team=team, queue=queue, change=change, by="", evidence={"audits": 40})


async def test_the_last_request_counts_and_only_its_first_answer(db):
    async with db.write() as conn:
        ticket, other = await file_ticket(conn), await file_ticket(conn, "C1:2.2")
        await review_requests.add(conn, [request_for(ticket, Why.UNSURE, 1.0, blind=False)], NOW)
        await review_requests.add(conn, [request_for(ticket)], later(1))
        asked = await review_requests.latest(conn, [ticket.id, other.id])
        assert set(asked) == {ticket.id}
        request = asked[ticket.id]
        assert (request.why, request.probability, request.blind) == (Why.AUDIT, 0.05, True)
        assert not request.answered
        for expected in (True, False):
            await review(conn, ticket.id)
            answered = await review_requests.answer(conn, request, asked=True, now=later(2))
            assert answered is expected
    async with db.read() as conn:
        assert (await review_requests.latest(conn, [ticket.id]))[ticket.id].answered
        counted = (await conn.execute(sa.select(schema.review_answers.c.review_id))).scalars().all()
        assert counted == [1]


@pytest.mark.parametrize("probability", [0.0, 1.01, float("nan")])
async def test_what_was_asked_had_a_chance(db, probability):
    async with db.write() as conn:
        wanted = [request_for(await file_ticket(conn), probability=probability)]
        with pytest.raises(ValueError, match="probability"):
            await review_requests.add(conn, wanted, NOW)


async def test_changes_are_kept_in_order_for_each_team(db):
    async with db.write() as conn:
        for change in (RoutingChange.DEMOTED, RoutingChange.OFFERED):
            await queue_changes.add(conn, change_of("Access", change), NOW)
        await queue_changes.add(conn, change_of("Access", RoutingChange.DEMOTED, "T2"), NOW)
        await queue_changes.add(conn, change_of("Storage", RoutingChange.RESTORED), NOW)
        found = await queue_changes.everything(conn, TEAM)
    assert [(each.queue, each.change) for each in found] == [
        ("Access", RoutingChange.DEMOTED),
        ("Access", RoutingChange.OFFERED),
        ("Storage", RoutingChange.RESTORED),
    ]
    assert found[1].evidence == {"audits": 40}


async def test_a_secret_is_made_once(open_database):
    kept = []
    for name in ("a", "a", "b"):
        async with (await open_database()).write() as conn:
            kept.append(await secrets.get_or_make(conn, name, NOW))
    assert kept[0] == kept[1] != kept[2]
    assert {len(secret) for secret in kept} == {32}


@pytest.mark.parametrize("table", ["review_requests", "review_answers", "queue_changes", "secrets"])
async def test_nothing_of_it_can_be_changed(db, table):
    async with db.write() as conn:
        ticket = await file_ticket(conn)
        await review_requests.add(conn, [request_for(ticket)], NOW)
        await review(conn, ticket.id)
        request = (await review_requests.latest(conn, [ticket.id]))[ticket.id]
        await review_requests.answer(conn, request, asked=True, now=NOW)
        await queue_changes.add(conn, change_of("Access", RoutingChange.DEMOTED), NOW)
        await secrets.get_or_make(conn, "a", NOW)
    changed = schema.metadata.tables[table]
    for change in (sa.update(changed).values(created_at=NOW), sa.delete(changed)):
        with pytest.raises(DBAPIError, match="append-only"):
            async with db.write() as conn:
                await conn.execute(change)
