"""The state machine of tickets, against a model of it, on a real record; and its races."""

import asyncio
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.decision import Priority
from slackbot.desk.settle import settle
from slackbot.desk.show import Cause
from slackbot.desk.steps import BY_REPORTER, Step
from slackbot.errors import AutoTicketError
from slackbot.team_settings import TeamSettings
from storage import forget, reviews, tickets
from storage.database import Database
from storage.records import Action, State
from tests.storage.examples import TEAM, file_ticket, predict

QUEUES = ("Hardware", "Access", "Storage")
SETTINGS = TeamSettings(review_channel="CR", queue_channels={"Hardware": "CH"})
PEOPLE = ("U1", "URITA")  # U1 reports

NEXT = {
    (State.PENDING, Action.CONFIRM): State.ASSIGNED,
    (State.PENDING, Action.REASSIGN): State.ASSIGNED,
    (State.PENDING, Action.DISMISS): State.DISMISSED,
    (State.PENDING, Action.PRIORITY): State.PENDING,
    (State.PENDING, Action.WITHDRAW): State.WITHDRAWN,
    (State.ASSIGNED, Action.REASSIGN): State.ASSIGNED,
    (State.ASSIGNED, Action.PRIORITY): State.ASSIGNED,
    (State.ASSIGNED, Action.CLAIM): State.CLAIMED,
    (State.ASSIGNED, Action.RESOLVE): State.RESOLVED,
    (State.ASSIGNED, Action.WITHDRAW): State.WITHDRAWN,
    (State.ASSIGNED, Action.WRONG_QUEUE): State.PENDING,
    (State.CLAIMED, Action.REASSIGN): State.ASSIGNED,
    (State.CLAIMED, Action.PRIORITY): State.CLAIMED,
    (State.CLAIMED, Action.RESOLVE): State.RESOLVED,
    (State.CLAIMED, Action.WITHDRAW): State.WITHDRAWN,
    (State.CLAIMED, Action.WRONG_QUEUE): State.PENDING,
    (State.RESOLVED, Action.REOPEN): State.ASSIGNED,
    (State.DISMISSED, Action.REASSIGN): State.ASSIGNED,
}
"""Every step that leads on; all others change nothing."""

_WITH_QUEUE = (Action.CONFIRM, Action.REASSIGN, Action.WRONG_QUEUE)


@st.composite
def steps(draw):
    action = draw(st.sampled_from(Action))
    return Step(
        number="?",
        action=action,
        user=draw(st.sampled_from(PEOPLE)),
        queue=draw(st.sampled_from(QUEUES)) if action in _WITH_QUEUE else None,
        priority=draw(st.sampled_from(Priority)) if action is Action.PRIORITY else None,
    )


def expected(state, queue, step):
    """Where the step leads, and the queue then; None when it leads nowhere."""
    if step.action in BY_REPORTER and step.user != "U1":
        return None
    action = step.action
    if state is State.PENDING and action in (Action.CONFIRM, Action.REASSIGN):
        action = Action.CONFIRM
    following = NEXT.get((state, action))
    there = action in (Action.REASSIGN, Action.WRONG_QUEUE) and step.queue == queue
    if following is None or (there and state in (State.ASSIGNED, State.CLAIMED)):
        return None
    if action is Action.WRONG_QUEUE:
        return following, None
    return following, step.queue or queue


class Record:
    """A database in a thread of control of its own, for tests that are not async."""

    def __init__(self, runner, database):
        self.runner, self.database, self.count = runner, database, 0

    def file(self):
        async def create():
            async with self.database.write() as conn:
                self.count += 1
                ticket = await file_ticket(conn, f"C1:{self.count}", reporter="U1")
                await predict(conn, ticket.id, queue="Hardware")
                return ticket

        return self.runner.run(create())

    async def step(self, ticket, step):
        wanted = Step(ticket.number, step.action, step.user, step.queue, step.priority)
        async with self.database.write() as conn:
            return await settle(
                conn,
                TEAM,
                wanted,
                queues=QUEUES,
                settings=SETTINGS,
                cause=Cause("c", datetime.now(UTC)),
            )

    async def told(self, ticket, step):
        """Whether the step was taken."""
        try:
            await self.step(ticket, step)
        except AutoTicketError:
            return False
        return True

    def now(self, ticket):
        async def read():
            async with self.database.read() as conn:
                done = await reviews.of_tickets(conn, [ticket.id])
                return await tickets.get(conn, TEAM, ticket.id), done

        return self.runner.run(read())


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    folder = tmp_path_factory.mktemp("settle")
    with asyncio.Runner() as runner:
        database = runner.run(Database.open(f"sqlite:///{folder / 'record.db'}"))
        yield Record(runner, database)
        runner.run(database.close())


