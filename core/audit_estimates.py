"""Estimates of accuracy, precision, calibration and drift from tickets that people reviewed.

Reviewed tickets are a sample with known, unequal chances: all that the model was unsure of, few of
those it routed. Each counts by the inverse of its chance (Horvitz and Thompson 1952), normalised by
the weights' sum (Hajek 1971), so that the sample stands for all tickets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.distributions import beta_quantile, chi_squared_quantile
from core.evaluation import Figure, share

_BINS = 10
_SMOOTHING = 0.5
"""Added to every count (Jeffreys' prior), so that an empty queue makes no infinite ratio."""


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Tickets of similar confidence.

    Attributes:
        low: Least confidence in the bin, in [0, 1].
        high: Greatest.
        stated: Mean confidence.
        right: Share whose most probable queue was right.
        weight: What its tickets count together.
    """

    low: float
    high: float
    stated: float
    right: Figure
    weight: float


@dataclass(frozen=True, slots=True)
class Agreement:
    """How often reviewers agree with the model, with its pick hidden and before their eyes.

    Attributes:
        blind: Share of agreement where it was hidden; None without such answers.
        open: Share where it was shown; None without such answers.
        habit: `open` minus `blind`, in [-1, 1]: what seeing the pick adds; None without both.
    """

    blind: Figure | None
    open: Figure | None
    habit: Figure | None


@dataclass(frozen=True, slots=True)
class Drift:
    """How much what comes in differs from a reference period.

    Attributes:
        psi: Population stability index of the predicted queues, in nats, from 0.
        by_chance: What `psi` exceeds in one of twenty comparisons of the same population.
        low_confidence: Share of recent texts that the model was not sure enough of.
        low_confidence_before: The same in the reference period.
    """

    psi: float
    by_chance: float
    low_confidence: Figure
    low_confidence_before: Figure


def weights(
    probability: NDArray[np.float64], answered: NDArray[np.bool_], asked: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """What each request counts: the inverse of its chance to be known.

    A ticket is put to a person with its probability. Of those that nobody has settled elsewhere
    first, some stay unanswered; the answered ones stand for them (the weighting-class adjustment
    for nonresponse: Little 1986, "Survey nonresponse adjustments"). Those settled elsewhere are
    all known. Without this, staff who move wrong tickets before an auditor comes make the model
    look worse than it is.

    Args:
        probability: With which each ticket was put to a person [n], in (0, 1].
        answered: Whether its queue is known now [n].
        asked: Whether its answer came from a card that asked [n]; of no meaning where unanswered.

    Returns:
        Weights [n], 0 where unanswered.
    """
    elsewhere = answered & ~asked
    open_to_answer = ~elsewhere
    rate = float(answered[open_to_answer].mean()) if open_to_answer.any() else 1.0
    known = np.where(elsewhere, 1.0, rate or 1.0)
    return np.where(answered, 1.0 / (probability * known), 0.0)


def weighted_share(right: NDArray[np.bool_], weight: NDArray[np.float64]) -> Figure | None:
    """A share in the whole population, from a weighted sample, with its 95 % interval.

    The value is Hajek's ratio. The interval is Clopper and Pearson's on as many equally weighed
    tickets as these are worth: n over Kish's design effect (Korn and Graubard 1998, "Confidence
    intervals for proportions with small expected number of positive counts"). Wilson's interval
    on the same size falls short for precisions near 1; `benchmarks/audit_coverage.py` shows it.

    Args:
        right: Whether each ticket counts as a hit [n].
        weight: What each counts [n], >= 0; those of weight 0 are left out.

    Returns:
        The share, its n without weights; None without any ticket.
    """
    counted = weight > 0
    right, weight = right[counted], weight[counted]
    n = len(right)
    if n == 0:
        return None
    value = float(weight[right].sum() / weight.sum())
    low, high = clopper_pearson(value, effective_size(weight))
    return Figure(value, low, high, n)


def effective_size(weight: NDArray[np.float64]) -> float:
    """As many equally weighed tickets are these worth (Kish 1965, "Survey sampling")."""
    return float(weight.sum() ** 2 / (weight**2).sum())


def clopper_pearson(value: float, size: float) -> tuple[float, float]:
    """The exact binomial 95 % interval of a share, also for a size that is no whole number."""
    hits = value * size
    low = beta_quantile(0.025, hits, size - hits + 1) if hits > 0 else 0.0
    high = beta_quantile(0.975, hits + 1, size - hits) if hits < size else 1.0
    return min(low, value), max(high, value)


def reliability(
    confidence: NDArray[np.float64], right: NDArray[np.bool_], weight: NDArray[np.float64]
) -> list[ReliabilityBin]:
    """Stated confidence against the share that was right, over ten bins of equal width.

    Args:
        confidence: Probability of the most probable queue [n], in [0, 1].
        right: Whether that queue was right [n].
        weight: What each counts [n].

    Returns:
        The bins that hold any ticket, in order (Murphy and Winkler 1977's reliability diagram).
    """
    place = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    bins = []
    for index in range(_BINS):
        here = (place == index) & (weight > 0)
        found = weighted_share(right[here], weight[here])
        if found is not None:
            stated = float(np.average(confidence[here], weights=weight[here]))
            low, high = index / _BINS, (index + 1) / _BINS
            bins.append(ReliabilityBin(low, high, stated, found, float(weight[here].sum())))
    return bins


def calibration_gap(bins: Sequence[ReliabilityBin]) -> float:
    """Expected calibration error in [0, 1] (Naeini et al. 2015) of one or more bins."""
    gaps = [abs(each.stated - each.right.value) for each in bins]
    return float(np.average(gaps, weights=[each.weight for each in bins]))


def agreement(agrees: NDArray[np.bool_], blind: NDArray[np.bool_]) -> Agreement:
    """Compare blind with open audits; they were drawn alike, so that the difference is habit.

    Args:
        agrees: Whether the first answer to each audit was the model's pick [n].
        blind: Whether its card hid that pick [n].

    Returns:
        Both shares with Wilson's interval, and their difference with Newcombe's hybrid score
        interval (Newcombe 1998, "Interval estimation for the difference between independent
        proportions", method 10).
    """
    hidden = share(agrees[blind]) if blind.any() else None
    seen = share(agrees[~blind]) if not blind.all() else None
    if hidden is None or seen is None:
        return Agreement(hidden, seen, None)
    gap = seen.value - hidden.value
    down = np.hypot(seen.value - seen.low, hidden.high - hidden.value)
    up = np.hypot(seen.high - seen.value, hidden.value - hidden.low)
    habit = Figure(gap, float(max(gap - down, -1)), float(min(gap + up, 1)), len(agrees))
    return Agreement(hidden, seen, habit)


def stability(before: Mapping[str, int], now: Mapping[str, int]) -> tuple[float, float]:
    """Population stability index of two counts by queue, and what chance alone may give.

    Over 0.1 the population is usually said to have shifted, over 0.25 a lot (Siddiqi 2006,
    "Credit risk scorecards"); with few texts chance alone exceeds that, by a scaled chi-squared
    law (Yurdakul 2018, "Statistical properties of population stability index").

    Args:
        before: Texts by queue in the reference period.
        now: The same recently.

    Returns:
        The index in nats, and its 95th percentile when nothing has changed; both 0 when either
        period has no text.
    """
    names = sorted({*before, *now})
    old = np.array([before.get(name, 0) for name in names], dtype=float)
    new = np.array([now.get(name, 0) for name in names], dtype=float)
    if not old.sum() or not new.sum():
        return 0.0, 0.0
    p, q = (
        (counts + _SMOOTHING) / (counts.sum() + _SMOOTHING * len(names)) for counts in (old, new)
    )
    index = float(((q - p) * np.log(q / p)).sum())
    by_chance = chi_squared_quantile(0.95, max(len(names) - 1, 1)) * (1 / old.sum() + 1 / new.sum())
    return index, float(by_chance)


def drift(
    before: Mapping[str, int], now: Mapping[str, int], unsure_before: int, unsure_now: int
) -> Drift:
    """Compare recent predictions with those of a reference period.

    Args:
        before: Texts by predicted queue in the reference period.
        now: The same recently.
        unsure_before: Of those before, how many the model was not sure enough of.
        unsure_now: Of those now.
    """
    psi, by_chance = stability(before, now)
    return Drift(
        psi,
        by_chance,
        _count_share(unsure_now, sum(now.values())),
        _count_share(unsure_before, sum(before.values())),
    )


def _count_share(hits: int, n: int) -> Figure:
    return share(np.arange(n) < hits)
