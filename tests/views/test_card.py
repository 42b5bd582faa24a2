"""slackbot.views.card: what a card says and offers in every state."""

import re
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.decision import Decision, Priority, Reason
from slackbot.playground.blocks import options
from slackbot.views.card import card, moved
from slackbot.views.controls import Controls
from slackbot.views.ids import MAX_QUEUE_NAME, MAX_QUEUES, parse_choice
from storage.records import Action, Place, State
from tests.views.examples import ASSIGNED, PENDING, QUEUES, step, ticket_cards
from tests.views.judges import accept_message, elements, shown

CORRECT = {"review_reassign", "review_priority"}
DECIDE = {"review_confirm", "review_pick_2", "review_pick_3", "review_dismiss"}
REASON = {"ticket_because"}
STAFF = {
    State.PENDING: CORRECT,
    State.ASSIGNED: {"ticket_claim", "ticket_resolve"} | CORRECT,
    State.CLAIMED: {"ticket_resolve"} | CORRECT,
    State.RESOLVED: {"ticket_reopen"},
    State.DISMISSED: {"review_reassign"},
    State.WITHDRAWN: set(),
    State.SILENT: set(),
}


@settings(max_examples=40)
@given(ticket_cards(), st.sampled_from(Place), st.sampled_from(Controls), st.booleans())
def test_slack_takes_every_card(ticket, place, controls, for_reporter):
    accept_message(card(ticket, place, controls, for_reporter=for_reporter))


@settings(max_examples=30)
@given(ticket_cards(), st.sampled_from(Controls))
def test_every_value_says_ticket_and_choice(ticket, controls):
    for action_id, element in elements(card(ticket, Place.REVIEW, controls).blocks).items():
        values = [option["value"] for option in options(element)] or [element["value"]]
        choices = [parse_choice(value) for value in values]

        assert {choice.number for choice in choices} == {ticket.number}
        if action_id == "review_reassign":
            assert tuple(choice.choice for choice in choices) == ticket.queues
        elif action_id == "review_priority":
            assert [Priority(choice.choice) for choice in choices] == list(Priority)
        elif action_id == "ticket_because":
            assert choices[0].choice == "because"
        elif action_id == "review_dismiss" or action_id.startswith("ticket_"):
            assert action_id.endswith(f"_{Action(choices[0].choice)}")
        else:
            assert choices[0].choice in {*dict(ticket.top3), ticket.queue, ticket.proposed}


@pytest.mark.parametrize("state", State)
def test_the_state_says_what_can_be_done(state):
    ticket = replace(PENDING, state=state)
    offered = {
        controls: set(elements(card(ticket, Place.REVIEW, controls).blocks))
        for controls in Controls
    }

    deciding = state is State.PENDING
    assert offered[Controls.NONE] == set()
    assert offered[Controls.STAFF] == STAFF[state]
    assert offered[Controls.REVIEW] == (DECIDE | CORRECT | REASON if deciding else STAFF[state])


@pytest.mark.parametrize("state", State)
def test_the_reporter_may_withdraw_what_is_open_and_doubt_what_was_routed(state):
    ticket = replace(ASSIGNED, state=state)
    message = card(ticket, Place.THREAD, Controls.NONE, for_reporter=True)
    offered = elements(message.blocks)
    expected = {
        State.PENDING: {"ticket_withdraw"},
        State.ASSIGNED: {"ticket_wrong_queue", "ticket_withdraw"},
        State.CLAIMED: {"ticket_wrong_queue", "ticket_withdraw"},
    }
    assert offered.keys() == expected.get(state, set())
    if "ticket_wrong_queue" in offered:
        others = [option["text"]["text"] for option in offered["ticket_wrong_queue"]["options"]]
        assert others == [queue for queue in QUEUES if queue != "Hardware"]
        assert "Nobody will work on it" in offered["ticket_withdraw"]["confirm"]["text"]["text"]


def test_what_the_reporter_says_is_proposed_first():
    doubted = replace(
        ASSIGNED, state=State.PENDING, queue=None, steps=(step(Action.WRONG_QUEUE, by="U0ANA"),)
    )
    message = card(doubted, Place.REVIEW, Controls.REVIEW)
    offered = elements(message.blocks)
    assert "The reporter says: *Access*" in shown(message.blocks)
    assert offered["review_confirm"]["text"]["text"] == "Confirm Access"
    assert offered["review_pick_2"]["text"]["text"] == "Hardware"


