"""What people settled governs nearly the same text at once, before anything is fitted again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.classifier import Classifier
from core.decision import Classification, Decision, Reason
from core.text import normalize

SAME_WITHIN = 0.05
"""Cosine distance up to which two texts are nearly the same."""

NEAR_WITHIN = 0.15
"""Up to which a settled text speaks against a sure prediction of another queue."""

_VETOES = 3
"""So many of the nearest are asked; most of them must disagree."""

_SKETCH = 64
_SLACK = 2.2
"""A random projection to 64 dimensions nearly always keeps squared distances within this."""


@dataclass(frozen=True, slots=True)
class Precedent:
    """A settled text.

    Attributes:
        ticket: Its ticket's id.
        queue: Where a person says it belongs; None: it is no ticket.
        order: Grows with the time at which it was settled.
    """

    ticket: int
    queue: str | None
    order: int


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
        # Most rows are told to be far away by a sixth of the numbers (Johnson, Lindenstrauss).
        self._projection = _projection(dim)
        self._sketch = self._embeddings @ self._projection
        self._lengths = np.einsum("ij,ij->i", self._sketch, self._sketch)

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
        squared = self._lengths + sketch @ sketch - 2 * (self._sketch @ sketch)
        rows = np.flatnonzero(squared <= 2 * NEAR_WITHIN * _SLACK)
        distances = np.maximum(1 - self._embeddings[rows] @ embedding, 0)
        found = [
            Near(self.precedents[row], float(distance))
            for row, distance in zip(rows.tolist(), distances, strict=True)
            if distance <= NEAR_WITHIN
        ]
        return sorted(found, key=lambda each: (each.distance, -each.precedent.order))


def _projection(dim: int) -> NDArray[np.float32]:
    """A fixed random projection float32 [dim, k] that keeps distances on average."""
    if dim <= _SKETCH:
        return np.eye(dim, dtype=np.float32)
    directions = np.random.default_rng(0).normal(size=(dim, _SKETCH)) / np.sqrt(_SKETCH)
    return np.asarray(directions, dtype=np.float32)


def weigh(said: Classification, near: Sequence[Near], queues: Collection[str]) -> Classification:
    """What follows when people have settled texts like this one.

    Nearly the same as a settled text: its queue is taken, the latest word counting. Where that word
    was "not a ticket", a person is asked: a wrong silence would cost more than a look. Otherwise, a
    sure prediction goes to review when most of the nearest settled texts belong elsewhere.

    Args:
        said: What the model says.
        near: From `Memory.near`.
        queues: The queues that exist; what belongs to another one says nothing.

    Returns:
        What holds.
    """
    known = [each for each in near if each.precedent.queue in (None, *queues)]
    same = [each for each in known if each.distance <= SAME_WITHIN]
    if same:
        return _like(said, max(same, key=lambda each: each.precedent.order).precedent)
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
        weigh(each, memory.near(embedding), classifier.queues) if text else each
        for each, text, embedding, memory in zip(said, normal, embeddings, memories, strict=True)
    ]
