"""Every limit of the tables: at the limit it passes, one further it is named."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slackbot.playground.errors import ApiError
from slackbot.playground.limits import (
    Surface,
    check_message_blocks,
    check_metadata,
    check_view,
)
from tests.playground.kit import actions, button, field, menu, modal, section


def plain(length):
    return {"type": "plain_text", "text": "x" * length}


def mrkdwn(length):
    return {"type": "mrkdwn", "text": "x" * length}


def option(text=1, value=1):
    return {"text": plain(text), "value": "v" * value}


def select(**more):
    return {"type": "static_select", "action_id": "a", **more}


def one(element):
    return [actions(element)]


def buttons(count):
    return [actions(*(button(f"b{i}") for i in range(count)))]


MESSAGE_LIMITS = {
    "section text": (lambda n: [section("x" * n)], 3_000, "/blocks/0/text/text"),
    "field": (lambda n: [{"type": "section", "fields": [mrkdwn(n)]}], 2_000, "/fields/0/text"),
    "fields": (lambda n: [{"type": "section", "fields": [mrkdwn(1)] * n}], 10, "/fields"),
    "header": (lambda n: [{"type": "header", "text": plain(n)}], 150, "/blocks/0/text/text"),
    "actions": (buttons, 25, "/blocks/0/elements"),
    "context": (lambda n: [{"type": "context", "elements": [mrkdwn(1)] * n}], 10, "/elements"),
    "blocks": (lambda n: [{"type": "divider"}] * n, 50, "/blocks"),
    "button text": (lambda n: one({"type": "button", "text": plain(n)}), 75, "/text/text"),
    "button value": (lambda n: one(button("b", "v" * n)), 2_000, "/value"),
    "action_id": (lambda n: one({**button("b"), "action_id": "b" * n}), 255, "/action_id"),
    "block_id": (lambda n: [section("x", block_id="b" * n)], 255, "/block_id"),
    "options": (lambda n: one(select(options=[option()] * n)), 100, "/options"),
    "option text": (lambda n: one(select(options=[option(text=n)])), 75, "/options/0/text/text"),
    "option value": (lambda n: one(select(options=[option(value=n)])), 150, "/options/0/value"),
    "placeholder": (
        lambda n: one(select(options=[option()], placeholder=plain(n))),
        150,
        "/placeholder/text",
    ),
    "overflow": (
        lambda n: one({"type": "overflow", "options": [option()] * n}),
        5,
        "/elements/0/options",
    ),
}


@pytest.mark.parametrize("name", MESSAGE_LIMITS)
def test_a_message_may_reach_a_limit_but_not_pass_it(name):
    build, limit, pointer = MESSAGE_LIMITS[name]
    assert check_message_blocks(build(limit))
    with pytest.raises(ApiError) as caught:
        check_message_blocks(build(limit + 1))
    assert caught.value.error == "invalid_blocks"
    assert pointer in caught.value.messages[0]


REFUSED = {
    "empty actions": ([actions()], "no fewer than 1 items"),
    "empty text": ([section("")], "must be more than 0 characters"),
    "no text and no fields": ([{"type": "section"}], "must define either"),
    "unknown block": ([{"type": "marquee"}], "unsupported type: marquee"),
    "no type": ([{"text": plain(1)}], "missing required field: type"),
    "unknown field": ([section("x", colour="red")], "invalid additional property: colour"),
    "mrkdwn in a button": (
        one({"type": "button", "text": mrkdwn(1)}),
        "unsupported type: mrkdwn",
    ),
    "emoji in mrkdwn": (
        [{"type": "section", "text": {**mrkdwn(1), "emoji": True}}],
        "invalid additional property: emoji",
    ),
    "style": (one({**button("b"), "style": "blue"}), "must be one of: primary, danger"),
    "null": ([section("x", accessory=None)], "must provide an object"),
    "number for text": (
        [{"type": "header", "text": {"type": "plain_text", "text": 7}}],
        "must provide a string",
    ),
    "initial option elsewhere": (
        one(select(options=[option()], initial_option=option(text=2))),
        "initial option must be one of",
    ),
    "no options": (one(select()), "exactly one of `options` or `option_groups`"),
    "action_id twice in a block": ([actions(button("a"), button("a"))], "action_id `a` already"),
    "block_id twice": (
        [section("x", block_id="b"), section("y", block_id="b")],
        "block_id `b` already",
    ),
    "input in actions": (one({"type": "plain_text_input"}), "unsupported type: plain_text_input"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_message_is_refused_with_the_reason(name):
    blocks, reason = REFUSED[name]
    with pytest.raises(ApiError) as caught:
        check_message_blocks(blocks)
    assert caught.value.error == "invalid_blocks"
    assert reason in caught.value.messages[0]


def test_the_same_action_id_in_two_blocks_is_fine():
    assert check_message_blocks([actions(button("a")), actions(button("a"))])


def test_all_texts_together_are_limited():
    assert check_message_blocks([section("x" * 2_750)] * 4)
    with pytest.raises(ApiError, match="msg_blocks_too_long"):
        check_message_blocks([*[section("x" * 2_750)] * 4, section("x")])


VIEW_LIMITS = {
    "title": (lambda n: modal(section("x"), title=plain(n)), 24, "/view/title/text"),
    "submit": (lambda n: modal(field("f"), submit=plain(n)), 24, "/view/submit/text"),
    "close": (lambda n: modal(section("x"), close=plain(n)), 24, "/view/close/text"),
    "blocks": (lambda n: modal(*[section("x")] * n), 100, "/view/blocks"),
    "metadata": (lambda n: modal(section("x"), private_metadata="m" * n), 3_000, "/private_meta"),
    "callback_id": (lambda n: modal(section("x"), callback_id="c" * n), 255, "/callback_id"),
}


@pytest.mark.parametrize("name", VIEW_LIMITS)
def test_a_view_may_reach_a_limit_but_not_pass_it(name):
    build, limit, pointer = VIEW_LIMITS[name]
    assert check_view(build(limit), Surface.MODAL)
    with pytest.raises(ApiError) as caught:
        check_view(build(limit + 1), Surface.MODAL)
    assert caught.value.error == "invalid_arguments"
    assert pointer in caught.value.messages[0]


@pytest.mark.parametrize(
    ("view", "reason"),
    [
        ({**modal(field("f")), "submit": None}, "must provide an object"),
        ({k: v for k, v in modal(field("f")).items() if k != "submit"}, "must define `submit`"),
        (modal(section("x", block_id="b"), section("x", block_id="b")), "already exists"),
        ({"type": "home", "blocks": [section("x")]}, "unsupported type: home"),
        ("nonsense", "must provide an object"),
    ],
)
def test_a_modal_is_refused_with_the_reason(view, reason):
    with pytest.raises(ApiError, match="invalid_arguments") as caught:
        check_view(view, Surface.MODAL)
    assert reason in caught.value.messages[0]


def test_a_view_of_more_than_250_kilobytes_is_too_large():
    option = {"text": plain(75), "description": plain(75), "value": "v" * 150}
    blocks = [actions(select(options=[option] * 100)) for _ in range(9)]
    with pytest.raises(ApiError, match="view_too_large"):
        check_view(modal(*blocks), Surface.MODAL)


def test_metadata_needs_a_type_and_a_payload_and_may_be_emptied():
    metadata = {"event_type": "t", "event_payload": {"ticket": "T-1"}}
    assert check_metadata(metadata) == metadata
    assert check_metadata({}) is None
    for wrong in ([], "t", {"event_type": "t"}, {"event_type": "t", "event_payload": "x"}):
        with pytest.raises(ApiError, match="invalid_metadata_format"):
            check_metadata(wrong)
    with pytest.raises(ApiError, match="metadata_too_large"):
        check_metadata({"event_type": "t", "event_payload": {"x": "x" * 16_000}})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "text", "elements", "options", "fields", "accessory", "x"]),
            inner | st.sampled_from(["section", "actions", "button", "static_select", "input"]),
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(json_values)
def test_whatever_comes_is_accepted_or_refused_but_never_a_crash(value):
    for check in (check_message_blocks, lambda v: check_view(v, Surface.MODAL, Surface.HOME)):
        with contextlib.suppress(ApiError):
            check(value)


def test_the_elements_that_the_bot_uses_are_valid():
    accessory = menu("review_reassign", "Hardware", "Access")
    assert check_message_blocks([section("x", accessory=accessory), actions(button("b"))])
