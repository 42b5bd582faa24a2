"""Fits the classifier heads on texts and their embeddings; needs no torch."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix  # type: ignore[import-untyped]
from sklearn.cluster import MiniBatchKMeans  # type: ignore[import-untyped]
from sklearn.exceptions import ConvergenceWarning  # type: ignore[import-untyped]
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]

from core.calibration import fit_pool
from core.dataset import Example
from core.features import RunFeatures, SparseRows, WordFeatures
from core.heads import Constant, Heads, LabelHead, Linear, Novelty, Pool, nearest
from core.targets import Targets, targets
from core.text import is_stripped

_MESSAGE_WEIGHT = 5.0
"""What a message weighs where a ticket of the table weighs 1: tickets outnumber them by far."""

_TABLE_WEIGHT = 0.02
"""What a ticket of the table weighs for what a ticket is, where a message weighs 1."""

_WORD_BUCKETS, _RUN_BUCKETS = 2**16, 2**17
MEANING_STRENGTH = 1.0
WORDING_STRENGTH = 3.0
"""scikit-learn's C, how little the weights are held back; chosen, as the weights, on calibration
texts by cross-validation of the pool."""

_WRITTEN = 500
"""From so many texts as people write them on, runs of characters are learned from these alone."""

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


def fit_data(
    examples: Sequence[Example],
    queues: Sequence[str],
    embeddings: NDArray[np.float32],
    *,
    to_calibrate: bool = False,
) -> FitData:
    """What is known about n examples, weighed as heads need it.

    Args:
        examples: Their texts are normalized.
        queues: Names in class order.
        embeddings: Their unit vectors float32 [n, dim].
        to_calibrate: They will be calibrated on: then tickets of a table say nothing about what
            is no ticket, for they never compete with small talk; nor does what belongs to one of
            several queues say to which.
    """
    certain = [replace(each, one_of=()) if to_calibrate else each for each in examples]
    known = targets(
        certain,
        queues,
        message_weight=_MESSAGE_WEIGHT,
        table_weight=0.0 if to_calibrate else _TABLE_WEIGHT,
    )
    return FitData([example.text for example in examples], embeddings, known)


def fit_heads(
    train: FitData,
    calibrate: FitData,
    *,
    seed: int,
    progress: Callable[[int, int], None],
) -> Heads:
    """Fit all heads.

    Args:
        train: Texts to fit on; with a row of weight zero, they say nothing about a labelling.
        calibrate: Texts to calibrate on, none of them among the others.
        seed: Fixes what is random.
        progress: Told how many of how many labellings are done.

    Returns:
        The heads; a labelling that nothing is known about gets the same answer for every text.
    """
    fitter = _Fitter(train, calibrate, seed)
    fits: dict[str, LabelHead | Constant] = {}
    for name in ("queue", "ticket", "urgency", "impact"):
        fits[name] = fitter.fit(name)
        progress(len(fits), 4)
    return Heads(
        words=fitter.words,
        runs=fitter.runs,
        novelty=_fit_novelty(train.embeddings, calibrate.embeddings, seed=seed),
        **fits,
    )


class _Fitter:
    """Fits one labelling after another on the same texts."""

    def __init__(self, train: FitData, calibrate: FitData, seed: int) -> None:
        self._train, self._calibrate, self._seed = train, calibrate, seed
        self._run_rows = _rows_for_runs(train.texts)
        run_texts = [train.texts[row] for row in self._run_rows.tolist()]
        self.words = WordFeatures.fit(train.texts, buckets=_WORD_BUCKETS)
        self.runs = RunFeatures.fit(run_texts, buckets=_RUN_BUCKETS)
        self._words = as_matrix(self.words.transform(train.texts), _WORD_BUCKETS)
        self._runs = as_matrix(self.runs.transform(run_texts), _RUN_BUCKETS)
        self._words_to_check = self.words.transform(calibrate.texts)
        self._runs_to_check = self.runs.transform(calibrate.texts)

    def fit(self, name: str) -> LabelHead | Constant:
        target: NDArray[np.float32] = getattr(self._train.targets, name)
        check: NDArray[np.float64] = getattr(self._calibrate.targets, name).astype(np.float64)
        if not (np.count_nonzero(target.any(axis=0)) > 1 and check.any()):
            classes = target.shape[1]
            return Constant(_UNKNOWN.get(name, np.full(classes, 1 / classes)))
        by_meaning = fit_linear(
            self._train.embeddings, target, strength=MEANING_STRENGTH, seed=self._seed
        )
        by_words, by_runs = (
            fit_linear(features, known, strength=WORDING_STRENGTH, seed=self._seed).halved()
            for features, known in ((self._words, target), (self._runs, target[self._run_rows]))
        )
        logits = [
            by_meaning(self._calibrate.embeddings),
            by_words(self._words_to_check),
            by_runs(self._runs_to_check),
        ]
        check = _balanced(check) if name in _BALANCED else _settled(check, logits)
        written, stripped = self._pools(logits, check)
        return LabelHead(by_meaning, by_words, by_runs, written, stripped)

    def _pools(
        self, logits: Sequence[NDArray[np.float64]], check: NDArray[np.float64]
    ) -> tuple[Pool, Pool | None]:
        """A pool for texts as people write them and one for stripped ones, or one for both."""
        known = check.sum(axis=1) > 0
        stripped = _stripped(self._calibrate.texts)
        groups: list[NDArray[np.bool_]] = [known & ~stripped, known & stripped]
        if min(group.sum() for group in groups) < _POOL_OF_ITS_OWN:
            groups = [known]
        pools = [fit_pool([each[rows] for each in logits], check[rows]) for rows in groups]
        return pools[0], pools[1] if len(pools) > 1 else None


def _stripped(texts: Sequence[str]) -> NDArray[np.bool_]:
    return np.fromiter(map(is_stripped, texts), dtype=np.bool_, count=len(texts))


def _rows_for_runs(texts: Sequence[str]) -> NDArray[np.int64]:
    """Rows of the texts as people write them; of all where these are few.

    Runs of characters tell much about such texts and nothing about stripped mails that words do
    not tell, but mails would take them over.
    """
    written = np.flatnonzero(~_stripped(texts))
    return written if len(written) >= _WRITTEN else np.arange(len(texts))


_BALANCED = {"urgency", "impact"}
"""Calibrated as if each class came as often: how often it does, hand-written texts cannot say."""

_UNKNOWN = {
    "ticket": np.array([0.0, 1.0]),  # nothing is ever taken for small talk
    "urgency": np.array([0.2, 0.6, 0.2]),
    "impact": np.array([0.1, 0.2, 0.7]),
}
"""What is said of every text where no training text says anything; unsure on purpose. Of queues
nothing can be said then but that each is as probable as any other."""


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
        The affine map whose softmax is the model. A class without any weight gets no chance;
        with fewer than two classes, or no text with any feature, nothing can be told, and all
        are equal.
    """
    rows, classes = np.nonzero(targets)
    occurring = _occurring(features)
    if len(np.unique(classes)) < 2 or not len(occurring):
        nothing = np.zeros((features.shape[1], targets.shape[1]), dtype=np.float32)
        return Linear(weights=nothing, bias=nothing[0])
    model = LogisticRegression(C=strength, max_iter=300, tol=1e-3, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # near the optimum is good enough
        model.fit(features[rows][:, occurring], classes, sample_weight=targets[rows, classes])
    weights, bias = model.coef_, model.intercept_
    if len(model.classes_) == 2:
        weights, bias = np.vstack([-weights, weights]) / 2, np.concatenate([-bias, bias]) / 2
    full = np.zeros((features.shape[1], targets.shape[1]), dtype=np.float32)
    level = np.full(targets.shape[1], -20.0, dtype=np.float32)
    full[np.ix_(occurring, model.classes_)] = weights.T
    level[model.classes_] = bias
    return Linear(weights=full, bias=level)


def _occurring(features: NDArray[np.float32] | csr_matrix) -> NDArray[np.int64]:
    """Columns to fit: the penalty keeps the others at zero, and few texts fill few buckets."""
    if isinstance(features, np.ndarray):
        return np.arange(features.shape[1])
    return np.unique(features.indices).astype(np.int64)


def as_matrix(rows: SparseRows, buckets: int) -> csr_matrix:
    """The same features as `fit_linear` takes them, [n, buckets]."""
    shape = (len(rows.offsets) - 1, buckets)
    return csr_matrix((rows.values, rows.buckets, rows.offsets), shape=shape)


def _fit_novelty(train: NDArray[np.float32], unseen: NDArray[np.float32], *, seed: int) -> Novelty:
    """Learn where the training's texts lie, and how far texts like them stray."""
    clusters = MiniBatchKMeans(min(_CENTRES, len(train)), random_state=seed, n_init=1).fit(train)
    centres = clusters.cluster_centers_
    centres /= np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), 1e-12)
    distances = np.quantile(nearest(unseen, centres), np.linspace(0, 1, _QUANTILES))
    return Novelty(centres=centres.astype(np.float32), distances=distances)
