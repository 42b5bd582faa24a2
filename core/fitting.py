"""Fits the classifier heads on texts and their embeddings; needs no torch."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix  # type: ignore[import-untyped]
from sklearn.cluster import MiniBatchKMeans  # type: ignore[import-untyped]
from sklearn.exceptions import ConvergenceWarning  # type: ignore[import-untyped]
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]

from core.calibration import fit_pool
from core.heads import (
    Constant,
    Heads,
    LabelHead,
    Linear,
    Novelty,
    Pool,
    SparseRows,
    WordFeatures,
    is_stripped,
    nearest,
)
from core.targets import Targets

_BUCKETS = 2**16
_MEANING_STRENGTH = 10.0
_WORDS_STRENGTH = 3.0
"""scikit-learn's C, how little the weights are held back; chosen on a training batch left out."""

_POOL_OF_ITS_OWN = 100
"""Texts that a kind of texts needs to be calibrated apart."""

_CENTRES = 256
_QUANTILES = 1001


@dataclass(frozen=True, slots=True)
class FitData:
    """n texts that heads are fitted to, or calibrated on.

    Attributes:
        texts: Normalized.
        embeddings: Unit vectors float32 [n, dim].
        targets: What is known about them.
    """

    texts: Sequence[str]
    embeddings: NDArray[np.float32]
    targets: Targets


def fit_heads(
    train: FitData,
    calibrate: FitData,
    *,
    known: Mapping[str, Linear] | None = None,
    seed: int,
    progress: Callable[[int, int], None],
) -> Heads:
    """Fit all heads.

    Args:
        train: Texts to fit on; with a row of weight zero, they say nothing about a labelling.
        calibrate: Texts to calibrate on, none of them among the others.
        known: Classifiers of embeddings that fine-tuning has already made, by labelling.
        seed: Fixes what is random.
        progress: Told how many of how many labellings are done.

    Returns:
        The heads; a labelling that nothing is known about gets the same answer for every text.
    """
    words = WordFeatures.fit(train.texts, buckets=_BUCKETS)
    fitter = _Fitter(train, calibrate, words, known or {}, seed)
    fits: dict[str, LabelHead | Constant] = {}
    for name in ("queue", "ticket", "urgency", "impact"):
        fits[name] = fitter.fit(name)
        progress(len(fits), 4)
    return Heads(
        words=words,
        novelty=_fit_novelty(train.embeddings, calibrate.embeddings, seed=seed),
        **fits,
    )


class _Fitter:
    """Fits one labelling after another on the same texts."""

    def __init__(
        self,
        train: FitData,
        calibrate: FitData,
        words: WordFeatures,
        known: Mapping[str, Linear],
        seed: int,
    ) -> None:
        self._train, self._calibrate, self._known, self._seed = train, calibrate, known, seed
        self._words = _matrix(words.transform(train.texts))
        self._calibrate_words = words.transform(calibrate.texts)

    def fit(self, name: str) -> LabelHead | Constant:
        target: NDArray[np.float32] = getattr(self._train.targets, name)
        check: NDArray[np.float64] = getattr(self._calibrate.targets, name).astype(np.float64)
        if not (np.count_nonzero(target.any(axis=0)) > 1 and check.any()):
            return Constant(_UNKNOWN[name])
        by_meaning = self._known.get(name) or fit_linear(
            self._train.embeddings, target, strength=_MEANING_STRENGTH, seed=self._seed
        )
        by_words = fit_linear(self._words, target, strength=_WORDS_STRENGTH, seed=self._seed)
        logits = [by_meaning(self._calibrate.embeddings), by_words(self._calibrate_words)]
        check = _balanced(check) if name in _BALANCED else _settled(check, logits)
        written, stripped = self._pools(logits, check)
        return LabelHead(
            embedding=by_meaning,
            words=by_words,
            weights=written.weights,
            bias=written.bias,
            stripped=stripped,
        )

    def _pools(
        self, logits: Sequence[NDArray[np.float64]], check: NDArray[np.float64]
    ) -> tuple[Pool, Pool | None]:
        """A pool for texts as people write them and one for stripped ones, or one for both."""
        known = check.any(axis=1)
        stripped = np.array([is_stripped(text) for text in self._calibrate.texts])
        groups = [known & ~stripped, known & stripped]
        if min(group.sum() for group in groups) < _POOL_OF_ITS_OWN:
            groups = [known]
        pools = [fit_pool(logits[0][rows], logits[1][rows], check[rows]) for rows in groups]
        return pools[0], pools[1] if len(pools) > 1 else None