def test_one_tap_confirms_or_takes_a_runner_up():
    offered = elements(card(PENDING, Place.REVIEW, Controls.REVIEW).blocks)

    taps = {id_: (offered[id_]["text"]["text"], offered[id_]["value"]) for id_ in DECIDE}
    assert taps == {
        "review_confirm": ("Confirm Hardware", "T-12:Hardware"),
        "review_pick_2": ("Access", "T-12:Access"),
        "review_pick_3": ("Storage", "T-12:Storage"),
        "review_dismiss": ("Not a ticket", "T-12:dismiss"),
    }
    assert "confirm" not in offered["review_dismiss"]  # one tap, no dialog
    assert offered["review_confirm"]["style"] == "primary"
    assert offered["review_dismiss"]["style"] == "danger"


def test_selects_show_the_queues_by_name_and_the_priority_in_force():
    offered = elements(card(PENDING, Place.REVIEW, Controls.REVIEW).blocks)

    queues = [option["text"]["text"] for option in offered["review_reassign"]["options"]]
    assert tuple(queues) == QUEUES
    priorities = [option["text"]["text"][:2] for option in offered["review_priority"]["options"]]
    assert priorities == ["P1", "P2", "P3", "P4", "P5"]
    assert offered["review_priority"]["initial_option"]["value"] == "T-12:P3"


@pytest.mark.parametrize(
    ("count", "missing"), [(1, {"review_pick_2", "review_pick_3"}), (2, {"review_pick_3"})]
)
def test_there_are_no_buttons_for_queues_that_do_not_exist(count, missing):
    ticket = replace(PENDING, queues=QUEUES[:count], top3=PENDING.top3[:count])

    offered = set(elements(card(ticket, Place.REVIEW, Controls.REVIEW).blocks))
    assert offered == (DECIDE | CORRECT | REASON) - missing


def test_the_largest_card_fits():
    queues = tuple(f"{n:03}{'&' * (MAX_QUEUE_NAME - 3)}" for n in range(MAX_QUEUES))
    steps = tuple(step(Action.REASSIGN, queue=queue) for queue in queues)
    ticket = replace(
        PENDING,
        number=f"T-{2**63 - 1}",
        text="&" * 40_000,
        queues=queues,
        top3=tuple((queue, 1.0) for queue in queues[:3]),
        priority_why="&" * 500,
        steps=steps,
    )
    message = card(ticket, Place.REVIEW, Controls.REVIEW)

    accept_message(message)
    assert len(options(elements(message.blocks)["review_reassign"])) == MAX_QUEUES


def test_a_select_starts_afresh_after_each_step():
    cards = [
        card(replace(ASSIGNED, steps=(step(Action.PRIORITY),) * n), Place.QUEUE, Controls.STAFF)
        for n in range(3)
    ]
    ids = [{block["block_id"] for block in c.blocks if "block_id" in block} for c in cards]

    assert all(not before & after for before, after in pairwise(ids))


@pytest.mark.parametrize("place", Place)
def test_a_card_is_found_again_by_its_metadata(place):
    assert card(PENDING, place, Controls.NONE).metadata == {
        "event_type": "autoticket_ticket",
        "event_payload": {"ticket": "T-12", "place": place.value},
    }


@pytest.mark.parametrize("reason", Reason)
def test_a_waiting_ticket_says_why_in_plain_words(reason):
    said = {
        r: shown(card(replace(PENDING, reason=r), Place.THREAD, Controls.NONE).blocks)
        for r in Reason
    }

    assert "A person will check." in said[reason]
    assert reason.value not in said[reason]
    assert [r for r in Reason if said[r] == said[reason]] == [reason]


def test_an_unsure_card_shows_the_guesses_with_aligned_bars():
    said = shown(card(PENDING, Place.THREAD, Controls.NONE).blocks)

    bars = re.findall(r"`([█░]+) (.*?)` (\w+)", said)
    assert [queue for *_, queue in bars] == ["Hardware", "Access", "Storage"]
    assert [chance for _, chance, _ in bars] == ["38 %", "31 %", "29 %"]
    assert {len(cells) for cells, *_ in bars} == {10}
    assert "*P3 Medium* · one person, work slowed" in said


