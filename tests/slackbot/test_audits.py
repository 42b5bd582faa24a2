"""Audits: automatic routes put to a reviewer at random, open or blind, answered once."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from slackbot.desk import audits
from slackbot.desk.audits import AuditDraw
from storage import audit_log, review_requests
from storage.records import Action, State
from storage.review_records import Why
from storage.schema import review_answers
from storage.schema import review_requests as requests_table

OPEN, BLIND = 0.0, 1.0
QUEUES = ("Access", "Administrative rights", "HR Support", "Hardware", "Internal Project")
QUEUES += ("Miscellaneous", "Purchase", "Storage")


@pytest.fixture
def blindness(monkeypatch):
    return lambda share: monkeypatch.setattr(audits, "BLIND_SHARE", share)


@pytest.fixture
def audited_office(new_office, blindness):
    """An office in which every automatic route is audited."""

    def make(share, **env):
        blindness(share)
        return new_office(AUTOTICKET_AUDIT_RATE="1", **env)

    return make


async def sure_ticket(office):
    """A ticket that was routed by the bot, with its audit card."""
    message = await office.ana.say(office.help_, office.sure())
    card = await office.card("review")
    await office.settled()
    return message, card


async def history(office):
    return await office.bot.desk.history(office.slack.team_id, "T-1")


async def answers(office):
    async with office.bot.desk.database.read() as conn:
        rows = await conn.execute(sa.select(review_answers.c.asked))
        return rows.scalars().all()


def queue_of(office):
    [said] = office.bot.desk.classifier.classify([office.sure()])
    return said.queue_label


def another_queue(office):
    return next(q for q in office.bot.desk.classifier.queues if q != queue_of(office))


@given(st.integers(0, 2**32), st.floats(0.02, 0.98))
def test_the_draw_keeps_its_rate_and_repeats_itself(seed, rate):
    draw = AuditDraw(seed.to_bytes(8), rate)
    taken = [draw.takes("T1", f"message:C1:{n}") for n in range(600)]
    assert taken == [draw.takes("T1", f"message:C1:{n}") for n in range(600)]
    assert abs(sum(taken) / 600 - rate) < 6 * (rate * (1 - rate) / 600) ** 0.5
    blind = [draw.blinds("T1", f"message:C1:{n}") for n in range(600)]
    assert abs(sum(blind) / 600 - audits.BLIND_SHARE) < 0.13
    assert [draw.takes("T2", f"message:C1:{n}") for n in range(600)] != taken


async def test_an_audited_ticket_is_assigned_and_asked_about(audited_office):
    async with audited_office(OPEN).open() as office:
        _, card = await sure_ticket(office)
        assert card.channel == office.review.id
        assert "Audit" in card.shown
        assert queue_of(office) in card.shown
        assert len(office.cards("review")) == 1
        found = await history(office)
        assert (found.ticket.state, found.ticket.queue) == (State.ASSIGNED, queue_of(office))
        async with office.bot.desk.database.read() as conn:
            request = (await review_requests.latest(conn, [1]))[1]
        assert (request.why, request.probability) == (Why.AUDIT, 1.0)


async def test_an_audit_that_agrees_changes_nothing_and_tells_nobody(audited_office):
    async with audited_office(OPEN).open() as office:
        message, card = await sure_ticket(office)
        said_before = len(office.slack.thread(message))
        await office.rita.click(card, "review_confirm")
        await office.settled()
        assert len(office.slack.thread(message)) == said_before
        found = await history(office)
        assert found.ticket.state is State.ASSIGNED
        assert [step.action for step in found.steps] == [Action.CONFIRM]
        assert card.find("review_confirm") is None
        await office.rob.click(card, "ticket_claim")
        await office.settled()
        assert await answers(office) == [True]


async def test_an_audit_that_contradicts_moves_the_ticket_and_tells_the_reporter(audited_office):
    async with audited_office(BLIND).open() as office:
        message, card = await sure_ticket(office)
        said_before = len(office.slack.thread(message))
        await office.rita.choose(card, "review_reassign", another_queue(office))
        await office.settled()
        found = await history(office)
        assert (found.ticket.state, found.ticket.queue) == (State.ASSIGNED, another_queue(office))
        assert len(office.slack.thread(message)) == said_before + 1
        assert another_queue(office) in card.shown


async def test_a_blind_card_tells_nothing_until_it_is_answered(audited_office):
    async with audited_office(BLIND, AUTOTICKET_QUEUE_CHANNELS="").open() as office:
        message, card = await sure_ticket(office)
        # Without a channel of its own the queue's card would stand beside it, and tell.
        assert [c for c in office.cards() if c.channel == office.review.id] == [card]
        assert queue_of(office) not in card.text + card.shown
        assert f"p{message.ts.replace('.', '')}" not in str(card.blocks)
        assert card.find("review_confirm") is None
        await office.rob.click(card, "ticket_claim")
        await office.settled()
        assert queue_of(office) not in card.text + card.shown
        await office.rita.choose(card, "review_reassign", queue_of(office))
        await office.settled()
        found = await history(office)
        assert found.steps[-1].action is Action.CONFIRM
        assert found.ticket.state is State.CLAIMED
        assert queue_of(office) in card.shown
        assert await answers(office) == [True]


async def test_only_the_first_of_racing_auditors_counts(audited_office):
    async with audited_office(OPEN).open() as office:
        _, card = await sure_ticket(office)
        await asyncio.gather(
            office.rita.click(card, "review_confirm"),
            office.rob.click(card, "review_pick_2"),
            office.rob.click(card, "review_dismiss"),
        )
        await office.settled()
        assert len((await history(office)).steps) == 1
        assert await answers(office) == [True]


async def test_staff_who_move_the_ticket_first_end_the_audit(audited_office):
    office = audited_office(BLIND)
    office.env["AUTOTICKET_QUEUE_CHANNELS"] = ",".join(
        f"{queue}={office.hardware.id}" for queue in QUEUES
    )
    async with office.open():
        _, card = await sure_ticket(office)
        queue_card = await office.card("queue")
        await office.rob.choose(queue_card, "review_reassign", another_queue(office))
        await office.settled()
        assert await answers(office) == [False]
        assert "Audit" not in card.shown
        await office.rita.click(card, "ticket_claim")
        await office.settled()
        assert [step.action for step in (await history(office)).steps] == ["reassign", "claim"]


async def test_a_resolved_ticket_is_corrected_and_stays_resolved(audited_office):
    async with audited_office(BLIND, AUTOTICKET_QUEUE_CHANNELS="").open() as office:
        _, card = await sure_ticket(office)
        await office.rob.click(card, "ticket_resolve")
        await office.settled()
        assert card.find("review_dismiss") is None
        await office.rita.choose(card, "review_reassign", another_queue(office))
        await office.settled()
        found = await history(office)
        assert (found.ticket.state, found.ticket.queue) == (State.RESOLVED, another_queue(office))


async def test_an_answered_audit_counts_whatever_the_reporter_says_later(audited_office):
    async with audited_office(OPEN).open() as office:
        _, card = await sure_ticket(office)
        await office.rita.click(card, "review_confirm")
        await office.settled()
        own = await office.card("thread")
        await office.ana.choose(own, "ticket_wrong_queue", another_queue(office))
        await office.settled()
        now = datetime.now(UTC)
        async with office.bot.desk.database.read() as conn:
            [ticket] = await audit_log.judged(conn, office.slack.team_id, now - timedelta(1), now)
        assert (ticket.why, ticket.answer) == (Why.AUDIT, Action.CONFIRM)


async def test_guests_answer_no_audit(audited_office):
    async with audited_office(OPEN).open() as office:
        _, card = await sure_ticket(office)
        await office.gus.click(card, "review_confirm")
        await office.settled()
        assert not (await history(office)).steps


async def test_without_a_review_channel_nothing_is_audited(audited_office):
    async with audited_office(OPEN, AUTOTICKET_REVIEW_CHANNEL="").open() as office:
        await office.ana.say(office.help_, office.sure())
        await office.card("thread")
        await office.settled()
        async with office.bot.desk.database.read() as conn:
            assert not (await conn.execute(sa.select(requests_table))).all()


async def test_an_edit_keeps_the_draw_and_the_unsure_one_is_noted_with_certainty(audited_office):
    async with audited_office(BLIND).open() as office:
        message, card = await sure_ticket(office)
        await office.ana.edit(message, office.unsure())
        await office.settled()
        assert card.find("review_confirm") is not None
        await office.ana.edit(message, office.sure(1))
        await office.settled()
        async with office.bot.desk.database.read() as conn:
            rows = await conn.execute(sa.select(requests_table).order_by(requests_table.c.id))
            asked = [(row.why, row.probability, row.blind) for row in rows]
        # Once the card has shown a guess, no later audit of the ticket can be blind.
        assert asked == [
            (Why.AUDIT, 1.0, True),
            (Why.UNSURE, 1.0, False),
            (Why.AUDIT, 1.0, False),
        ]
        assert len(office.cards("review")) == 1
