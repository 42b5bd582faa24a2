"""Turns logits into probabilities that hold, and probabilities into thresholds that hold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize  # type: ignore[import-untyped]
from scipy.stats import beta  # type: ignore[import-untyped]

from core.heads import softmax

_BINS = 15
_PULL = 0.01
"""Holds the bias near zero where there is little evidence, in log-loss a squared logit."""


def pool(
    logits: Sequence[NDArray[np.float64]],
    targets: NDArray[np.float64],
) -> tuple[tuple[float, ...], NDArray[np.float64]]:
    """Weigh several models' logits so that their softmax fits the targets best.

    One weight for each model is a temperature for each, and their log-linear pool; the bias
    corrects for classes that are more or less frequent than in training.

    Args:
        logits: From each model float64 [n, classes], of texts that none was trained on.
        targets: float64 [n, classes]; a row's sum is its weight, zeros count nothing.

    Returns:
        A weight >= 0 for each model, and the bias float64 [classes], which sums to 0.
    """
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
    bias = found[models:] - found[models:].mean()
    return tuple(float(weight) for weight in found[:models]), bias


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
    return float(beta.ppf(1 - certainty, right, worth - right + 1))


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
