"""Queues that audits speak against lose automatic routing, and get it back from a reviewer."""

from datetime import UTC, datetime, timedelta

import pytest

from core.decision import Decision
from slackbot.desk.watch import outcomes
from slackbot.queue_names import QueueNames
from storage import queue_changes
from storage.audit_log import JudgedTicket
from storage.records import Action, State
from storage.review_records import RoutingChange, Why
from tests.slackbot.audited import add_ticket

NOW = datetime.now(UTC)
YESTERDAY = NOW - timedelta(days=1)


def route(number, *, right=True, asked=True, answered=True):
    answer = Action.CONFIRM if right else Action.REASSIGN
    return JudgedTicket(
        ticket_id=number,
        created_at=YESTERDAY,
        prediction_id=number,
        queue="Access",
        confidence=0.97,
        decision="auto",
        reason="confident",
        model_version="m1",
        why=Why.AUDIT,
        probability=0.05,
        blind=False,
        asked=asked if answered else None,
        answer=answer if answered else None,
        answered_queue="Access" if right else "Storage",
        answered_at=YESTERDAY + timedelta(seconds=number) if answered else None,
        settled=answer if answered else None,
        settled_id=number if answered else None,
        settled_queue="Access" if right else "Storage",
    )


def test_of_routes_that_staff_moved_first_as_many_count_as_audits_are_answered():
    told = [route(n) for n in range(20)]
    waiting = [route(n, answered=False) for n in range(20, 60)]
    moved = [route(n, right=False, asked=False) for n in range(60, 90)]
    found = outcomes([*told, *waiting, *moved], NOW - timedelta(days=9), NOW)
    assert (found.count(True), found.count(False)) == (20, 10)


def test_only_answers_of_the_time_count_in_their_order():
    found = [route(1, right=False), route(2), route(3)]
    since, until = (YESTERDAY + timedelta(seconds=s) for s in (2, 3))
    assert outcomes(found, since, until) == [True]
    assert outcomes(found, YESTERDAY, NOW) == [False, True, True]


@pytest.fixture
def queue_of(classifier, texts):
    [said] = classifier.classify(texts[Decision.AUTO][:1])
    return said.queue_label


async def audits(office, queue, *, right, wrong, why=Why.AUDIT, at=YESTERDAY, start=0):
    """Answered requests about routes to a queue."""
    desk, other = office.bot.desk, "Storage" if queue != "Storage" else "Access"
    for number in range(right + wrong):
        await add_ticket(
            desk.database,
            f"seed:{start + number}",
            team=office.slack.team_id,
            at=at,
            queue=queue,
            version=desk.classifier.version,
            why=why,
            answer=other if number < wrong else queue,
        )


def notices(office):
    """What the review channel was told about queues."""
    return office.cards(event="autoticket_notice")


async def changes(office):
    async with office.bot.desk.database.read() as conn:
        changes = await queue_changes.everything(conn, office.slack.team_id)
        return QueueNames().of_routing(changes)


async def state_of(office):
    message = await office.ana.say(office.help_, office.sure())
    await office.settled()
    [card] = office.slack.thread(message)
    number = card.metadata["event_payload"]["ticket"]
    history = await office.bot.desk.history(office.slack.team_id, number)
    return history.ticket.state, history.said.reason


async def test_a_queue_falls_is_offered_back_and_returns(new_office, queue_of):
    async with new_office().open() as office:
        desk = office.bot.desk
        await audits(office, queue_of, right=22, wrong=14)
        assert (await state_of(office))[0] is State.ASSIGNED

        for _ in range(2):
            await desk.check_queues(NOW)
        await office.settled()
        [told] = notices(office)
        assert told.channel == office.review.id
        assert "22 of the last 36" in told.shown
        assert (await state_of(office)) == (State.PENDING, "queue_demoted")

        later = NOW + timedelta(hours=1)
        await audits(office, queue_of, right=45, wrong=0, why=Why.DEMOTED, at=later, start=100)
        await desk.check_queues(NOW + timedelta(days=2))
        await office.settled()
        _, offer = notices(office)
        assert "45 of 45" in offer.shown
        assert (await state_of(office))[0] is State.PENDING

        await office.gus.click(offer, "queue_restore")
        assert (await changes(office))[queue_of].change is RoutingChange.OFFERED
        await office.rita.click(offer, "queue_restore")
        await office.slack.until(lambda: offer.find("queue_restore") is None)
        restored = (await changes(office))[queue_of]
        assert (restored.change, restored.by) == (RoutingChange.RESTORED, office.rita.id)
        assert (await state_of(office))[0] is State.ASSIGNED


async def test_what_another_model_did_and_what_is_of_today_says_nothing(new_office, queue_of):
    async with new_office().open() as office:
        await audits(office, queue_of, right=10, wrong=30, at=NOW + timedelta(seconds=1))
        await office.bot.desk.check_queues(NOW)
        version = "another model"
        await office.bot.desk.watch.check(
            office.slack.team_id,
            version=version,
            promise=0.95,
            review_channel=office.review.id,
            now=NOW + timedelta(days=2),
        )
        assert await changes(office) == {}
        await office.bot.desk.check_queues(NOW + timedelta(days=2))
        assert set(await changes(office)) == {queue_of}


async def test_no_evidence_demotes_nobody(new_office):
    async with new_office().open() as office:
        await office.ana.say(office.help_, office.sure())
        await office.settled()
        await office.bot.desk.check_queues(NOW + timedelta(days=2))
        assert await changes(office) == {}
        await office.settled()
        assert notices(office) == []
