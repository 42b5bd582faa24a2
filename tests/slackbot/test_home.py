"""App Home with the real bot, over real HTTP dispatch; and which part of what waits it shows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.decision import Priority
from slackbot.desk.waiting import filtered, paged
from slackbot.views.home import Wanted, page_size
from storage import waiting
from tests.slackbot.waiting_tickets import waiting_tickets


@given(waiting_tickets, st.integers(1, 300))
def test_the_pages_show_every_ticket_once(tickets, queues):
    names = [str(n) for n in range(queues)]
    _, _, pages = paged(tickets, 0, names)
    shown = [paged(tickets, page, names)[0] for page in range(pages)]
    assert [each for page in shown for each in page] == tickets
    assert all(len(page) <= page_size(names) for page in shown)
    assert paged(tickets, pages + 7, names)[1] == pages - 1


@given(waiting_tickets)
def test_filters_add_up(tickets):
    wanted = Wanted(queue="Access", priority=Priority.P1)
    left = filtered(tickets, wanted)
    assert left == [t for t in tickets if t.queue == "Access" and t.priority == "P1"]
    assert filtered(tickets, Wanted()) == tickets


def home(office, person):
    return office.slack.home(person)


async def opened(office, person):
    before = home(office, person)
    seen = before.hash if before else ""
    await person.open_home()
    await office.slack.until(lambda: home(office, person) and home(office, person).hash != seen)
    return home(office, person)


@pytest.fixture
async def office(new_office):
    async with new_office("http").open() as office:
        yield office


async def wait_for_tickets(office, count):
    for number in range(count):
        await office.ana.say(office.help_, office.unsure(number))
    await office.slack.until(lambda: len(office.cards("review")) == count)


async def test_who_has_home_open_sees_what_others_settle(office):
    await wait_for_tickets(office, 2)
    for person in (office.rita, office.rob, office.ana):
        await opened(office, person)
    assert "Waiting for a decision: 2" in home(office, office.rob).shown
    review = next(card for card in office.cards("review") if "T-1" in card.text)
    await office.rita.click(review, "review_confirm")
    for person in (office.rita, office.rob):
        await office.slack.until(lambda p=person: "decision: 1" in home(office, p).shown, 10)
    await office.slack.until(lambda: "Assigned" in home(office, office.ana).shown, 10)
    await office.slack.until(lambda: not review.find("review_confirm"), 10)


async def test_settling_in_home_settles_the_cards_and_keeps_the_filter(office):
    await wait_for_tickets(office, 3)
    view = await opened(office, office.rita)
    async with office.bot.desk.database.read() as conn:
        rows = await waiting.of_team(conn, office.slack.team_id)
    queue = rows[0].queue
    await office.rita.choose(view, "home_filter_queue", queue)
    numbers = [f"T-{row.ticket_id}" for row in rows if row.queue == queue]
    await office.slack.until(
        lambda: all((f"T-{row.ticket_id}" in view.shown) == (row.queue == queue) for row in rows)
    )
    await office.rita.click(view, "review_confirm", value=f"{numbers[0]}:")
    settled = next(c for c in office.cards("review") if f"{numbers[0]}:" in c.text)
    await office.slack.until(lambda: not settled.find("review_confirm"), 10)
    await office.slack.until(lambda: "Waiting for a decision: 2" in view.shown, 10)
    assert view.find("home_filter_queue")["initial_option"]["value"] == queue


async def test_only_who_may_change_the_settings_finds_them_in_home(office):
    assert not (await opened(office, office.rita)).find("home_settings")
    view = await opened(office, office.ada)
    await office.ada.click(view, "home_settings")
    form = office.slack.open_view
    await office.slack.until(lambda: form(office.ada) and "submit" in form(office.ada).body)


async def test_more_than_a_page_waits(office):
    await wait_for_tickets(office, 3)
    async with office.bot.desk.database.read() as conn:
        first = (await waiting.of_team(conn, office.slack.team_id))[0]
    page = await office.bot.desk.waiting(office.slack.team_id, Wanted(page=9))
    assert (page.total, page.found, page.pages, page.wanted.page) == (3, 3, 1, 0)
    only = await office.bot.desk.waiting(office.slack.team_id, Wanted(queue=first.queue))
    assert only.found == sum(card.top3[0][0] == first.queue for card in page.cards)