_BALANCED = {"urgency", "impact"}
"""Calibrated as if each class came as often: how often it does, hand-written texts cannot say."""

_UNKNOWN = {
    "ticket": np.array([0.0, 1.0]),  # nothing is ever taken for small talk
    "urgency": np.array([0.2, 0.6, 0.2]),
    "impact": np.array([0.1, 0.2, 0.7]),
}
"""What is said of every text where no training text says anything; unsure on purpose."""


def _balanced(targets: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same targets with every class weighing as much as any other."""
    return np.asarray(targets / np.maximum(targets.sum(axis=0), 1e-12))


def _settled(
    targets: NDArray[np.float64], logits: Sequence[NDArray[np.float64]]
) -> NDArray[np.float64]:
    """The same targets with a row's weight on that of its classes which the models favour.

    Either of two defensible queues is right, and confidence shall tell how often it is.
    """
    votes = np.where(targets > 0, sum(logits), -np.inf).argmax(axis=1)
    chosen = np.eye(targets.shape[1])[votes]
    return np.asarray(chosen * targets.sum(axis=1, keepdims=True))


def fit_linear(
    features: NDArray[np.float32] | csr_matrix,
    targets: NDArray[np.float32],
    *,
    strength: float,
    seed: int,
) -> Linear:
    """Fit a multinomial logistic regression to soft targets.

    Args:
        features: [n, features], dense or sparse.
        targets: float32 [n, classes]; a row's sum is its weight, zeros count nothing.
        strength: Inverse of the penalty on the weights.
        seed: Fixes what is random in the solver.

    Returns:
        The affine map whose softmax is the model. A class without any weight gets no chance.
    """
    rows, classes = np.nonzero(targets)
    model = LogisticRegression(C=strength, max_iter=300, tol=1e-3, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # near the optimum is good enough
        model.fit(features[rows], classes, sample_weight=targets[rows, classes])
    weights, bias = model.coef_, model.intercept_
    if len(model.classes_) == 2:
        weights, bias = np.vstack([-weights, weights]) / 2, np.concatenate([-bias, bias]) / 2
    full = np.zeros((features.shape[1], targets.shape[1]), dtype=np.float32)
    level = np.full(targets.shape[1], -20.0, dtype=np.float32)
    full[:, model.classes_] = weights.T
    level[model.classes_] = bias
    return Linear(weights=full, bias=level)


def _matrix(rows: SparseRows, buckets: int = _BUCKETS) -> csr_matrix:
    shape = (len(rows.offsets) - 1, buckets)
    return csr_matrix((rows.values, rows.buckets, rows.offsets), shape=shape)


def _fit_novelty(train: NDArray[np.float32], unseen: NDArray[np.float32], *, seed: int) -> Novelty:
    """Learn where the training's texts lie, and how far texts like them stray."""
    clusters = MiniBatchKMeans(min(_CENTRES, len(train)), random_state=seed, n_init=1).fit(train)
    centres = clusters.cluster_centers_
    centres /= np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), 1e-12)
    distances = np.quantile(nearest(unseen, centres), np.linspace(0, 1, _QUANTILES))
    return Novelty(centres=centres.astype(np.float32), distances=distances)
