"""The review budget: what comes first, what is drawn, and what people hear of it."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slackbot.desk import Step
from slackbot.desk.audits import AuditDraw
from slackbot.desk.budget import EXPLORATION_SHARE, draw, expected_cost, today
from slackbot.views.home import Wanted
from storage import review_requests
from storage.records import Action
from storage.review_records import Why
from tests.slackbot.waiting_tickets import SOME, waiting_tickets


def test_a_wrong_route_costs_more_the_likelier_and_the_more_urgent_it_is():
    def cost(**changes):
        return expected_cost(replace(SOME, **changes))

    assert cost(confidence=0.2) > cost(confidence=0.6)
    assert cost(priority="P2") == 2 * cost(priority="P3") == 4 * cost(priority="P4")
    assert cost(confidence=0.99, reason="unlike_training") == cost(confidence=0.0)


@given(waiting_tickets, st.none() | st.integers(40, 99))
def test_within_the_budget_the_most_urgent_come_first_then_the_oldest(tickets, left):
    whole = today(tickets, left)
    order = [(each.priority, each.ticket_id) for each in whole.order]
    assert order == sorted(order)
    assert (len(order), whole.beyond) == (len(tickets), 0)


@given(waiting_tickets, st.integers(0, 30), st.data())
def test_beyond_the_budget_nothing_is_lost_and_the_costliest_come_first(tickets, left, data):
    drawn = data.draw(st.frozensets(st.sampled_from(tickets), max_size=left)) if tickets else []
    ids = {each.ticket_id for each in drawn}
    whole = today(tickets, left, ids)
    assert sorted(whole.order, key=id) == sorted(tickets, key=id)
    assert whole.beyond == max(0, len(tickets) - left)
    if not whole.beyond:
        return
    share, rest = whole.order[:left], whole.order[left:]
    assert ids <= {each.ticket_id for each in share}
    costs = [[expected_cost(e) for e in part] for part in (share, rest)]
    assert costs == [sorted(part, reverse=True) for part in costs]
    chosen = [expected_cost(each) for each in share if each.ticket_id not in ids]
    if chosen and rest:
        assert min(chosen) >= max(expected_cost(each) for each in rest)


@given(waiting_tickets, st.integers(0, 45))
def test_the_random_share_is_drawn_from_what_would_be_left_out(tickets, left):
    drawn = draw(tickets, left, lambda each: each.ticket_id % 7, coin=0.5)
    if len(tickets) <= left or left <= 1:
        assert drawn.tickets == ()
        return
    size = len(drawn.tickets)
    assert abs(size - EXPLORATION_SHARE * left) <= 1
    sure = today(tickets, left - size).order[: left - size]
    assert not set(sure) & set(drawn.tickets)
    assert drawn.probability == size / (len(tickets) - len(sure))


def test_every_ticket_that_would_be_left_out_is_drawn_as_often_as_recorded():
    tickets = [replace(SOME, ticket_id=n, confidence=n / 30) for n in range(1, 31)]
    count, runs = Counter(), 400
    for run in range(runs):
        drawn = draw(tickets, 10, lambda each, run=run: hash((run, each.ticket_id)) % 9973, 0.0)
        count.update(each.ticket_id for each in drawn.tickets)
    assert drawn.probability == 2 / 22
    assert set(count) == set(range(9, 31))
    expected = runs * drawn.probability
    assert all(abs(n - expected) < 5 * expected**0.5 for n in count.values())


def test_a_budget_of_one_goes_to_chance_on_as_many_days_as_recorded():
    tickets = [replace(SOME, ticket_id=n, confidence=n / 5) for n in range(1, 5)]
    audits, count, days = AuditDraw(b"key", 0.0), Counter(), 2000
    for day in (date(2026, 1, 1) + timedelta(days=n) for n in range(days)):

        def chance(each, day=day):
            return audits.exploration("T", each.ticket_id, day)

        drawn = draw(tickets, 1, chance, audits.explores("T", day))
        assert drawn.probability == EXPLORATION_SHARE / 3
        count.update(each.ticket_id for each in drawn.tickets)
    assert set(count) == {2, 3, 4}  # the first is for today on every other day
    expected = days * drawn.probability
    assert all(abs(n - expected) < 4 * expected**0.5 for n in count.values())


@pytest.fixture
async def office(new_office):
    async with new_office("http", AUTOTICKET_REVIEW_BUDGET="2").open() as office:
        for number in range(5):
            await office.ana.say(office.help_, office.unsure(number))
        await office.slack.until(lambda: len(office.cards("review")) == 5, 20)
        await office.settled()
        yield office


def told(office):
    return [m for m in office.slack.messages(office.review) if "wait for a decision" in m.text]


async def test_reviewers_hear_once_a_day_how_many_wait_beyond_the_budget(office):
    now = datetime.now(UTC)
    for _ in range(3):
        await office.bot.desk.plan_reviews(now)
    await office.settled()
    assert [m.text.partition(" are set")[0] for m in told(office)] == [
        "5 tickets wait for a decision: 3 more than is left of the 2 that"
    ]
    async with office.bot.desk.database.read() as conn:
        requests = (await review_requests.latest(conn, range(1, 6))).values()
    [explored] = [each for each in requests if each.why is Why.EXPLORATION]
    assert explored.probability == 1 / 4
    page = await office.bot.desk.waiting(office.slack.team_id, Wanted())
    assert (page.total, page.beyond) == (5, 3)
    assert f"T-{explored.ticket_id}" in [card.number for card in page.cards[:2]]
    await office.rita.open_home()
    await office.slack.until(lambda: office.slack.home(office.rita))
    assert "Beyond today's budget: 3 of 5." in office.slack.home(office.rita).shown
    await office.bot.desk.plan_reviews(now + timedelta(days=1))
    await office.settled()
    assert len(told(office)) == 2


async def test_what_was_settled_today_counts_against_the_budget(office):
    desk, team = office.bot.desk, office.slack.team_id
    for number in (1, 2):
        queue = desk.classifier.queues[0]
        step = Step(f"T-{number}", Action.REASSIGN, office.rita.id, queue=queue)
        await desk.settle(team, step)
    page = await desk.waiting(team, Wanted())
    assert (page.total, page.beyond) == (3, 3)


async def test_without_a_budget_nobody_hears_of_it(office):
    desk, team = office.bot.desk, office.slack.team_id
    await desk.change_settings(
        team, replace(office.bot.settings.team, review_budget=0), seen=0, by=office.ada.id
    )
    await desk.plan_reviews(datetime.now(UTC))
    await office.settled()
    assert told(office) == []
    assert (await desk.waiting(team, Wanted())).beyond == 0