def test_a_sure_card_says_where_it_went_and_how_sure_that_is():
    said = shown(card(ASSIGNED, Place.QUEUE, Controls.STAFF).blocks)

    assert "Assigned to *Hardware* automatically: almost certain, 97 %" in said
    assert "A person will check" not in said


@pytest.mark.parametrize(
    ("reason", "guess"),
    [
        (Reason.LOW_CONFIDENCE, "(almost certain, 98 %)"),
        (Reason.TOO_LITTLE_TEXT, "(98 %, not to be relied on here)"),
        (Reason.UNKNOWN_LANGUAGE, "(98 %, not to be relied on here)"),
        (Reason.UNLIKE_TRAINING, "(98 %, not to be relied on here)"),
    ],
)
def test_a_probability_that_means_nothing_is_not_called_certain(reason, guess):
    ticket = replace(PENDING, reason=reason, confidence=0.98)
    said = shown(card(ticket, Place.REVIEW, Controls.REVIEW).blocks)
    assert f"Best guess: *Hardware* {guess}" in said


@pytest.mark.parametrize(
    ("action", "state", "words"),
    [
        (Action.CONFIRM, State.ASSIGNED, "<@U0RITA> confirmed *Access*"),
        (Action.REASSIGN, State.ASSIGNED, "<@U0RITA> moved it to *Access*"),
        (Action.DISMISS, State.DISMISSED, "<@U0RITA> said that it is not a ticket"),
        (Action.PRIORITY, State.PENDING, "<@U0RITA> set the priority to *P2 High*"),
        (Action.CLAIM, State.CLAIMED, "<@U0RITA> took it on"),
        (Action.RESOLVE, State.RESOLVED, "<@U0RITA> resolved it"),
        (Action.REOPEN, State.ASSIGNED, "<@U0RITA> reopened it"),
        (Action.WITHDRAW, State.WITHDRAWN, "<@U0RITA> withdrew it"),
    ],
)
def test_a_card_tells_who_did_what_and_when(action, state, words):
    ticket = replace(PENDING, state=state, queue="Access", steps=(step(action),))
    said = shown(card(ticket, Place.REVIEW, Controls.STAFF).blocks)

    assert f"{words} · <!date^1795346040^" in said
    assert "|2026-11-22 11:14 UTC>" in said


def test_the_models_guess_is_gone_once_a_person_has_decided():
    ticket = replace(PENDING, state=State.ASSIGNED, queue="Access", steps=(step(Action.REASSIGN),))
    said = shown(card(ticket, Place.REVIEW, Controls.STAFF).blocks)

    assert "Assigned to *Access*\n" in said
    assert "Hardware" not in said
    assert "automatically" not in said


def test_a_priority_that_a_person_set_no_longer_has_the_models_reason():
    ticket = replace(PENDING, priority=Priority.P2, steps=(step(Action.PRIORITY),))
    said = shown(card(ticket, Place.REVIEW, Controls.REVIEW).blocks)

    assert "*P2 High* · set by <@U0RITA>" in said
    assert "work slowed" not in said


def test_a_long_history_shows_its_end():
    steps = tuple(step(Action.PRIORITY, by=f"U{n}", minutes=n) for n in range(9))
    said = shown(card(replace(ASSIGNED, steps=steps), Place.QUEUE, Controls.STAFF).blocks)

    assert re.findall(r"<@U(\d)> set", said) == ["5", "6", "7", "8"]
    assert "Earlier steps: 5" in said


@settings(max_examples=30)
@given(ticket_cards(states=st.just(State.WITHDRAWN)), st.sampled_from(Controls))
def test_a_withdrawn_ticket_no_longer_shows_its_text(ticket, controls):
    secret = "the text that was taken back"
    message = card(replace(ticket, text=secret, permalink=PENDING.permalink), Place.QUEUE, controls)

    assert "Withdrawn" in shown(message.blocks)
    assert secret not in message.text + shown(message.blocks)
    assert PENDING.permalink not in shown(message.blocks)


