"""Turns logits into probabilities that hold, and probabilities into thresholds that hold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.distributions import beta_quantile
from core.heads import Pool, softmax

_BINS = 15
_PULL = 0.01
"""Holds the bias near zero where there is little evidence, in log-loss a squared logit."""


def fit_pool(
    first: NDArray[np.float64], second: NDArray[np.float64], targets: NDArray[np.float64]
) -> Pool:
    """Weigh two models' logits so that their softmax fits the targets best.

    One weight for each model is a temperature for each, and their log-linear pool; the bias
    corrects for classes that are more or less frequent than in training.

    Args:
        first: One model's logits float64 [n, classes], of texts that it was not trained on.
        second: The other's.
        targets: float64 [n, classes]; a row's sum is its weight, zeros count nothing.

    Returns:
        The pool; its bias sums to 0.
    """
    from scipy.optimize import minimize  # type: ignore[import-untyped]  # noqa: PLC0415  slow

    classes = targets.shape[1]
    stacked = np.stack([first, second])
    mass = targets / targets.sum()

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights, bias = parameters[:2], parameters[2:]
        probabilities = softmax(np.tensordot(weights, stacked, axes=1) + bias)
        error = mass.sum(axis=1, keepdims=True) * probabilities - mass
        value = -(mass * np.log(np.maximum(probabilities, 1e-12))).sum()
        slope = np.concatenate([(stacked * error).sum(axis=(1, 2)), error.sum(axis=0)])
        slope[2:] += 2 * _PULL * bias
        return float(value + _PULL * (bias @ bias)), slope

    start = np.concatenate([np.full(2, 0.5), np.zeros(classes)])
    bounds = [(0, None)] * 2 + [(None, None)] * classes
    found = minimize(loss, start, jac=True, bounds=bounds, method="L-BFGS-B").x
    return Pool(weights=(float(found[0]), float(found[1])), bias=found[2:] - found[2:].mean())


def calibration_error(confidence: NDArray[np.float64], correct: NDArray[np.bool_]) -> float:
    """Expected calibration error in [0, 1]: how far confidence and accuracy lie apart.

    Args:
        confidence: Probability [n] of each prediction, in [0, 1].
        correct: Whether each was right [n].

    Returns:
        The mean difference over 15 bins of equal width, weighted by their size; 0 without data.
    """
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    gaps = np.bincount(bins, weights=confidence - correct, minlength=_BINS)
    return float(np.abs(gaps).sum() / max(len(confidence), 1))


def lower_bound(
    correct: NDArray[np.bool_], weights: NDArray[np.float64], certainty: float
) -> float:
    """The share of right ones that is exceeded with that certainty.

    Clopper and Pearson's bound on as many equally weighed predictions as these are worth (Kish).

    Args:
        correct: Whether each prediction was right [n].
        weights: How much each counts [n], > 0.
        certainty: Probability in (0, 1) that the true share is at least the bound.

    Returns:
        A share in [0, 1]; 0 without evidence.
    """
    if not correct.any():
        return 0.0
    worth = weights.sum() ** 2 / (weights**2).sum()
    right = worth * weights[correct].sum() / weights.sum()
    return beta_quantile(1 - certainty, right, worth - right + 1)


def threshold(
    confidence: NDArray[np.float64],
    correct: NDArray[np.bool_],
    weights: NDArray[np.float64],
    *,
    promised: float,
    certainty: float,
) -> float | None:
    """The lowest confidence from which a queue's predictions keep a promise.

    Args:
        confidence: Probability [n] of each prediction of the queue, in [0, 1].
        correct: Whether each was right [n].
        weights: How much each counts [n], > 0.
        promised: Share in (0, 1) that must be right at or over the threshold.
        certainty: Probability in (0, 1) with which the true share must reach the promise.

    Returns:
        The threshold in [0, 1), or None when no amount of confidence has proven the promise.
    """
    order = np.argsort(-confidence, kind="stable")
    for count in range(len(order), 0, -1):
        least = float(confidence[order[count - 1]])
        cuts_between_equals = count < len(order) and confidence[order[count]] == least
        kept = order[:count]
        if cuts_between_equals or least >= 1:
            continue
        if lower_bound(correct[kept], weights[kept], certainty) >= promised:
            return least
    return None
