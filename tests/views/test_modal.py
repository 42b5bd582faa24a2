"""slackbot.views.modal: the form and what comes back from it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.decision import Urgency
from slackbot.views import modal
from slackbot.views.modal import Submission, parse_submission, problems, ticket_modal
from tests.views.examples import texts
from tests.views.judges import accept_view


def submitted(view, **typed):
    """The view as Slack sends it back, filled with what is typed over what was there."""
    values = {}
    for block in view["blocks"]:
        name, element = block["block_id"], block["element"]
        given_text = typed.get(name, element.get("initial_value"))
        if element["type"] == "static_select":
            picked = [o for o in element["options"] if o["text"]["text"] == typed.get(name)]
            state = {"type": element["type"], "selected_option": picked[0] if picked else None}
        else:
            state = {"type": element["type"], "value": given_text}
        values[name] = {element["action_id"]: state}
    return view | {"state": {"values": values}}


@given(texts, st.none() | st.just("C1"), st.none() | st.just("https://hooks.slack.com/x"))
def test_slack_opens_every_form_and_gives_back_what_it_was_opened_with(text, channel, url):
    view = ticket_modal(text=text, channel=channel, response_url=url)
    accept_view(view, "modal")

    submission = parse_submission(submitted(view))
    assert (submission.channel, submission.response_url) == (channel, url)
    assert submission.urgency is None
    known = (submission.description or submission.summary).removesuffix("…")
    assert " ".join(text.split()).startswith(" ".join(known.split()))


def test_the_form_has_its_fixed_names():
    view = ticket_modal()

    assert view["callback_id"] == modal.CALLBACK == "ticket_modal"
    assert [block["block_id"] for block in view["blocks"]] == ["summary", "description", "urgency"]
    assert [block["optional"] for block in view["blocks"]] == [False, True, True]


@pytest.mark.parametrize(
    ("text", "summary", "description"),
    [
        ("", None, None),
        (" printer jams ", "printer jams", None),
        ("printer jams\nfloor 3", "printer jams", "printer jams\nfloor 3"),
        ("word " * 60, "word " * 29 + "word…", ("word " * 60).strip()),
    ],
)
def test_what_is_known_is_filled_in(text, summary, description):
    inputs = {b["block_id"]: b["element"] for b in ticket_modal(text=text)["blocks"]}

    assert inputs["summary"].get("initial_value") == summary
    assert inputs["description"].get("initial_value") == description


def test_what_people_fill_in_is_read():
    view = submitted(
        ticket_modal(channel="C1"),
        summary="vpn down",
        description="since noon",
        urgency="Work has stopped",
    )

    assert parse_submission(view) == Submission("vpn down", "since noon", Urgency.HIGH, "C1", None)


def test_urgency_comes_in_human_words_for_all_of_itil():
    options = ticket_modal()["blocks"][2]["element"]["options"]

    assert [Urgency(option["value"]) for option in options] == list(Urgency)
    assert not {option["text"]["text"].lower() for option in options} & set(Urgency)


@pytest.mark.parametrize("summary", ["", "  ", "\u200b", "\u2060\n\u00ad", None])
def test_a_blank_summary_is_sent_back(summary):
    submission = parse_submission(submitted(ticket_modal(), summary=summary))

    assert set(problems(submission)) == {"summary"}


def test_a_form_with_a_summary_is_good():
    assert problems(parse_submission(submitted(ticket_modal(), summary="印刷"))) == {}


def test_a_form_without_any_state_reads_as_left_out():
    assert parse_submission({}) == Submission("", "", None, None, None)
    assert json.loads(ticket_modal()["private_metadata"]) == {"channel": None, "response_url": None}
