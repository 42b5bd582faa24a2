"""Fits a queue head on few examples of each queue, with confidences from cross-validation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from core.calibration import fit_pool
from core.features import SparseRows
from core.fitting import MEANING_STRENGTH, WORDING_STRENGTH, FitData, as_matrix, fit_linear
from core.heads import Heads, LabelHead, Linear

_FOLDS = 5
_SEED = 0


@dataclass(frozen=True, slots=True)
class FewShotHead:
    """A queue head and what is known about it.

    Attributes:
        head: Fitted to all texts.
        right: How many of each queue's examples got it from a head that was fitted without them,
            by class.
    """

    head: LabelHead
    right: tuple[int, ...]


def fit_few(base: Heads, data: FitData, examples: NDArray[np.bool_]) -> FewShotHead:
    """Fit the three models of a queue head, and their pool by cross-validation.

    Args:
        base: Heads whose word and run features are taken as they are.
        data: n texts with queues: examples, and descriptions that only help to fit.
        examples: Which of the texts are examples [n].

    Returns:
        The head; its confidences are modest, see `_modest`.
    """
    models = _Models(base, data)
    queue = data.targets.queue.argmax(axis=1)
    fold = np.full(len(queue), -1)
    for column in np.unique(queue):
        own = np.flatnonzero(examples & (queue == column))
        fold[own] = np.arange(len(own)) % _FOLDS
    logits = np.zeros((3, *data.targets.queue.shape))
    for number in range(_FOLDS):
        logits[:, fold == number] = models.judge(fold == number)
    written = fit_pool([each[examples] for each in logits], _modest(data.targets.queue[examples]))
    own = queue[examples]
    found = own[written([each[examples] for each in logits]).argmax(axis=1) == own]
    right = np.bincount(found, minlength=data.targets.queue.shape[1])
    return FewShotHead(LabelHead(*models.fit(), written=written), tuple(right.tolist()))


class _Models:
    """Fits by meaning, by words and by runs on some of the texts, and judges others."""

    def __init__(self, base: Heads, data: FitData) -> None:
        inputs = base.inputs(data.texts, data.embeddings)
        self._target = data.targets.queue
        self._meaning = inputs.embeddings
        self._words = _Wording(inputs.words, len(base.words.rarity))
        self._runs = _Wording(inputs.runs, len(base.runs.rarity))

    def fit(self) -> tuple[Linear, Linear, Linear]:
        """The three models of all texts."""
        by_meaning, by_words, by_runs = self._fit(np.arange(len(self._target)))
        return by_meaning, self._words.spread(by_words), self._runs.spread(by_runs)

    def judge(self, rows: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Logits [3, n, classes] of texts by models that were fitted to all others."""
        features = (self._meaning, self._words.features, self._runs.features)
        models = self._fit(np.flatnonzero(~rows))
        return np.stack(
            [
                np.asarray(each[rows] @ model.weights + model.bias, dtype=np.float64)
                for each, model in zip(features, models, strict=True)
            ]
        )

    def _fit(self, rows: NDArray[np.int64]) -> tuple[Linear, Linear, Linear]:
        target = self._target[rows]
        wording = partial(fit_linear, targets=target, strength=WORDING_STRENGTH, seed=_SEED)
        return (
            fit_linear(self._meaning[rows], target, strength=MEANING_STRENGTH, seed=_SEED),
            wording(self._words.features[rows]),
            wording(self._runs.features[rows]),
        )


class _Wording:
    """Hashed features without the many buckets that no text has: their weights would be 0."""

    def __init__(self, rows: SparseRows, buckets: int) -> None:
        full = as_matrix(rows, buckets)
        self._buckets = buckets
        self._used = np.unique(full.indices)
        self.features = full[:, self._used]

    def spread(self, model: Linear) -> Linear:
        """The same model of all buckets."""
        weights = np.zeros((self._buckets, model.weights.shape[1]), dtype=np.float32)
        weights[self._used] = model.weights
        return Linear(weights, model.bias).halved()


def _modest(targets: NDArray[np.float32]) -> NDArray[np.float64]:
    """Targets that no finite number of examples makes certain, rows of sum 1.

    With n examples the right queue gets (n + 1) / (n + 2) and the others share the rest (Platt,
    1999): examples that somebody thought up are cleaner than what people will write.
    """
    given = (targets > 0).astype(np.float64)
    known = given @ given.sum(axis=0)
    sure = ((known + 1) / (known + 2))[:, None]
    return np.asarray(given * sure + (1 - given) * (1 - sure) / (targets.shape[1] - 1))
