"""The classifier heads of a bundle: from texts and embeddings to calibrated probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.features import RunFeatures, SparseRows, WordFeatures
from core.text import is_stripped


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

    @property
    def outage(self) -> NDArray[np.float64]:
        """Probability float64 [n] that a ticket tells of an outage: urgent, and for the company."""
        return np.asarray(self.urgency[:, 0] * self.impact[:, 0])


@dataclass(frozen=True, slots=True)
class Linear:
    """An affine map.

    Attributes:
        weights: float32 [features, classes]; float16 where features are many and sparse.
        bias: float32 [classes].
    """

    weights: NDArray[np.float16 | np.float32]
    bias: NDArray[np.float32]

    def __call__(self, features: NDArray[np.float32] | SparseRows) -> NDArray[np.float64]:
        """Logits float64 [n, classes] of n rows of features."""
        return np.asarray(features @ self.weights + self.bias, dtype=np.float64)

    def halved(self) -> Linear:
        """The same map in half the bytes, for many features of which a text has few."""
        return Linear(weights=self.weights.astype(np.float16), bias=self.bias)


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities [n, classes] of logits [n, classes]."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


@dataclass(frozen=True, slots=True)
class Pool:
    """How several models' logits become one probability.

    Attributes:
        weights: How much each counts, >= 0: a temperature for each.
        bias: Added to the weighed sum, float64 [classes].
    """

    weights: tuple[float, ...]
    bias: NDArray[np.float64]

    def __call__(self, logits: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        """Probabilities [n, classes] of the models' logits [n, classes], as many as weights."""
        pairs = zip(self.weights, logits, strict=True)
        return softmax(self.bias + sum(weight * each for weight, each in pairs))


@dataclass(frozen=True, slots=True)
class TextInputs:
    """What the heads see of n texts.

    Attributes:
        embeddings: Unit vectors float32 [n, dim].
        words: Word features, n rows.
        runs: Features of runs of characters, n rows.
        stripped: Which of the texts [n] are stripped.
    """

    embeddings: NDArray[np.float32]
    words: SparseRows
    runs: SparseRows
    stripped: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class LabelHead:
    """One labelling's probabilities: what meaning and wording say, weighed and calibrated.

    Attributes:
        embedding: Logits from the sentence embedding.
        words: Logits from the word features.
        runs: Logits from the runs of characters.
        written: Pools the three for texts as people write them.
        stripped: The pool for texts that `is_stripped`: they are mails whose labels are less
            certain, and a confidence that fits them would be too low for messages. None when
            one pool serves both.
    """

    embedding: Linear
    words: Linear
    runs: Linear
    written: Pool
    stripped: Pool | None = None

    def predict(self, inputs: TextInputs) -> NDArray[np.float64]:
        """Probabilities float64 [n, classes] of n texts."""
        logits = self.logits(inputs)
        probabilities = self.written(logits)
        rows = inputs.stripped
        if self.stripped is not None and rows.any():
            probabilities[rows] = self.stripped([each[rows] for each in logits])
        return probabilities

    def logits(self, inputs: TextInputs) -> list[NDArray[np.float64]]:
        """What each model says by itself: logits [n, classes] by meaning, words and runs."""
        return [self.embedding(inputs.embeddings), self.words(inputs.words), self.runs(inputs.runs)]


@dataclass(frozen=True, slots=True)
class Constant:
    """A labelling that nothing is known about: the same probabilities for every text.

    Attributes:
        probabilities: float64 [classes].
    """

    probabilities: NDArray[np.float64]

    def predict(self, inputs: TextInputs) -> NDArray[np.float64]:
        """The same row for each of the n texts, float64 [n, classes]."""
        return np.tile(self.probabilities, (len(inputs.embeddings), 1))


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
        runs: The features of runs of characters that they share.
        queue: Which queue; classes as in the manifest.
        ticket: Whether it is a ticket; classes no, yes.
        urgency: Classes high, medium, low.
        impact: Classes company, team, user.
        novelty: Distance from the training texts.
    """

    words: WordFeatures
    runs: RunFeatures
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
        inputs = self.inputs(texts, embeddings)
        queue, ticket, urgency, impact = (
            head.predict(inputs) for head in (self.queue, self.ticket, self.urgency, self.impact)
        )
        return HeadOutputs(
            queue=queue,
            ticket=self._unless_wording_alone_denies(ticket[:, 1], inputs),
            urgency=urgency,
            impact=impact,
            novelty=self.novelty(embeddings),
        )

    def _unless_wording_alone_denies(
        self, ticket: NDArray[np.float64], inputs: TextInputs
    ) -> NDArray[np.float64]:
        """The same probabilities, but at least one half where the meaning says a ticket.

        "the wifi is slow today" has the words of small talk. Of calibration texts on which the
        two disagree that way, about every other is a ticket.
        """
        if isinstance(self.ticket, Constant):
            return ticket
        no, yes = self.ticket.embedding(inputs.embeddings).T
        counts = self.ticket.written.weights[0]  # 0 where the embedding has nothing to say
        return np.where(counts * (yes - no) > 0, np.maximum(ticket, 0.5), ticket)

    def inputs(self, texts: Sequence[str], embeddings: NDArray[np.float32]) -> TextInputs:
        """What the labellings see of n normalized texts and their embeddings."""
        return TextInputs(
            embeddings=embeddings,
            words=self.words.transform(texts),
            runs=self.runs.transform(texts),
            stripped=np.fromiter(map(is_stripped, texts), dtype=np.bool_, count=len(texts)),
        )
