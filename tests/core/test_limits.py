"""Limits chosen on texts whose truth is known keep what they promise."""

from dataclasses import replace

import numpy as np
import pytest

from core.dataset import Example
from core.decision import Impact, Urgency
from core.heads import HeadOutputs
from core.limits import Judged, choose_rules
from core.policy import UNPROVEN, Rules

QUEUES = ("Access", "Hardware")
ENGLISH = "please reset the password of my account this morning"
TALK = "thank you so much, that was quick, see you all at lunch"
SPANISH = "no puedo entrar en mi cuenta desde ayer por la mañana gracias"


def _ticket(queue: str, text: str = ENGLISH, *, batch: str = "", **known: object) -> Example:
    return Example(text=text, queue=queue, is_ticket=True, batch=batch, **known)


def _rules(
    examples: list[Example],
    access: np.ndarray,
    *,
    ticket: np.ndarray | None = None,
    outage: np.ndarray | None = None,
) -> Rules:
    """The rules for examples of which the heads said Access with these probabilities."""
    n = len(examples)
    wide = np.zeros(n) if outage is None else np.sqrt(outage)
    three = np.column_stack([wide, np.zeros(n), 1 - wide])
    outputs = HeadOutputs(
        queue=np.column_stack([access, 1 - access]),
        ticket=np.ones(n) if ticket is None else ticket,
        urgency=three,
        impact=three,
        novelty=np.zeros(n),
    )
    return choose_rules(Judged(examples, outputs, QUEUES), promised=0.95)


def test_a_queue_that_keeps_the_promise_gets_a_threshold_and_another_does_not() -> None:
    examples = [_ticket("Access")] * 200 + [_ticket("Access"), _ticket("Hardware")] * 20
    access = np.concatenate([np.linspace(0.6, 0.99, 200), np.full(40, 0.3)])
    rules = _rules(examples, access)
    assert rules.thresholds["Access"] == pytest.approx(0.6, abs=0.01)
    assert rules.thresholds["Hardware"] == UNPROVEN


def test_the_second_defensible_queue_is_right() -> None:
    examples = [Example(ENGLISH, queue="Hardware", alt_queue="Access", is_ticket=True)] * 100
    assert _rules(examples, np.full(100, 0.9)).thresholds["Access"] == pytest.approx(0.9)


def test_a_message_counts_twice_as_much_as_a_ticket_of_the_table() -> None:
    right = [_ticket("Access")] * 1000
    wrong = [_ticket("Hardware")] * 40
    assert _rules(right + wrong, np.full(1040, 0.9)).thresholds["Access"] == 0.9
    wrong_messages = [_ticket("Hardware", batch="a")] * 40
    assert _rules(right + wrong_messages, np.full(1040, 0.9)).thresholds["Access"] == UNPROVEN


def test_written_and_stripped_texts_have_thresholds_of_their_own() -> None:
    written = [_ticket("Access", ENGLISH.capitalize() + "!")] * 200
    torn = [_ticket("Access"), _ticket("Access"), _ticket("Hardware")] * 70
    rules = _rules(written + torn, np.full(410, 0.9))
    assert rules.thresholds["Access"] == 0.9
    assert rules.stripped_thresholds == {"Access": UNPROVEN, "Hardware": UNPROVEN}
    assert _rules(written + torn[:30], np.full(230, 0.9)).stripped_thresholds is None


def test_only_languages_with_enough_right_texts_are_known() -> None:
    english = [_ticket("Access")] * 200
    few = [_ticket("Access", SPANISH)] * 10
    many = [_ticket("Access", SPANISH)] * 100
    wrong = [_ticket("Hardware", SPANISH)] * 10 + [_ticket("Access", SPANISH)] * 90
    certain = np.full(300, 0.9)
    assert _rules(english + few, certain[:210]).languages == ("en",)
    assert _rules(english + many, certain).languages == ("en", "es")
    assert "es" not in _rules([*english * 5, *wrong], np.full(1100, 0.9)).languages


def _messages(is_ticket: np.ndarray) -> list[Example]:
    ticket, talk = _ticket("Access", batch="a"), Example(TALK, is_ticket=False, batch="a")
    return [ticket if each else talk for each in is_ticket]


