"""Turns logits into probabilities that hold, and probabilities into thresholds that hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.distributions import beta_quantile
from core.heads import Pool, softmax

_BINS = 15
_TAIL = 0.025
_DRAWS = 1000
_HALVINGS = 12
_PULL = 0.01
"""Holds the bias near zero where there is little evidence, in log-loss a squared logit."""


def fit_pool(logits: Sequence[NDArray[np.float64]], targets: NDArray[np.float64]) -> Pool:
    """Weigh models' logits so that their softmax fits the targets best.

    One weight for each model is a temperature for each, and their log-linear pool; the bias
    corrects for classes that are more or less frequent than in training.

    Args:
        logits: Each model's, float64 [n, classes], of texts that it was not trained on.
        targets: float64 [n, classes]; a row's sum is its weight, zeros count nothing.

    Returns:
        The pool; its bias sums to 0.
    """
    from scipy.optimize import minimize  # type: ignore[import-untyped]  # noqa: PLC0415  slow

    models, classes = len(logits), targets.shape[1]
    stacked = np.stack(logits)
    mass = targets / targets.sum()

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights, bias = parameters[:models], parameters[models:]
        probabilities = softmax(np.tensordot(weights, stacked, axes=1) + bias)
        error = mass.sum(axis=1, keepdims=True) * probabilities - mass
        value = -(mass * np.log(np.maximum(probabilities, 1e-12))).sum()
        slope = np.concatenate([(stacked * error).sum(axis=(1, 2)), error.sum(axis=0)])
        slope[models:] += 2 * _PULL * bias
        return float(value + _PULL * (bias @ bias)), slope

    start = np.concatenate([np.full(models, 1 / models), np.zeros(classes)])
    bounds = [(0, None)] * models + [(None, None)] * classes
    found = minimize(loss, start, jac=True, bounds=bounds, method="L-BFGS-B").x
    bias = found[models:]
    return Pool(weights=tuple(map(float, found[:models])), bias=bias - bias.mean())


def calibration_error(confidence: NDArray[np.float64], correct: NDArray[np.bool_]) -> float:
    """Expected calibration error in [0, 1]: how far confidence and accuracy lie apart.

    Args:
        confidence: Probability [n] of each prediction, in [0, 1].
        correct: Whether each was right [n].

    Returns:
        The mean difference over 15 bins of equal width, weighted by their size; 0 without data.
    """
    gaps = np.bincount(_bins(confidence), weights=confidence - correct, minlength=_BINS)
    return float(np.abs(gaps).sum() / max(len(confidence), 1))


def calibration_interval(
    confidence: NDArray[np.float64], correct: NDArray[np.bool_]
) -> tuple[float, float]:
    """The 95 % interval of the true expected calibration error.

    Chance alone makes the measured one larger than the true one: of 2,500 texts whose
    confidences all hold, it is about 0.013. A bootstrap would add that again, and its interval
    hardly ever holds the true one. So the interval holds those true errors that may well have
    given what was measured: a test by simulation, inverted, where all confidences are too high,
    or all too low, by the same. It always holds the measured error, too.

    Args:
        confidence: Probability [n] of each prediction, in [0, 1].
        correct: Whether each was right [n].

    Returns:
        Its ends in [0, 1]; 0 and 1 without data.
    """
    if not len(confidence):
        return 0.0, 1.0
    sizes = np.bincount(_bins(confidence), minlength=_BINS)
    sums = np.bincount(_bins(confidence), weights=confidence, minlength=_BINS).astype(np.float64)
    measured = calibration_error(confidence, correct)
    ends = [measured, *_errors(sizes, sums, measured, 1), *_errors(sizes, sums, measured, -1)]
    return min(ends), max(ends)


def _errors(
    sizes: NDArray[np.int64], sums: NDArray[np.float64], measured: float, side: int
) -> tuple[float, float]:
    """The least and the greatest true error to one side that may have given the measured one."""
    stated = sums / np.maximum(sizes, 1)

    def true_share(shift: float) -> NDArray[np.float64]:
        return np.clip(stated + side * shift, 0, 1)

    def simulated(shift: float) -> NDArray[np.float64]:
        hits = np.random.default_rng(0).binomial(sizes, true_share(shift), (_DRAWS, _BINS))
        return np.asarray(np.abs(hits - sums).sum(axis=1) / sizes.sum())

    low = _first(lambda shift: bool((simulated(shift) >= measured).mean() > _TAIL))
    high = _first(lambda shift: bool((simulated(shift) <= measured).mean() <= _TAIL))
    least, greatest = (
        float(sizes @ np.abs(true_share(shift) - stated) / sizes.sum()) for shift in (low, high)
    )
    return least, greatest


def _first(holds: Callable[[float], bool]) -> float:
    """The least value in [0, 1] for which something holds that holds for all greater ones."""
    if holds(0.0):
        return 0.0
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def _bins(confidence: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.minimum((confidence * _BINS).astype(np.int64), _BINS - 1)


@dataclass(frozen=True, slots=True)
class Prior:
    """What is expected of a queue before its own evidence: that it is like the others.

    Attributes:
        share: Precision at and over a confidence, of all queues together.
        strength: How many predictions of its own that counts as.
        least: With fewer predictions of its own nothing is proven, whatever is expected.
    """

    share: Callable[[float], float]
    strength: float
    least: int


def lower_bound(
    correct: NDArray[np.bool_],
    weights: NDArray[np.float64],
    certainty: float,
    *,
    expected: float = 0.0,
    strength: float = 0.0,
) -> float:
    """The share of right ones that is exceeded with that certainty.

    Clopper and Pearson's bound on as many equally weighed predictions as these are worth (Kish);
    with an expectation the quantile of the beta distribution that both give together.

    Args:
        correct: Whether each prediction was right [n].
        weights: How much each counts [n], > 0.
        certainty: Probability in (0, 1) that the true share is at least the bound.
        expected: The share to be expected before this evidence.
        strength: How many predictions that expectation counts as; 0 for none.

    Returns:
        A share in [0, 1]; 0 without evidence.
    """
    if not correct.any():
        return 0.0
    worth = weights.sum() ** 2 / (weights**2).sum()
    right = worth * weights[correct].sum() / weights.sum()
    wrong = worth - right + strength * (1 - expected)
    return beta_quantile(1 - certainty, right + strength * expected, wrong + 1)


def threshold(
    confidence: NDArray[np.float64],
    correct: NDArray[np.bool_],
    weights: NDArray[np.float64],
    *,
    promised: float,
    certainty: float,
    prior: Prior | None = None,
) -> float | None:
    """The lowest confidence from which a queue's predictions keep a promise.

    Args:
        confidence: Probability [n] of each prediction of the queue, in [0, 1].
        correct: Whether each was right [n].
        weights: How much each counts [n], > 0.
        promised: Share in (0, 1) that must be right at or over the threshold.
        certainty: Probability in (0, 1) with which the true share must reach the promise.
        prior: What is expected of the queue before this evidence; None for nothing.

    Returns:
        The threshold in [0, 1), or None when no amount of confidence has proven the promise.
    """
    order = np.argsort(-confidence, kind="stable")
    for count in range(len(order), prior.least - 1 if prior else 0, -1):
        least = float(confidence[order[count - 1]])
        cuts_between_equals = count < len(order) and confidence[order[count]] == least
        kept = order[:count]
        if cuts_between_equals or least >= 1:
            continue
        bound = lower_bound(
            correct[kept],
            weights[kept],
            certainty,
            expected=prior.share(least) if prior else 0.0,
            strength=prior.strength if prior else 0.0,
        )
        if bound >= promised:
            return least
    return None
