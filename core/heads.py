"""The classifier heads of a bundle: from texts and embeddings to calibrated probabilities."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

_WORD = re.compile(r"[^\W\d_]{2,}")
_WRITTEN = re.compile(r"[^\w\s]|[\d_]")


@dataclass(frozen=True, slots=True)
class HeadOutputs:
    """What the heads say about n texts.

    Attributes:
        queue: Calibrated probabilities float64 [n, queues], in the manifest's order of queues.
        ticket: Probability float64 [n] that the text asks for something.
        urgency: Probabilities float64 [n, 3] of high, medium, low.
        impact: Probabilities float64 [n, 3] of company, team, user.
        novelty: Share float64 [n] in [0, 1] of texts like the training's that lie closer to it.
    """

    queue: NDArray[np.float64]
    ticket: NDArray[np.float64]
    urgency: NDArray[np.float64]
    impact: NDArray[np.float64]
    novelty: NDArray[np.float64]


def words(text: str) -> list[str]:
    """The words of a text and its pairs of neighbouring words, in lower case, without digits."""
    single = _WORD.findall(text.lower())
    return single + [f"{first} {second}" for first, second in pairwise(single)]


def is_stripped(text: str) -> bool:
    """Whether a text has no capitals, digits or marks, like tickets of an anonymised export."""
    return _WRITTEN.search(text) is None and text == text.lower()


@dataclass(frozen=True, slots=True)
class SparseRows:
    """A sparse matrix [n, buckets] with as much of it as prediction needs.

    Attributes:
        values: float32 [entries], row after row.
        buckets: Column of each entry, int64 [entries].
        offsets: Where each row begins in them, and the end, int64 [n + 1].
    """

    values: NDArray[np.float32]
    buckets: NDArray[np.int64]
    offsets: NDArray[np.int64]

    def __matmul__(self, weights: NDArray[np.float32]) -> NDArray[np.float32]:
        """The product float32 [n, classes] with dense weights [buckets, classes]."""
        starts, lengths = self.offsets[:-1], np.diff(self.offsets)
        result = np.zeros((len(starts), weights.shape[1]), dtype=np.float32)
        filled = lengths > 0
        if filled.any():
            products = weights[self.buckets] * self.values[:, None]
            result[filled] = np.add.reduceat(products, starts[filled], axis=0)
        return result


@dataclass(frozen=True, slots=True)
class WordFeatures:
    """Weighs the words of a text by how rare they are; hashed, so no vocabulary is kept.

    Attributes:
        rarity: Inverse document frequency float32 [buckets].
    """

    rarity: NDArray[np.float32]

    @classmethod
    def fit(cls, texts: Sequence[str], *, buckets: int) -> WordFeatures:
        """Count in how many of the texts the words of each bucket occur."""
        seen = np.zeros(buckets, dtype=np.int64)
        for text in texts:
            seen[np.unique(_hashed(text, buckets))] += 1
        rarity = np.log((1 + len(texts)) / (1 + seen)) + 1
        return cls(rarity=rarity.astype(np.float32))

    def transform(self, texts: Sequence[str]) -> SparseRows:
        """Features of n texts, each row of length 1, or empty for a text without any word."""
        buckets, values = [], []
        for text in texts:
            found, counts = np.unique(_hashed(text, len(self.rarity)), return_counts=True)
            weights = (1 + np.log(counts)) * self.rarity[found]
            buckets.append(found)
            values.append(weights / max(float(np.linalg.norm(weights)), 1e-12))
        return SparseRows(
            values=np.concatenate([*values, np.empty(0)]).astype(np.float32),
            buckets=np.concatenate([*buckets, np.empty(0, dtype=np.int64)]),
            offsets=np.cumsum([0, *map(len, buckets)], dtype=np.int64),
        )


def _hashed(text: str, buckets: int) -> NDArray[np.int64]:
    hashes = (crc32(word.encode()) % buckets for word in words(text))
    return np.fromiter(hashes, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Linear:
    """An affine map.

    Attributes:
        weights: float32 [features, classes].
        bias: float32 [classes].
    """

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]

    def __call__(self, features: NDArray[np.float32] | SparseRows) -> NDArray[np.float64]:
        """Logits float64 [n, classes] of n rows of features."""
        return np.asarray(features @ self.weights + self.bias, dtype=np.float64)


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities [n, classes] of logits [n, classes]."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


@dataclass(frozen=True, slots=True)
class Pool:
    """How two models' logits become one probability.

    Attributes:
        weights: How much each counts, >= 0: a temperature for each.
        bias: Added to the weighed sum, float64 [classes].
    """

    weights: tuple[float, float]
    bias: NDArray[np.float64]

    def __call__(
        self, first: NDArray[np.float64], second: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Probabilities [n, classes] of two models' logits [n, classes]."""
        return softmax(self.weights[0] * first + self.weights[1] * second + self.bias)


