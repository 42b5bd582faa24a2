"""Which older labels no longer stand because what people have answered since contradicts them.

What belongs to a queue changes: from one day on people answer otherwise, and thousands of older
labels would hold a new version back for months. The rules look at near texts only, so that they
work from the first answers on. They depend on nothing but the labels that are there: what is
forgotten has no say. Held-out texts decide nothing about what is trained on, and none of them is
left out for its own label, unless nearly the same text was answered anew: dropping what the model
gets wrong would flatter every figure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from core.neighbours import ALIKE, SAME_WITHIN, overlap

ABOUT_THE_SAME = 0.5
"""Cosine distance within which a label speaks about a text at all; as what is below, chosen on
shifted labels with two encoders."""

_OUTWEIGHS = 20
"""An answer speaks about so many of the nearest older labels: two odd ones among few answers must
not take away a whole queue's base data."""

_ASKED = 3
_AGREEING = 2
"""Of the three nearest answers that speak about a text so many must name the same other queue."""

BASE = -1
"""The place in time of the base data: before every answer."""

UNKNOWN = -1
"""The code of a label of which nothing is known."""

_AT_ONCE = 128


@dataclass(frozen=True, slots=True)
class Labelled:
    """n labelled texts.

    Attributes:
        texts: Normalized.
        embeddings: Unit vectors float32 [n, dim].
        labels: Codes int64 [n] of their labels; -1 where nothing is known.
        also: Codes int64 [n] of second labels that are right too; -1 where there is none.
        at: Places in time int64 [n]: `BASE`, or an answer's number, which grows.
        reach: Similarities float32 [n] from which on each speaks about a text.
    """

    texts: Sequence[str] = field(repr=False)
    embeddings: NDArray[np.float32] = field(repr=False)
    labels: NDArray[np.int64] = field(repr=False)
    also: NDArray[np.int64] = field(repr=False)
    at: NDArray[np.int64] = field(repr=False)
    reach: NDArray[np.float32] = field(repr=False)

    def __len__(self) -> int:
        return len(self.texts)

    def taken(self, rows: NDArray[np.int64]) -> Labelled:
        """Some of them, by their numbers."""
        texts = [self.texts[row] for row in rows.tolist()]
        return Labelled(
            texts,
            self.embeddings[rows],
            self.labels[rows],
            self.also[rows],
            self.at[rows],
            self.reach[rows],
        )

    def disagrees(self, row: int, label: int) -> bool:
        """Whether a label that is known is another than the row's."""
        known = label != UNKNOWN and self.labels[row] != UNKNOWN
        return known and label not in (self.labels[row], self.also[row])


def labelled(
    texts: Sequence[str],
    embeddings: NDArray[np.float32],
    labels: NDArray[np.int64],
    also: NDArray[np.int64],
    at: NDArray[np.int64],
) -> Labelled:
    """Labelled texts that speak about everything within `ABOUT_THE_SAME`."""
    reach = np.full(len(texts), 1 - ABOUT_THE_SAME, dtype=np.float32)
    return Labelled(texts, embeddings, labels, also, at, reach)


def reaching(answers: Labelled, base: Labelled) -> Labelled:
    """The answers, each speaking about the `_OUTWEIGHS` older labels nearest to it and no more."""
    older, at = _joined(base, answers), np.concatenate([base.at, answers.at])
    reach = answers.reach.copy()
    for start in range(0, len(answers) if len(older) > _OUTWEIGHS else 0, _AT_ONCE):
        rows = slice(start, start + _AT_ONCE)
        near = answers.embeddings[rows] @ older.embeddings.T
        near[at >= answers.at[rows, None]] = -1
        farthest = np.partition(near, -_OUTWEIGHS, axis=1)[:, -_OUTWEIGHS]
        reach[rows] = np.maximum(farthest, reach[rows])
    return replace(answers, reach=reach)


def contradicted_answers(answers: Labelled) -> NDArray[np.bool_]:
    """Which answers newer ones contradict, bool [n].

    The newest is looked at first, and only what stands contradicts: so the latest word is what is
    left in each neighbourhood.
    """
    newest_first = np.argsort(-answers.at, kind="stable")
    known = answers.taken(newest_first)
    stands = np.zeros(len(known), dtype=bool)
    for row, neighbours in _similar(known, known):
        newer = np.flatnonzero(stands[:row])
        stands[row] = not known.disagrees(row, neighbours.word(newer))
    found = np.zeros(len(known), dtype=bool)
    found[newest_first] = ~stands
    return found