@settings(max_examples=25)
@given(wanted=st.lists(steps(), max_size=8))
def test_every_step_leads_where_the_table_says_and_is_recorded_once(record, wanted):
    ticket = record.file()
    state, queue, taken = State.PENDING, None, []
    for step in wanted:
        leads = expected(state, queue, step)
        assert record.runner.run(record.told(ticket, step)) == (leads is not None)
        if leads is not None:
            state, queue = leads
            taken.append(step)
    after, done = record.now(ticket)
    assert (after.state, after.queue) == (state, queue)
    assert [review.reviewer for review in done] == [step.user for step in taken]
    assert after.version == 1 + len(taken)


@settings(max_examples=15)
@given(first=steps(), second=steps())
def test_of_two_steps_at_once_both_fit_one_after_the_other_or_one_loses(record, first, second):
    ticket = record.file()
    record.runner.run(record.told(ticket, Step("?", Action.CONFIRM, "URITA", "Hardware")))

    async def both():
        return await asyncio.gather(record.told(ticket, first), record.told(ticket, second))

    took = record.runner.run(both())
    after, done = record.now(ticket)
    orders = []
    for order in ((first, second), (second, first)):
        state, queue, outcome = State.ASSIGNED, "Hardware", []
        for step in order:
            leads = expected(state, queue, step)
            outcome.append(leads is not None)
            state, queue = leads or (state, queue)
        told = outcome if order[0] is first else outcome[::-1]
        orders.append((told, state, queue))
    assert (took, after.state, after.queue) in orders
    assert len(done) == 1 + sum(took)


# What people see ------------------------------------------------------------------------------


@pytest.fixture
async def office(new_office):
    async with new_office("http").open() as office:
        yield office


async def state_of(office, number="T-1"):
    return (await office.bot.desk.history(office.slack.team_id, number)).ticket


async def test_the_reporter_says_wrong_queue_and_reviewers_see_the_pick(office):
    await office.ana.say(office.help_, office.sure())
    own, queue = await office.card("thread"), await office.card("queue")
    before = (await state_of(office)).queue
    pick = next(q for q in office.bot.desk.classifier.queues if q != before)
    await office.ana.choose(own, "ticket_wrong_queue", pick)
    await office.settled()
    ticket = await state_of(office)
    assert (ticket.state, ticket.queue) == (State.PENDING, None)
    asking = [c for c in (queue, *office.cards("review")) if c.find("review_confirm")]
    [card] = asking
    assert f"The reporter says: *{pick}*" in card.shown
    assert card.find("review_confirm")["value"] == f"T-1:{pick}"
    await office.rita.click(card, "review_confirm")
    await office.settled()
    ticket = await state_of(office)
    assert (ticket.state, ticket.queue) == (State.ASSIGNED, pick)
    answer = await office.ana.command("/ticket", "status T-1", channel=office.random)
    for part in (f"says that it belongs to *{pick}*", f"moved it to *{pick}*", before):
        assert part in answer.shown


async def test_the_reporter_withdraws_and_every_card_says_so(office):
    await office.ana.command("/ticket", office.unsure(), channel=office.random)
    own, review = await office.card("thread"), await office.card("review")
    await office.ana.click(own, "ticket_withdraw")
    for card in (own, review):
        await office.slack.until(lambda c=card: "Withdrawn" in c.shown, 10)
        assert not card.find("ticket_withdraw")
        assert not card.find("review_confirm")
    await office.settled()
    assert "is withdrawn" in office.slack.dm(office.ana)[-1].text
    assert (await state_of(office)).state is State.WITHDRAWN


@pytest.mark.parametrize("person", ["ben", "rita", "gus"])
async def test_nobody_else_does_what_only_the_reporter_may(office, person):
    await office.ana.say(office.help_, office.sure())
    own = await office.card("thread")
    other = office.people[person]
    await other.click(own, "ticket_withdraw")
    await office.slack.until(lambda: office.slack.ephemerals(other))
    assert "Only who reported" in office.slack.ephemerals(other)[0].text
    assert (await state_of(office)).state is State.ASSIGNED