@dataclass(frozen=True, slots=True)
class LabelHead:
    """One labelling's probabilities: what embedding and words say, weighed and calibrated.

    Attributes:
        embedding: Logits from the sentence embedding.
        words: Logits from the word features.
        weights: As in `Pool`, for texts as people write them.
        bias: The same.
        stripped: The pool for texts that `is_stripped`: they are mails whose labels are less
            certain, and a confidence that fits them would be too low for messages. None when
            one pool serves both.
    """

    embedding: Linear
    words: Linear
    weights: tuple[float, float]
    bias: NDArray[np.float64]
    stripped: Pool | None = None

    def predict(
        self,
        embeddings: NDArray[np.float32],
        features: SparseRows,
        stripped: NDArray[np.bool_],
    ) -> NDArray[np.float64]:
        """Probabilities of n texts.

        Args:
            embeddings: Unit vectors float32 [n, dim].
            features: The texts' word features, n rows.
            stripped: Which texts [n] are stripped.

        Returns:
            float64 [n, classes].
        """
        by_meaning, by_words = self.embedding(embeddings), self.words(features)
        probabilities = Pool(self.weights, self.bias)(by_meaning, by_words)
        if self.stripped is not None and stripped.any():
            probabilities[stripped] = self.stripped(by_meaning[stripped], by_words[stripped])
        return probabilities


@dataclass(frozen=True, slots=True)
class Constant:
    """A labelling that nothing is known about: the same probabilities for every text.

    Attributes:
        probabilities: float64 [classes].
    """

    probabilities: NDArray[np.float64]

    def predict(
        self,
        embeddings: NDArray[np.float32],
        features: SparseRows,
        stripped: NDArray[np.bool_],
    ) -> NDArray[np.float64]:
        """The same row for each of the n texts, float64 [n, classes]."""
        return np.tile(self.probabilities, (len(embeddings), 1))


@dataclass(frozen=True, slots=True)
class Novelty:
    """How far a text lies from what was trained on.

    Attributes:
        centres: Unit vectors float32 [m, dim] that the training's embeddings gather around.
        distances: Cosine distances float64 [q], sorted: quantiles over texts that are like the
            training's but were not in it.
    """

    centres: NDArray[np.float32]
    distances: NDArray[np.float64]

    def __call__(self, embeddings: NDArray[np.float32]) -> NDArray[np.float64]:
        """Share float64 [n] in [0, 1] of such texts that lie closer than each embedding."""
        ranks = np.linspace(0, 1, len(self.distances))
        return np.interp(nearest(embeddings, self.centres), self.distances, ranks)


def nearest(embeddings: NDArray[np.float32], centres: NDArray[np.float32]) -> NDArray[np.float64]:
    """Cosine distance float64 [n] of unit vectors [n, dim] to the nearest of the centres."""
    return np.asarray(1 - (embeddings @ centres.T).max(axis=1), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Heads:
    """Everything of a bundle that is fitted on top of the sentence encoder.

    Attributes:
        words: The word features that all labellings share.
        queue: Which queue; classes as in the manifest.
        ticket: Whether it is a ticket; classes no, yes.
        urgency: Classes high, medium, low.
        impact: Classes company, team, user.
        novelty: Distance from the training texts.
    """

    words: WordFeatures
    queue: LabelHead | Constant
    ticket: LabelHead | Constant
    urgency: LabelHead | Constant
    impact: LabelHead | Constant
    novelty: Novelty

    def predict(self, texts: Sequence[str], embeddings: NDArray[np.float32]) -> HeadOutputs:
        """Judge texts.

        Args:
            texts: n normalized texts.
            embeddings: Their unit-length embeddings float32 [n, dim].

        Returns:
            What each head says, in the texts' order.
        """
        features = self.words.transform(texts)
        stripped = np.fromiter(map(is_stripped, texts), dtype=np.bool_, count=len(texts))
        queue, ticket, urgency, impact = (
            head.predict(embeddings, features, stripped)
            for head in (self.queue, self.ticket, self.urgency, self.impact)
        )
        return HeadOutputs(
            queue=queue,
            ticket=ticket[:, 1],
            urgency=urgency,
            impact=impact,
            novelty=self.novelty(embeddings),
        )
