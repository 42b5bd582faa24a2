"""core.queue_watch: when evidence is enough to demote a queue, and to offer it back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.queue_watch import WINDOW, Verdict, judge_automatic, judge_demoted, weigh

PROMISE = 0.95
outcomes = st.lists(st.booleans(), max_size=150)


def told(right, wrong):
    return weigh([False] * wrong + [True] * right, PROMISE)


@settings(deadline=None, max_examples=40)
@given(outcomes)
def test_only_the_latest_audits_count(found):
    assert weigh(found, PROMISE) == weigh(found[-WINDOW:], PROMISE)
    assert weigh(found, PROMISE).n == min(len(found), WINDOW)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 60), st.integers(0, 39))
def test_one_wrong_route_more_never_helps(right, wrong):
    better, worse = told(right + 1, wrong), told(right, wrong + 1)
    assert worse.broken >= better.broken
    assert worse.low <= better.low


@pytest.mark.parametrize(("right", "wrong"), [(0, 0), (3, 0), (0, 5), (6, 6), (38, 2), (95, 5)])
def test_few_audits_or_few_mistakes_demote_nobody(right, wrong):
    assert judge_automatic(told(right, wrong)) is Verdict.HOLDS


@pytest.mark.parametrize(("right", "wrong"), [(0, 6), (7, 7), (20, 9), (85, 15), (30, 10)])
def test_many_mistakes_demote(right, wrong):
    assert judge_automatic(told(right, wrong)) is Verdict.FALLEN


def test_a_queue_that_was_good_for_years_still_falls():
    assert judge_automatic(weigh([True] * 5000 + [False, True] * 20, PROMISE)) is Verdict.FALLEN


@pytest.mark.parametrize(
    ("right", "wrong", "verdict"),
    [
        (39, 0, Verdict.HOLDS),
        (40, 0, Verdict.RETURNED),
        (57, 2, Verdict.HOLDS),
        (98, 2, Verdict.RETURNED),
        (90, 10, Verdict.HOLDS),
    ],
)
def test_a_queue_is_offered_back_on_its_own_evidence(right, wrong, verdict):
    assert judge_demoted(told(right, wrong)) is verdict


def test_a_queue_at_its_promise_is_seldom_demoted_in_a_year():
    random = np.random.default_rng(11)
    years = random.random((300, 52 * 10)) < PROMISE
    demoted = sum(
        any(
            judge_automatic(weigh(year[:seen].tolist(), PROMISE)) is Verdict.FALLEN
            for seen in range(10, 521, 10)
        )
        for year in years[:60]
    )
    assert demoted <= 3
