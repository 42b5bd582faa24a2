"""core.audit_estimates: known answers, and what holds for every sample."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.audit_estimates import (
    agreement,
    calibration_gap,
    drift,
    effective_size,
    reliability,
    stability,
    weighted_share,
    weights,
)

unhurried = settings(deadline=None, max_examples=60)
chances = st.floats(0.01, 1)
samples = st.lists(st.tuples(st.booleans(), chances, st.booleans(), st.booleans()), max_size=60)


def arrays(sample):
    columns = list(zip(*sample, strict=True)) or [(), (), (), ()]
    kinds = (bool, float, bool, bool)
    return [np.array(column, dtype=kind) for column, kind in zip(columns, kinds, strict=True)]


@unhurried
@given(samples)
def test_a_share_lies_in_its_interval_whatever_the_sample(sample):
    right, probability, answered, asked = arrays(sample)
    found = weighted_share(right, weights(probability, answered, asked))
    if not answered.any():
        assert found is None
        return
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.n == answered.sum()


@unhurried
@given(samples, st.floats(0.01, 100))
def test_only_the_weights_proportions_count(sample, factor):
    right, probability, answered, asked = arrays(sample)
    weight = weights(probability, answered, asked)
    once, scaled = weighted_share(right, weight), weighted_share(right, weight * factor)
    assert (once is None) == (scaled is None)
    if once:
        assert scaled.value == pytest.approx(once.value)
        assert scaled.low == pytest.approx(once.low, abs=1e-6)


@unhurried
@given(st.integers(1, 200), chances)
def test_equal_weights_are_worth_what_they_are(n, weight):
    assert effective_size(np.full(n, weight)) == pytest.approx(n)


def test_what_was_seldom_asked_counts_for_many():
    # 10 of 10 unsure ones known, 6 right; 2 of 20 routed ones known, both right.
    right = np.array([True] * 6 + [False] * 4 + [True] * 2)
    probability = np.array([1.0] * 10 + [0.1] * 2)
    all_answered = np.ones(12, dtype=bool)
    found = weighted_share(right, weights(probability, all_answered, all_answered))
    assert found.value == pytest.approx(26 / 30)


def test_the_interval_is_the_exact_one_when_all_count_alike():
    found = weighted_share(np.arange(20) < 19, np.ones(20))
    assert (found.low, found.high) == pytest.approx((0.7513, 0.9987), abs=1e-4)


def test_who_answers_stands_for_who_does_not_but_not_for_what_staff_moved():
    # Of 10 audits staff moved 2 wrong ones; of the other 8 four were answered, all right.
    answered = np.array([True] * 6 + [False] * 4)
    asked = np.array([False] * 2 + [True] * 8)
    right = np.array([False] * 2 + [True] * 8)
    weight = weights(np.full(10, 0.5), answered, asked)
    assert weight.tolist() == [2, 2, 4, 4, 4, 4, 0, 0, 0, 0]
    assert weighted_share(right, weight).value == pytest.approx(0.8)


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 2**32))
def test_over_many_draws_the_estimate_is_the_truth(seed):
    random = np.random.default_rng(seed)
    right = random.random(400) < 0.9
    found = []
    for _ in range(300):
        seen = random.random(400) < np.where(right, 0.5, 0.2)  # the worse ones are asked less
        chance = np.where(right, 0.5, 0.2)[seen]
        everyone = np.ones(int(seen.sum()), dtype=bool)
        found.append(weighted_share(right[seen], weights(chance, everyone, everyone)).value)
    assert np.mean(found) == pytest.approx(right.mean(), abs=0.01)


def test_reliability_sets_confidence_against_truth():
    confidence = np.array([0.95, 0.91, 0.55, 0.52, 1.0])
    bins = reliability(confidence, np.array([True, False, True, False, True]), np.ones(5))
    assert [(each.low, each.right.n) for each in bins] == [(0.5, 2), (0.9, 3)]
    assert bins[1].stated == pytest.approx(0.9533, abs=1e-4)
    assert bins[1].right.value == pytest.approx(2 / 3)
    assert calibration_gap(bins) == pytest.approx(0.4 * 0.035 + 0.6 * 0.28667, abs=1e-3)


def test_habit_is_what_seeing_the_pick_adds():
    agrees = np.array([True] * 95 + [False] * 5 + [True] * 80 + [False] * 20)
    found = agreement(agrees, np.array([False] * 100 + [True] * 100))
    assert (found.open.value, found.blind.value) == (0.95, 0.8)
    assert found.habit.value == pytest.approx(0.15)
    assert 0 < found.habit.low < 0.15 < found.habit.high
    assert agreement(agrees[:100], np.zeros(100, dtype=bool)).habit is None
    assert agreement(agrees[:0], agrees[:0]).blind is None


counts = st.dictionaries(st.sampled_from("abcd"), st.integers(0, 500))


@unhurried
@given(counts, counts)
def test_stability_is_no_distance_below_zero(before, now):
    index, by_chance = stability(before, now)
    assert index >= 0
    assert by_chance >= 0
    assert stability(now, before)[0] == pytest.approx(index)


def test_chance_alone_seldom_looks_like_drift():
    random, before = np.random.default_rng(3), {"a": 800, "b": 150, "c": 50}
    over = 0
    for _ in range(400):
        now = dict(zip("abc", random.multinomial(120, [0.8, 0.15, 0.05]).tolist(), strict=True))
        index, by_chance = stability(before, now)
        over += index > by_chance
    assert over / 400 < 0.09


def test_drift_sees_another_mix_and_less_confidence():
    found = drift({"a": 300, "b": 100}, {"a": 50, "b": 150}, 40, 100)
    assert found.psi > 0.25 > found.by_chance
    assert (found.low_confidence_before.value, found.low_confidence.value) == (0.1, 0.5)
    empty = drift({}, {}, 0, 0)
    assert (empty.psi, empty.low_confidence.n) == (0, 0)
