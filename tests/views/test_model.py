"""The card of a new version: what a reviewer sees before and after somebody has decided."""

from dataclasses import replace

import pytest

from slackbot.learning.offers import offer_of
from slackbot.views import model
from tests.views.judges import accept_message


def figure(value, n=50):
    return {"value": value, "low": value - 0.05, "high": value + 0.05, "n": n}


def side(accuracy, queues=()):
    return {
        "accuracy": figure(accuracy),
        "coverage": figure(0.5),
        "routed_precision": figure(0.97),
        "calibration_error": figure(1 - accuracy),
        "queues": [{"name": name, "precision": found} for name, found in queues],
    }


REPLAY = {
    "candidate": "2026.12.01-ab12cd34",
    "current": "2026.11.26-6efc1470",
    "settled": {"train": 70, "calibrate": 15, "test": 15},
    "contradicted": {"answers": 37, "base": 120},
    "sets": [
        {
            "name": "settled by people and held out",
            "texts": 50,
            "current": side(0.8),
            "candidate": side(0.9),
            "gain": {"value": 0.1, "low": -0.01, "high": 0.2, "n": 50},
            "flips": {"better": 6, "worse": 1, "neither": 0},
            "shown": [
                {
                    "text": f"T-{number}",
                    "current": ["Hardware", "review"],
                    "candidate": ["A <b> & c", "auto"],
                    "change": "better",
                }
                for number in range(12)
            ],
        }
    ],
}
OFFER = offer_of(REPLAY)


def words(message):
    return str(message.blocks)


def test_the_offer_says_what_was_learned_what_was_left_out_and_what_may_be_chance():
    message = model.offer(OFFER)
    accept_message(message)
    said = words(message)
    one = words(model.offer(replace(OFFER, learned_from=1)))
    assert "learned from 1 settled ticket, and" in one
    assert "100 settled tickets, and left out 37 older answers that newer ones contradict" in said
    assert "+10.0 points (95 % interval -1.0 to +20.0, may be chance)" in said
    assert "Settled tickets that it sees otherwise" in said
    assert "and 4 more" in said
    assert "A &lt;b&gt; &amp; c" in said
    assert "Nothing changes before" in said
    sure = {**REPLAY["sets"][0], "gain": {"value": 0.1, "low": 0.01, "high": 0.2, "n": 50}}
    assert "may be chance" not in words(model.offer(offer_of({**REPLAY, "sets": [sure]})))


@pytest.mark.parametrize(
    ("message", "header", "line", "roll_back"),
    [
        (model.decided(OFFER, by="U1", promoted=True), "in force", "<@U1> put it in force", True),
        (model.decided(OFFER, by="U1", promoted=False), "stays as it is", "<@U1> kept", False),
        (model.rolled_back(OFFER, by="U1", to_version="v1"), "taken back", "v1 is in", False),
    ],
)
def test_what_was_decided_comes_first_and_nothing_is_promised_any_more(
    message, header, line, roll_back
):
    accept_message(message)
    assert header in str(message.blocks[0])
    assert line in str(message.blocks[1])
    assert "Nothing changes" not in words(message)
    assert ("Roll back" in words(message)) is roll_back


def test_the_offer_compares_calibration_and_each_queue_that_changes():
    before = [("Access", figure(0.9)), ("Desk", figure(0.8)), ("<!here>", figure(0, n=0))]
    after = [("Access", figure(0.95)), ("Desk", figure(0.8)), ("<!here>", figure(1))]
    after += [(f"New {n}{'😀' * 70}", figure(0.9)) for n in range(300)]
    sides = {"current": side(0.8, before), "candidate": side(0.9, after)}
    message = model.offer(offer_of({**REPLAY, "sets": [{**REPLAY["sets"][0], **sides}]}))
    accept_message(message)
    said = words(message)
    assert "Confidence is off by: 20.0 % → 10.0 %" in said
    assert "*Access*: 90.0 % → 95.0 %, *&lt;!here&gt;*: - → 100.0 %" in said
    assert "*Desk*" not in said
    assert "and 294 more queues" in said


def test_a_comparison_of_before_this_was_counted_can_still_be_shown():
    old = {name: value for name, value in REPLAY.items() if name != "contradicted"}
    assert "left out" not in words(model.offer(offer_of(old)))
    assert "1 older answer that newer ones" in words(model.offer(replace(OFFER, contradicted=1)))
