"""slackbot.views.blocks: selects of any length."""

import pytest

from slackbot.playground.blocks import options
from slackbot.views import blocks


@pytest.mark.parametrize("count", [1, 100, 101, 250])
def test_a_select_holds_every_option_in_order(count):
    wanted = [(f"queue {n}", f"T-1:{n}") for n in range(count)]
    select = blocks.select("pick", "Pick", wanted, wanted[-1])

    assert [(o["text"]["text"], o["value"]) for o in options(select)] == wanted
    assert select["initial_option"] in options(select)


def test_groups_are_named_by_their_ends():
    wanted = [(f"queue {n}", f"T-1:{n}") for n in range(150)]
    groups = blocks.select("pick", "Pick", wanted)["option_groups"]

    assert [g["label"]["text"] for g in groups] == ["queue 0 … queue 99", "queue 100 … queue 149"]
    long = blocks.select("pick", "Pick", [(text * 9, value) for text, value in wanted])
    assert [g["label"]["text"].count(" … ") for g in long["option_groups"]] == [1, 1]


def test_plain_text_is_one_line_that_fits():
    assert blocks.plain_text(" a\n\tb ")["text"] == "a b"
    assert len(blocks.plain_text("x" * 80)["text"]) == 75
