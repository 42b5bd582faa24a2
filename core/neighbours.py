"""What people settled governs nearly the same text at once, before anything is fitted again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from core.classifier import Classifier
from core.decision import Classification, Decision, Reason
from core.splits import text_key
from core.text import normalize

SAME_WITHIN = 0.05
"""Cosine distance up to which two texts may be nearly the same; their words must say so too."""

ALIKE = 0.6
"""Share of their runs of characters that nearly the same texts have in common (Jaccard index).

The encoder is fine-tuned to put what belongs together close together, so nearness alone only
tells that two texts are about the same (benchmarks/neighbours.py)."""

_RUN = 5

NEAR_WITHIN = 0.15
"""Up to which a settled text speaks against a sure prediction of another queue."""

_VETOES = 3
"""So many of the nearest are asked; most of them must disagree."""

_SKETCH = 48
_SAMPLE = 1_000
_ROUNDING = 2e-3
"""What squared distances may be off by, the settled embeddings being kept in 16 bits."""


@dataclass(frozen=True, slots=True)
class Precedent:
    """A settled text.

    Attributes:
        ticket: Its ticket's id.
        queue: Where a person says it belongs; None: it is no ticket.
        order: Grows with the time at which it was settled.
        text: As recorded.
    """

    ticket: int
    queue: str | None
    order: int
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Near:
    """A settled text close to the one that is judged.

    Attributes:
        precedent: The settled text.
        distance: Cosine distance, at least 0.
    """

    precedent: Precedent
    distance: float


class Memory:
    """The settled texts of one team; never changed, so that threads may read it.

    Attributes:
        precedents: In the order of the rows.
    """

    def __init__(
        self, precedents: Sequence[Precedent], embeddings: NDArray[np.float32], dim: int
    ) -> None:
        """Take over settled texts.

        Args:
            precedents: n settled texts.
            embeddings: Unit vectors float32 [n, dim].
            dim: Length of an embedding.
        """
        self.precedents = tuple(precedents)
        self._embeddings = embeddings.reshape(len(self.precedents), dim)
        # No projection makes a distance longer: what is far away in few numbers is far away.
        self._projection = _projection(self._embeddings)
        sketch = self._embeddings @ self._projection
        lengths = np.einsum("ij,ij->i", sketch, sketch)
        self._screen = np.ascontiguousarray(np.column_stack([2 * sketch, -lengths]).T)
        self._orders = np.array([each.order for each in self.precedents], dtype=np.int64)

    @classmethod
    def empty(cls, dim: int) -> Memory:
        """The memory of a team that has settled nothing yet, for embeddings of length `dim`."""
        return cls((), np.empty((0, dim), dtype=np.float32), dim)

    def __len__(self) -> int:
        return len(self.precedents)

    def changed(
        self, gone: Collection[int], new: Mapping[Precedent, NDArray[np.float32]], limit: int
    ) -> Memory:
        """Another memory without some tickets and with others; only the newest `limit` stay.

        Args:
            gone: Tickets that are settled no more, or otherwise.
            new: Settled texts with their embeddings float32 [dim].
            limit: Most that it holds.
        """
        drop = {*gone, *(precedent.ticket for precedent in new)}
        kept = [row for row, each in enumerate(self.precedents) if each.ticket not in drop]
        precedents = [*(self.precedents[row] for row in kept), *new]
        dim = self._embeddings.shape[1]
        added = np.array(list(new.values()), dtype=np.float32).reshape(-1, dim)
        embeddings = np.concatenate([self._embeddings[kept], added])
        newest = sorted(range(len(precedents)), key=lambda row: precedents[row].order)[-limit:]
        return Memory([precedents[row] for row in newest], embeddings[newest], dim)

    def near(self, embedding: NDArray[np.float32]) -> list[Near]:
        """The settled texts within `NEAR_WITHIN` of a unit vector float32 [dim], nearest first."""
        if not self.precedents:
            return []
        sketch = embedding @ self._projection
        # The squared distance less the length of the asked one, in one product, with the sign off.
        nearness = np.append(sketch, np.float32(1)) @ self._screen
        rows = np.flatnonzero(nearness >= sketch @ sketch - 2 * NEAR_WITHIN - _ROUNDING)
        distances = np.maximum(1 - self._embeddings[rows] @ embedding, 0)
        within = distances <= NEAR_WITHIN
        rows, distances = rows[within], distances[within]
        nearest = np.lexsort((-self._orders[rows], distances))
        pairs = zip(rows[nearest].tolist(), distances[nearest].tolist(), strict=True)
        return [Near(self.precedents[row], distance) for row, distance in pairs]


def _projection(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """An orthonormal basis float32 [dim, k] of the directions in which unit vectors differ most.

    The randomized range finder of Halko, Martinsson and Tropp (2011), on evenly drawn rows.
    """
    sample = rows[:: max(len(rows) // _SAMPLE, 1)].astype(np.float64)
    basis = np.random.default_rng(0).normal(size=(rows.shape[1], _SKETCH))
    for _ in range(2):
        basis = np.linalg.qr(sample.T @ (sample @ basis)).Q
    return basis.astype(np.float32)


def overlap(first: str, second: str) -> float:
    """The share of runs of five characters that two texts have in common, in [0, 1].

    Case, white space and punctuation do not count.
    """
    one, other = _runs(first), _runs(second)
    return len(one & other) / len(one | other)


def _runs(text: str) -> frozenset[str]:
    letters = text_key(text)
    return frozenset(letters[at : at + _RUN] for at in range(max(len(letters) - _RUN + 1, 1)))


def weigh(
    said: Classification, text: str, near: Sequence[Near], queues: Collection[str]
) -> Classification:
    """What follows when people have settled texts like this one.

    Nearly the same as a settled text, by meaning and by words: its queue is taken, the latest word
    counting. Where that word was "not a ticket", a person is asked: a wrong silence would cost more
    than a look. Otherwise, a sure prediction goes to review when most of the nearest settled texts
    belong elsewhere.

    Args:
        said: What the model says.
        text: The normalized text that it says it about.
        near: From `Memory.near`.
        queues: The queues that exist; what belongs to another one says nothing.

    Returns:
        What holds.
    """
    known = [each for each in near if each.precedent.queue in (None, *queues)]
    if same := _latest_same(text, known):
        return _like(said, same)
    if said.decision is not Decision.AUTO or not known:
        return said
    asked = known[:_VETOES]
    against = [each for each in asked if each.precedent.queue != said.queue_label]
    if 2 * len(against) <= len(asked):
        return said
    return replace(
        said,
        decision=Decision.REVIEW,
        reason=Reason.SETTLED_OTHERWISE,
        precedent=against[0].precedent.ticket,
    )


def _latest_same(text: str, near: Sequence[Near]) -> Precedent | None:
    """What was settled last of that which is nearly the same text."""
    close = [each.precedent for each in near if each.distance <= SAME_WITHIN]
    for each in sorted(close, key=lambda precedent: precedent.order, reverse=True):
        if overlap(text, normalize(each.text)) >= ALIKE:
            return each
    return None


def _like(said: Classification, precedent: Precedent) -> Classification:
    if precedent.queue is None:
        if said.decision is not Decision.AUTO:
            return said
        return replace(
            said,
            decision=Decision.REVIEW,
            reason=Reason.SETTLED_OTHERWISE,
            precedent=precedent.ticket,
        )
    return replace(
        said,
        decision=Decision.AUTO,
        reason=Reason.SETTLED_LIKE,
        queue_label=precedent.queue,
        precedent=precedent.ticket,
    )


def judge_with_precedents(
    classifier: Classifier,
    texts: Sequence[str],
    filed: Sequence[bool],
    memories: Sequence[Memory],
) -> list[Classification]:
    """Judge texts by the model, and by what people have settled.

    Args:
        classifier: The model.
        texts: As people wrote them.
        filed: Whether each was filed on purpose.
        memories: What each one's team has settled.

    Returns:
        One classification for each text, in order.
    """
    if not texts:
        return []
    normal = [normalize(text) for text in texts]
    embeddings = classifier.encoder.encode(normal)
    said = classifier.judge(normal, embeddings, filed=filed)
    return [
        weigh(each, text, memory.near(embedding), classifier.queues) if text else each
        for each, text, embedding, memory in zip(said, normal, embeddings, memories, strict=True)
    ]