async def test_a_withdrawal_and_a_decision_at_once_have_one_winner(office):
    await office.ana.command("/ticket", office.unsure(), channel=office.random)
    own, review = await office.card("thread"), await office.card("review")
    await asyncio.gather(
        office.ana.click(own, "ticket_withdraw"), office.rita.click(review, "review_dismiss")
    )
    await office.settled()
    history = await office.bot.desk.history(office.slack.team_id, "T-1")
    assert len(history.steps) == 1
    loser = office.rita if history.steps[0].action is Action.WITHDRAW else office.ana
    assert "already settled" in office.slack.ephemerals(loser)[-1].text


async def test_the_reporter_hears_of_claim_resolve_and_reopen(office):
    await office.ana.command("/ticket", office.unsure(), channel=office.random)
    review = await office.card("review")
    for action in ("review_confirm", "ticket_claim", "ticket_resolve", "ticket_reopen"):
        await office.settled()
        await office.rita.click(next(c for c in office.cards() if c.find(action)), action)
    await office.settled()
    told = [message.text for message in office.slack.dm(office.ana)]
    for part in ("is with", "is working on", "has resolved", "has reopened"):
        assert any(part in text for text in told), (part, told)
    assert not review.find("review_confirm")


async def test_a_queue_that_is_gone_cannot_be_proposed(office):
    await office.ana.say(office.help_, office.sure())
    own = await office.card("thread")
    menu = own.find("ticket_wrong_queue")
    menu["options"][0]["value"] = "T-1:Renamed"
    await office.ana.choose(own, "ticket_wrong_queue", menu["options"][0]["text"]["text"])
    await office.slack.until(lambda: office.slack.ephemerals(office.ana))
    assert "There is no queue *Renamed* any more" in office.slack.ephemerals(office.ana)[0].text
    assert (await state_of(office)).state is State.ASSIGNED


async def test_who_moves_a_ticket_to_where_it_is_hears_that_it_is_there(office):
    await office.ana.say(office.help_, office.sure())
    queue, there = await office.card("queue"), (await state_of(office)).queue
    await office.rita.choose(queue, "review_reassign", there)
    await office.rita.click(queue, "ticket_claim")
    await office.settled()
    await office.rita.choose(queue, "review_reassign", there)
    await office.slack.until(lambda: len(office.slack.ephemerals(office.rita)) == 2)
    said = {message.text for message in office.slack.ephemerals(office.rita)}
    assert said == {f"T-1 is with *{there}* already."}
    assert (await state_of(office)).state is State.CLAIMED


async def test_a_forgotten_ticket_can_be_closed_and_nothing_else(office):
    await office.ana.say(office.help_, office.unsure())
    review = await office.card("review")
    async with office.bot.desk.database.write() as conn:
        await forget.ticket(conn, team=office.slack.team_id, ticket_id=1)
    await office.rita.click(review, "review_confirm")
    await office.slack.until(lambda: office.slack.ephemerals(office.rita))
    assert "was erased" in office.slack.ephemerals(office.rita)[0].text
    assert (await state_of(office)).state is State.PENDING
    await office.rita.click(review, "review_dismiss")
    await office.settled()
    assert (await state_of(office)).state is State.DISMISSED
    assert office.unsure()[:20] not in review.shown


async def test_a_click_on_a_card_of_a_ticket_that_is_not_there_is_answered(office):
    await office.ana.say(office.help_, office.unsure())
    review = await office.card("review")
    button = review.find("review_confirm")
    button["value"] = button["value"].replace("T-1:", "T-77:")
    await office.rita.click(review, "review_confirm")
    await office.slack.until(lambda: office.slack.ephemerals(office.rita))
    assert "I know no ticket T-77" in office.slack.ephemerals(office.rita)[0].text
    assert (await state_of(office)).state is State.PENDING


async def test_the_history_tells_every_judgement_and_every_step(office):
    message = await office.ana.say(office.help_, office.unsure())
    await office.card("review")
    await office.settled()
    await office.ana.edit(message, office.unsure(1))
    await office.settled()
    review = await office.card("review")
    await office.rita.choose(review, "review_priority", "P1")
    await office.settled()
    await office.rob.click(office.cards("review")[0], "review_confirm")
    await office.settled()
    answer = await office.ana.command("/ticket", "status T-1", channel=office.random)
    lines = answer.shown
    version = office.bot.desk.classifier.version
    assert lines.count(version) == lines.count(f"Model {version}: ") == 2
    assert lines.count(". The bot asked a person.") == 2
    assert f"<@{office.rita.id}> set the priority" in lines
    assert f"<@{office.rob.id}> confirmed" in lines
    assert lines.index("set the priority") < lines.index("confirmed")