@pytest.mark.parametrize(
    ("ticket", "text"),
    [
        (PENDING, "T-12: vpn drops every 5 minutes → a person will check"),
        (ASSIGNED, "T-12: vpn drops every 5 minutes → Hardware, 97 %"),
        (replace(ASSIGNED, text=" "), "T-12 → Hardware, 97 %"),
        (
            replace(ASSIGNED, queue="Access", steps=(step(Action.REASSIGN),)),
            "T-12: vpn drops every 5 minutes → Access",
        ),
        (replace(ASSIGNED, state=State.RESOLVED), "T-12: vpn drops every 5 minutes → resolved"),
        (replace(PENDING, state=State.WITHDRAWN), "T-12 → withdrawn"),
    ],
)
def test_the_notification_says_it_in_one_line(ticket, text):
    assert card(ticket, Place.THREAD, Controls.NONE).text == text


AUDIT = DECIDE | CORRECT | REASON
HIDES = {"review_reassign", "review_dismiss"}


@pytest.mark.parametrize(
    ("controls", "state", "offered"),
    [
        (Controls.AUDIT, State.ASSIGNED, AUDIT),
        (Controls.AUDIT, State.RESOLVED, AUDIT - {"review_dismiss"}),
        (Controls.AUDIT_STAFF, State.ASSIGNED, AUDIT | {"ticket_claim", "ticket_resolve"}),
        (Controls.BLIND, State.CLAIMED, HIDES),
        (Controls.BLIND, State.RESOLVED, {"review_reassign"}),
        (Controls.BLIND_STAFF, State.CLAIMED, HIDES | {"review_priority", "ticket_resolve"}),
        (Controls.BLIND, State.DISMISSED, {"review_reassign"}),
    ],
)
def test_what_an_audit_offers(controls, state, offered):
    audited = card(replace(ASSIGNED, state=state), Place.REVIEW, controls)
    assert set(elements(audited.blocks)) == offered


def test_an_open_audit_asks_to_confirm_where_the_ticket_is():
    ticket = replace(ASSIGNED, queue="Purchase")
    asked = card(ticket, Place.REVIEW, Controls.AUDIT)
    picks = [elements(asked.blocks)[name]["value"] for name in ("review_confirm", "review_pick_2")]
    assert picks == ["T-12:Purchase", "T-12:Hardware"]
    assert "Audit" in shown(asked.blocks)


@settings(max_examples=40)
@given(
    ticket_cards(states=st.sampled_from([State.ASSIGNED, State.CLAIMED, State.RESOLVED])),
    st.sampled_from([Controls.BLIND, Controls.BLIND_STAFF]),
    st.data(),
)
def test_a_blind_audit_is_the_same_whatever_the_model_chose(ticket, controls, data):
    other = data.draw(st.sampled_from(ticket.queues))
    chances = ((other, 0.5), *ticket.top3)[:3]
    swapped = replace(ticket, queue=other, top3=chances, confidence=0.5, decision=Decision.AUTO)
    assert card(swapped, Place.REVIEW, controls) == card(ticket, Place.REVIEW, controls)
    assert str(ticket.permalink) not in str(card(ticket, Place.REVIEW, controls))


def test_long_texts_are_quoted_short():
    ticket = replace(PENDING, text="line of a pasted mail\n\n" * 2000)
    quoted = [
        line
        for line in shown(card(ticket, Place.THREAD, Controls.NONE).blocks).split("\n")
        if line[0] == ">"
    ]

    assert quoted == ["> line of a pasted mail"] * 5 + ["> …"]


@pytest.mark.parametrize("text", ["", " \n", "```"])
def test_a_ticket_without_any_text_left_has_no_quote(text):
    message = card(replace(PENDING, text=text), Place.THREAD, Controls.NONE)

    accept_message(message)
    assert ">" not in {line[:1] for line in shown(message.blocks).split("\n")}


def test_a_link_that_could_break_out_is_not_shown():
    for permalink in ("javascript:x", "https://x|<!channel>", "http://acme.slack.com/"):
        said = shown(
            card(replace(PENDING, permalink=permalink), Place.THREAD, Controls.NONE).blocks
        )
        assert "See the message" in said
        assert permalink not in said


def test_a_stub_tells_where_the_ticket_went():
    message = moved(PENDING, "Access & more")

    accept_message(message)
    assert message.text == "T-12 moved to *Access &amp; more*"
    assert message.metadata == {
        "event_type": "autoticket_moved",
        "event_payload": {"ticket": "T-12"},
    }