def contradicted_base(base: Labelled, answers: Labelled) -> NDArray[np.bool_]:
    """Which labels of the base data are contradicted by answers that stand, bool [n]."""
    everyone = np.arange(len(answers))
    found = np.zeros(len(base), dtype=bool)
    for row, neighbours in _similar(base, answers):
        found[row] = base.disagrees(row, neighbours.word(everyone))
    return found


def outdated(
    held_out: Labelled,
    anew: Labelled,
    base: Labelled,
    answers: Labelled,
    stands: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Which held-out texts lie where newer answers say otherwise than older labels, bool [n].

    Args:
        held_out: Texts that nothing is fitted to.
        anew: The answers that are held out with them: the same text has a newer label there.
        base: The base data that is trained on.
        answers: The answers that are trained on, contradicted ones too: they tell what was said.
        stands: Which of these are not contradicted [m].
    """
    found = np.zeros(len(held_out), dtype=bool)
    for row, neighbours in _similar(held_out, anew):
        newer = np.flatnonzero(anew.at > held_out.at[row])
        found[row] = held_out.disagrees(row, neighbours.of_same_text(newer))
    places = []
    for row, neighbours in _similar(held_out, answers):
        newer = np.flatnonzero(stands & (answers.at > held_out.at[row]))
        found[row] |= held_out.disagrees(row, neighbours.of_same_text(newer))
        now = neighbours.vote(newer)
        if not found[row] and now != UNKNOWN:
            places.append((row, now))
    return _changed(held_out, base, answers, places, found)


def _changed(
    held_out: Labelled,
    base: Labelled,
    answers: Labelled,
    places: Sequence[tuple[int, int]],
    found: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Add the texts whose older neighbours agree on another queue than is said there now."""
    older = _joined(base, answers)
    asked = held_out.taken(np.array([row for row, _ in places], dtype=np.int64))
    for place, neighbours in _similar(asked, older):
        row, now = places[place]
        before = np.flatnonzero((older.at < held_out.at[row]) | (older.at == BASE))
        was = neighbours.vote(before)
        found[row] = was not in (UNKNOWN, now)
    return found


def _joined(first: Labelled, second: Labelled) -> Labelled:
    """Both, speaking as far as a label can."""
    names = ("embeddings", "labels", "also", "at")
    arrays = (np.concatenate([getattr(first, n), getattr(second, n)]) for n in names)
    return labelled([*first.texts, *second.texts], *arrays)


@dataclass(frozen=True, slots=True)
class _Neighbours:
    """What others say about one text, each time asked of some of them by their numbers.

    Attributes:
        text: The text.
        others: Who may speak about it.
        near: Its similarity to each of them, float32 [m].
    """

    text: str
    others: Labelled
    near: NDArray[np.float32]

    def word(self, rows: NDArray[np.int64]) -> int:
        """Of the very same text the latest label, else a vote."""
        same = self.of_same_text(rows)
        return same if same != UNKNOWN else self.vote(rows)

    def of_same_text(self, rows: NDArray[np.int64]) -> int:
        """The latest label of nearly the same text."""
        close = rows[self.near[rows] >= 1 - SAME_WITHIN]
        for other in close[np.argsort(-self.others.at[close], kind="stable")].tolist():
            if overlap(self.text, self.others.texts[other]) >= ALIKE:
                return int(self.others.labels[other])
        return UNKNOWN

    def vote(self, rows: NDArray[np.int64]) -> int:
        """The label that two of the three nearest share, when they are about the same."""
        near, labels = self.near, self.others.labels
        close = rows[(near[rows] >= self.others.reach[rows]) & (labels[rows] != UNKNOWN)]
        nearest = close[np.argsort(-near[close], kind="stable")[:_ASKED]]
        named, counts = np.unique(labels[nearest], return_counts=True)
        if not len(nearest) or counts.max() < _AGREEING:
            return UNKNOWN
        return int(named[counts.argmax()])


def _similar(asked: Labelled, others: Labelled) -> Iterator[tuple[int, _Neighbours]]:
    """Each text's row with its neighbours; none where all are far away."""
    for start in range(0, len(asked) if len(others) else 0, _AT_ONCE):
        block = asked.embeddings[start : start + _AT_ONCE] @ others.embeddings.T
        for place in np.flatnonzero((block >= 1 - ABOUT_THE_SAME).any(axis=1)).tolist():
            row = start + place
            yield row, _Neighbours(asked.texts[row], others, block[place])
