"""slackbot.views.answers: every sentence that one person is told."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.because import Moved
from core.decision import Decision, Priority, Reason
from slackbot.views import answers
from slackbot.views.ticket import Judgement
from storage.records import Action, Review, State
from tests.views.examples import (
    ASSIGNED,
    FILED,
    TICKET,
    hostile_texts,
    step,
    ticket_cards,
    tickets,
)
from tests.views.judges import accept_message, shown

REVIEW = Review(
    id=1,
    team="T1",
    ticket_id=12,
    reviewer="U0RITA",
    action=Action.REASSIGN,
    queue_before=None,
    queue_after="Access",
    priority_before="P3",
    priority_after="P3",
    created_at=FILED + timedelta(minutes=5),
)


@settings(max_examples=30)
@given(ticket_cards())
def test_slack_takes_every_status(ticket):
    accept_message(answers.status(ticket))


@settings(max_examples=20)
@given(st.lists(tickets(), max_size=25))
def test_slack_takes_every_list(rows):
    message = answers.ticket_list(rows)

    accept_message(message)
    assert set(re.findall(r"\*(T-\d+)\*", shown(message.blocks))) == {t.number for t in rows[:20]}


@given(tickets(), st.sampled_from(Action), hostile_texts)
def test_slack_takes_every_answer_about_anything(ticket, action, text):
    review = replace(REVIEW, action=action, reviewer=text, queue_after=ticket.queue)
    told = Action.CLAIM if action is Action.PRIORITY else action
    for message in (
        answers.notice(ticket, told, by=text),
        answers.already_settled(ticket, review),
        answers.already_settled(ticket, None),
        answers.unknown_ticket(text),
        answers.unknown_queue(text),
        answers.already_filed(ticket.number),
    ):
        accept_message(message)


@pytest.mark.parametrize(
    "message",
    [
        answers.help_text("sos"),
        answers.status_usage(),
        answers.ticket_list([]),
        answers.blank_hint(),
        answers.not_a_reviewer(any_set=True),
        answers.not_a_reviewer(any_set=False),
        answers.reviewer_unknown(),
        answers.stale_card(),
        answers.not_recorded(),
        answers.failed("ab12cd34"),
        answers.nothing_to_file(),
    ],
)
def test_slack_takes_every_fixed_answer(message):
    accept_message(message)


def test_help_names_every_command_and_the_reaction():
    said = shown(answers.help_text("sos").blocks)

    for command in ("/ticket ", "/ticket` ", "/ticket status T-12", "/ticket list", "/ticket help"):
        assert f"`{command}" in said
    assert ":sos:" in said


def test_status_shows_what_the_model_said_and_all_that_people_did():
    steps = tuple(step(Action.PRIORITY, by=f"U{n}", minutes=n) for n in range(25))
    ticket = replace(ASSIGNED, queue="Access", steps=(*steps, step(Action.REASSIGN)))
    model = Judgement(
        at=ticket.created_at,
        queue="Hardware",
        confidence=0.97,
        decision=Decision.AUTO,
        reason=Reason.CONFIDENT,
        priority=Priority.P3,
        language="en",
        model_version="2026.11.22-ab12cd34",
    )
    message = answers.status(replace(ticket, judgements=(model,)))
    said = shown(message.blocks)

    assert re.findall(r"<@U(\d+)> set", said) == [str(n) for n in range(25)]
    assert "<@U0RITA> moved it to *Access*" in said
    assert "Model 2026.11.22-ab12cd34: *Hardware* (97 %), P3 Medium, language en." in said
    assert said.count("The bot routed it.") == said.count("2026.11.22-ab12cd34") == 1
    assert message.metadata is None  # an answer must never be taken for the ticket's card


def test_the_list_shows_state_text_queue_and_date():
    rows = [
        TICKET,
        replace(TICKET, id=13, state=State.PENDING, queue=None, text="laptop\nslow"),
        replace(TICKET, id=14, state=State.WITHDRAWN, text="taken back"),
    ]
    said = shown(answers.ticket_list(rows).blocks)

    assert "📥 *T-12*  vpn drops every 5 minutes\nAssigned · *Hardware* · <!date^" in said
    assert "⏳ *T-13*  laptop slow\nWaiting for a person · <!date^" in said
    assert "*T-14*" in said
    assert "taken back" not in said


def test_an_empty_list_says_how_to_file():
    assert "`/ticket " in answers.ticket_list([]).text


def test_the_loser_of_a_race_hears_who_was_first_and_when():
    text = answers.already_settled(TICKET, REVIEW).text

    assert text.startswith("T-12 is already settled: <@U0RITA> moved it to *Access* · <!date^")
    assert answers.already_settled(TICKET, None).text == "T-12 has changed: assigned."


def test_what_waits_again_is_not_called_settled():
    doubt = replace(REVIEW, action=Action.WRONG_QUEUE, reviewer="U0ANA")
    text = answers.already_settled(replace(TICKET, state=State.PENDING, queue=None), doubt).text

    assert text.startswith("T-12 has changed: <@U0ANA> says that it belongs to *Access* · <!date^")


def test_one_ticket_beyond_the_budget_is_not_several():
    assert answers.beyond_budget(1, 1, 5).text.startswith("1 ticket waits for a decision: 1 more")
    assert answers.beyond_budget(9, 4, 5).text.startswith("9 tickets wait for a decision: 4 more")


def test_an_unknown_ticket_is_named_as_it_was_typed():
    assert "T-9999" in answers.unknown_ticket("T-9999").text
    assert "<!channel>" not in answers.unknown_ticket("<!channel>").text


def test_the_error_id_is_told():
    assert "`ab12cd34`" in answers.failed("ab12cd34").text


def test_a_missing_setting_is_named_when_nobody_may_review():
    assert "AUTOTICKET_REVIEWERS" in answers.not_a_reviewer(any_set=False).text
    assert "AUTOTICKET_REVIEWERS" not in answers.not_a_reviewer(any_set=True).text


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (Action.CONFIRM, "T-12 is with *Hardware*."),
        (Action.REASSIGN, "T-12 is with *Hardware* now."),
        (Action.DISMISS, "<@U0RITA> says that T-12 is not a ticket."),
        (Action.CLAIM, "<@U0RITA> is working on T-12."),
        (Action.RESOLVE, "<@U0RITA> has resolved T-12."),
        (Action.REOPEN, "<@U0RITA> has reopened T-12; it is with *Hardware*."),
        (Action.WITHDRAW, "T-12 is withdrawn; nobody will work on it."),
        (Action.WRONG_QUEUE, "Thank you. A person will look where T-12 belongs."),
    ],
)
def test_the_reporter_hears_what_was_done(action, words):
    message = answers.notice(TICKET, action, by="U0RITA")

    assert message.text.startswith(words)
    assert (TICKET.text in shown(message.blocks)) == (action is not Action.WITHDRAW)


def test_a_notice_without_any_text_left_says_the_same():
    for text in ("", " ", "```"):
        message = answers.notice(replace(TICKET, text=text), Action.CLAIM, by="U0RITA")
        accept_message(message)
        assert message.text == "<@U0RITA> is working on T-12."


def test_the_words_behind_a_choice_are_escaped_and_counted_in_points():
    moved = (Moved("<!channel>", 0.312), Moved("x" * 500, -0.05))
    message = answers.because("T-12", "Hardware", moved)
    accept_message(message)
    assert "<!channel>" not in message.text
    assert "&lt;!channel&gt;* +31" in message.text
    assert message.text.endswith("* -5")
    assert "x" * 60 not in message.text
    assert "No single word" in answers.because("T-12", "Hardware", ()).text
