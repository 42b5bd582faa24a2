"""slackbot.views.home: my tickets for everybody, what waits for reviewers."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.decision import Priority
from slackbot.playground import blocks as block_kit
from slackbot.playground.limits import Surface, check_view
from slackbot.stats.figures import count
from slackbot.stats.period import parse_period
from slackbot.views import stats
from slackbot.views.home import Backlog, Wanted, chosen, home, page_size
from slackbot.views.home import shown as shown_in
from slackbot.views.ids import MAX_QUEUE_NAME, MAX_QUEUES, parse_choice
from storage.audit_log import JudgedTicket
from storage.records import Action, State
from storage.review_records import Why
from tests.views.examples import PENDING, QUEUES, TICKET, queue_names, ticket_cards, tickets
from tests.views.judges import accept_view, elements, shown

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def lately(queues=()):
    """The numbers of a month with one audited ticket in each of these queues."""
    tickets = [
        JudgedTicket(
            ticket_id=number,
            created_at=NOW,
            prediction_id=number,
            queue=queue,
            confidence=0.97,
            decision="auto",
            reason="confident",
            model_version="m1",
            why=Why.AUDIT,
            probability=0.05,
            blind=False,
            asked=True,
            answer=Action.CONFIRM,
            answered_queue=queue,
            answered_at=NOW,
            settled=Action.CONFIRM,
            settled_id=number,
            settled_queue=queue,
        )
        for number, queue in enumerate(queues)
    ]
    return stats.at_home(count(tickets, [], parse_period("30d", NOW), promise=0.95, demoted=()))


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


def backlog(cards=(), *, queues=QUEUES, pages=1, found=None, total=None, **wanted):
    """A page as the desk would cut it."""
    cards = tuple(cards)[: page_size(queues)]
    found = len(cards) if found is None else found
    return Backlog(
        cards=cards,
        wanted=Wanted(**wanted),
        pages=pages,
        found=found,
        total=found if total is None else total,
        queues=tuple(queues),
    )


@settings(max_examples=15)
@given(
    st.lists(tickets(), max_size=12),
    st.none() | waiting_tickets,
    st.integers(0, 3),
    st.booleans(),
    queue_names(8),
    st.none() | st.sampled_from(Priority),
)
def test_slack_takes_every_home(mine, waiting, page, is_admin, queues, priority):
    part = None
    if waiting is not None:
        part = backlog(
            waiting, queues=queues, pages=4, page=page, queue=queues[0], priority=priority
        )
    accept_view(home(mine=mine, backlog=part, is_admin=is_admin), "home")


@pytest.mark.parametrize("count", [40, MAX_QUEUES])
def test_the_largest_home_fits(count):
    queues = tuple(f"{n:03}{'😀' * (MAX_QUEUE_NAME - 3)}" for n in range(count))
    waiting = [
        replace(PENDING, number=f"T-{2**62 + n}", text="😀" * 40_000, queues=queues)
        for n in range(9)
    ]
    part = backlog(waiting, queues=queues, queue=queues[-1], pages=9)
    view = home(
        mine=[replace(TICKET, id=n) for n in range(20)], backlog=part, numbers=lately(queues)
    )
    check_view(view, Surface.HOME)  # blockkit does not look for an option inside of groups


def test_who_may_know_sees_how_often_the_bot_is_right():
    view = home(mine=[], backlog=backlog(), numbers=lately(["Access"]))
    accept_view(view, "home")
    told = shown(view["blocks"])
    assert "Of these right (audited)" in told
    assert "*Access*: 1 filed, 1 routed alone; right: 100.0" in told
    accept_view(home(mine=[], backlog=backlog(), numbers=lately()), "home")


def test_an_employee_sees_their_tickets_and_can_file_one():
    view = home(mine=[TICKET])

    assert "*T-12*  vpn drops" in shown(view["blocks"])
    assert "Waiting for a decision" not in shown(view["blocks"])
    assert list(elements(view["blocks"])) == ["home_new_ticket"]


def test_an_admin_finds_the_settings():
    assert "home_settings" in elements(home(mine=[], is_admin=True)["blocks"])


def test_a_reviewer_decides_in_home_as_on_a_card():
    view = home(mine=[], backlog=backlog([PENDING]))
    assert list(elements(view["blocks"]))[:-1] == [
        *("home_filter_queue", "home_filter_priority"),
        *("review_confirm", "review_pick_2", "review_pick_3", "review_dismiss"),
        *("review_reassign", "review_priority", "ticket_because"),
    ]
    assert numbers(view) == ["T-12"]


def test_what_there_is_to_do_is_said():
    assert "Nothing waits for you" in shown(home(mine=[], backlog=backlog())["blocks"])
    filtered = home(mine=[], backlog=backlog(found=0, total=5, queue="Access"))
    assert "Waiting for a decision: 5" in shown(filtered["blocks"])
    assert "None like that" in shown(filtered["blocks"])
    some = home(mine=[], backlog=backlog([PENDING], found=1, total=5, queue="Hardware"))
    assert "1 of them, as filtered" in shown(some["blocks"])


def test_the_pages_are_turned_by_buttons_where_there_are_any():
    at = {page: home(mine=[], backlog=backlog([PENDING], pages=3, page=page)) for page in range(3)}
    assert pages(at[0]) == {"home_page_next": "1"}
    assert pages(at[1]) == {"home_page_previous": "0", "home_page_next": "2"}
    assert pages(at[2]) == {"home_page_previous": "1"}
    assert pages(home(mine=[], backlog=backlog([PENDING]))) == {}


def test_a_home_remembers_what_it_shows():
    wanted = Wanted(queue="Access", priority=Priority.P2, page=1)
    part = replace(backlog([PENDING], pages=2), wanted=wanted)
    view = home(mine=[], backlog=part)
    assert shown_in(view) == wanted
    picked = elements(view["blocks"])
    assert picked["home_filter_queue"]["initial_option"]["value"] == "Access"
    assert picked["home_filter_priority"]["initial_option"]["value"] == "P2"


@pytest.mark.parametrize("metadata", [None, "", "3", "{", '{"page": "x"}', '{"priority": "P9"}'])
def test_what_is_no_home_of_ours_is_shown_from_the_start(metadata):
    assert shown_in({"private_metadata": metadata}) == Wanted()


def test_filters_begin_at_the_first_page_and_pages_keep_the_filters():
    wanted = Wanted(queue="Access", page=2)
    urgent = {"action_id": "home_filter_priority", "selected_option": {"value": "P1"}}
    assert chosen(wanted, urgent) == Wanted(queue="Access", priority=Priority.P1)
    everything = {"action_id": "home_filter_queue", "selected_option": {"value": "*"}}
    assert chosen(wanted, everything) == Wanted()
    back = {"action_id": "home_page_previous", "value": "1"}
    assert chosen(wanted, back) == Wanted(queue="Access", page=1)