def test_few_tickets_lie_under_the_limit_for_small_talk_and_little_talk_over_that_for_doubt() -> (
    None
):
    rng = np.random.default_rng(0)
    likely = rng.beta(0.3, 0.2, size=5000)
    is_ticket = rng.random(5000) < likely
    rules = _rules(_messages(is_ticket), np.full(5000, 0.9), ticket=likely)
    assert 0.005 < (likely[is_ticket] < rules.ignore_below).mean() < 0.01
    assert 0.015 < (~is_ticket[likely >= rules.doubt_below]).mean() < 0.025


def test_a_few_odd_tickets_do_not_decide_what_is_ignored() -> None:
    likely = np.concatenate([np.linspace(0.001, 0.4, 200), np.linspace(0.9, 1, 400)])
    is_ticket = likely > 0.5
    odd = is_ticket | np.isin(np.arange(600), [0, 1, 2, 3])
    before, after = (
        _rules(_messages(each), np.full(600, 0.9), ticket=likely).ignore_below
        for each in (is_ticket, odd)
    )
    assert before == pytest.approx(after, abs=0.01)
    assert before > 0.05


def test_nothing_is_ignored_in_a_language_of_few_tickets() -> None:
    spanish = [replace(each, text=SPANISH) for each in _messages(np.arange(300) < 200)]
    english = _messages(np.arange(900) < 600)
    likely = np.concatenate([np.where(np.arange(n) < n * 2 / 3, 0.999, 0.01) for n in (300, 900)])
    rules = _rules(spanish + english, np.full(1200, 0.9), ticket=likely)
    assert rules.languages == ("en", "es")
    assert rules.ignore_below_in == dict.fromkeys(("en", "und"), rules.ignore_below)
    alone = _rules(spanish, np.full(300, 0.9), ticket=likely[:300])
    assert (alone.ignore_below_in, alone.ignore_below) == ({}, 0)


def test_less_is_ignored_in_other_languages_than_english() -> None:
    rng = np.random.default_rng(0)
    likely = rng.beta(0.3, 0.2, size=3000)
    english = _messages(rng.random(3000) < likely)
    spanish = [replace(each, text=SPANISH) for each in english]
    rules = _rules(english + spanish, np.full(6000, 0.9), ticket=np.tile(likely, 2))
    assert rules.ignore_below_in is not None
    assert 0 < rules.ignore_below_in["es"] < rules.ignore_below_in["en"] / 2
    assert rules.ignore_below_in["und"] == rules.ignore_below_in["es"]


def test_what_may_be_an_outage_weighs_more_in_what_is_ignored() -> None:
    rng = np.random.default_rng(0)
    likely = rng.beta(0.3, 0.2, size=5000)
    examples = _messages(rng.random(5000) < likely)
    calm, alarming = (
        _rules(examples, np.full(5000, 0.9), ticket=likely, outage=np.full(5000, share))
        for share in (0.0, 0.25)
    )
    assert alarming.ignore_below == pytest.approx(3 * calm.ignore_below)


def test_nothing_is_ignored_where_small_talk_was_never_seen() -> None:
    rules = _rules([_ticket("Access")] * 50, np.full(50, 0.9))
    assert (rules.ignore_below, rules.doubt_below, rules.outage_above) == (0, 0, 1)


def test_nearly_all_outages_lie_over_their_limit() -> None:
    outage = _ticket("Access", urgency=Urgency.HIGH, impact=Impact.COMPANY)
    examples = [outage] * 100 + [_ticket("Access")] * 100
    probability = np.concatenate([np.linspace(0.2, 0.9, 100), np.full(100, 0.01)])
    limit = _rules(examples, np.full(200, 0.9), outage=probability).outage_above
    assert (probability[:100] > limit).mean() >= 0.95
    assert limit > 0.2


def test_at_most_one_other_message_in_ten_is_taken_for_an_outage() -> None:
    outage = _ticket("Access", urgency=Urgency.HIGH, impact=Impact.COMPANY)
    other = _ticket("Access", urgency=Urgency.LOW, impact=Impact.USER)
    examples = [outage] * 20 + [other] * 100
    probability = np.concatenate([np.full(20, 0.05), np.linspace(0.01, 0.9, 100)])
    limit = _rules(examples, np.full(120, 0.9), outage=probability).outage_above
    assert (probability[20:] > limit).mean() == pytest.approx(0.1, abs=0.01)
