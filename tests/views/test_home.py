"""slackbot.views.home: my tickets for everybody, what waits for reviewers."""

import re
from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from core.decision import Priority
from slackbot.playground import blocks as block_kit
from slackbot.views.home import home, shown_page
from slackbot.views.ids import MAX_QUEUE_NAME, parse_choice
from storage.records import State
from tests.views.examples import FILED, PENDING, TICKET, ticket_cards, tickets
from tests.views.judges import accept_view, shown

waiting_tickets = st.lists(
    ticket_cards(st.just(State.PENDING), most_queues=8), max_size=9, unique_by=lambda t: t.number
)


def numbers(view):
    """The tickets that can be confirmed, from top to bottom."""
    found = [e for _, e in block_kit.elements(view["blocks"]) if e["action_id"] == "review_confirm"]
    return [parse_choice(element["value"]).number for element in found]


def pages(view):
    return {
        element["action_id"]: element["value"]
        for _, element in block_kit.elements(view["blocks"])
        if element["action_id"].startswith("home_page_")
    }


@settings(max_examples=15)
@given(st.lists(tickets(), max_size=12), st.none() | waiting_tickets, st.integers(0, 3))
def test_slack_takes_every_home(mine, waiting, page):
    accept_view(home(mine=mine, waiting=waiting, page=page), "home")


def test_the_largest_home_fits():
    queues = tuple(f"{n:03}{'😀' * (MAX_QUEUE_NAME - 3)}" for n in range(40))
    waiting = [
        replace(PENDING, number=f"T-{2**62 + n}", text="😀" * 40_000, queues=queues)
        for n in range(9)
    ]

    accept_view(home(mine=[replace(TICKET, id=n) for n in range(20)], waiting=waiting), "home")


def test_an_employee_sees_their_tickets_and_can_file_one():
    view = home(mine=[TICKET])

    assert "*T-12*  vpn drops" in shown(view["blocks"])
    assert "Waiting for a decision" not in shown(view["blocks"])
    assert [e["action_id"] for _, e in block_kit.elements(view["blocks"])] == ["home_new_ticket"]


def test_a_reviewer_sees_the_most_urgent_first_then_the_oldest():
    waiting = [
        replace(PENDING, number="T-1", priority=Priority.P3, created_at=FILED),
        replace(PENDING, number="T-2", priority=Priority.P1, created_at=FILED + timedelta(hours=1)),
        replace(PENDING, number="T-3", priority=Priority.P1, created_at=FILED),
    ]
    view = home(mine=[], waiting=waiting)

    assert numbers(view) == ["T-3", "T-2", "T-1"]
    assert "Waiting for a decision: 3" in shown(view["blocks"])


def test_a_reviewer_decides_in_home_as_on_a_card():
    ids = [
        e["action_id"] for _, e in block_kit.elements(home(mine=[], waiting=[PENDING])["blocks"])
    ]

    assert ids[:-1] == [
        *("review_confirm", "review_pick_2", "review_pick_3", "review_dismiss"),
        *("review_reassign", "review_priority"),
    ]


def test_nothing_waits_is_said():
    assert "Nothing waits for you" in shown(home(mine=[], waiting=[])["blocks"])


def test_turning_the_pages_shows_every_ticket_once():
    waiting = [
        replace(PENDING, number=f"T-{n}", created_at=FILED + timedelta(n)) for n in range(1, 24)
    ]
    view, seen = home(mine=[], waiting=waiting), []
    assert "home_page_previous" not in pages(view)
    while True:
        seen += numbers(view)
        if "home_page_next" not in pages(view):
            break
        page = int(pages(view)["home_page_next"])
        view = home(mine=[], waiting=waiting, page=page)
        assert shown_page(view) == page
        assert int(pages(view)["home_page_previous"]) == page - 1

    assert seen == [f"T-{n}" for n in range(1, 24)]


def test_a_page_that_is_gone_shows_the_last_one():
    waiting = [
        replace(PENDING, number=f"T-{n}", created_at=FILED + timedelta(n)) for n in range(1, 9)
    ]
    view = home(mine=[], waiting=waiting, page=7)

    assert numbers(view) == ["T-7", "T-8"]
    assert shown_page(view) == 1
    assert re.search("Page 2 of 2", shown(view["blocks"]))


def test_the_page_of_another_view_is_the_first():
    assert shown_page({}) == 0
    assert shown_page({"private_metadata": '{"channel": "C1"}'}) == 0
