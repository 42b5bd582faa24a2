"""What a refit learns from: base data and answers, without what newer answers contradict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from core.contradictions import (
    BASE,
    Labelled,
    contradicted_answers,
    contradicted_base,
    labelled,
    outdated,
    reaching,
)
from core.dataset import Example
from core.settled import Divided, as_example
from core.training_data import PARTS, Part, TrainingData

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LeftOut:
    """How many labels newer answers contradict, so that nothing is learned from them.

    Attributes:
        answers: Of people.
        base: Of the base data.
    """

    answers: int = 0
    base: int = 0


@dataclass(frozen=True, slots=True)
class LearningSet:
    """Texts with their labels and embeddings.

    Attributes:
        data: The base data.
        settled: What people settled.
        base: Embeddings of the base data's texts, float32 [n, dim], by part.
        answers: Embeddings of the settled texts, float32 [m, dim], by part.
        left_out: What is not in it any more.
    """

    data: TrainingData = field(repr=False)
    settled: Divided = field(repr=False)
    base: Mapping[str, NDArray[np.float32]] = field(repr=False)
    answers: Mapping[str, NDArray[np.float32]] = field(repr=False)
    left_out: LeftOut = LeftOut()

    def examples(self, part: str) -> list[Example]:
        """The labelled texts of a part: base data first, then answers."""
        people = [as_example(each) for each in getattr(self.settled, part)]
        return [*getattr(self.data, part).examples, *people]

    def embeddings(self, part: str) -> NDArray[np.float32]:
        """Their embeddings float32 [n + m, dim]."""
        return np.concatenate([self.base[part], self.answers[part]])


def without_contradicted(everything: LearningSet) -> LearningSet:
    """Leave out the labels that newer answers contradict; see `core.contradictions`."""
    base = {part: _base(everything, part) for part in PARTS}
    people = {part: _people(everything, part) for part in PARTS}
    taught = reaching(people["train"], base["train"])
    fallen = contradicted_answers(taught)
    standing = taught.taken(np.flatnonzero(~fallen))
    out_of_base = {"train": contradicted_base(base["train"], standing)}
    out_of_people = {"train": fallen}
    for part in ("calibrate", "test"):
        known = (people[part], base["train"], taught, ~fallen)
        out_of_base[part] = outdated(base[part], *known)
        out_of_people[part] = outdated(people[part], *known)
    return _kept(
        everything,
        {part: ~out for part, out in out_of_base.items()},
        {part: ~out for part, out in out_of_people.items()},
    )


def _base(everything: LearningSet, part: str) -> Labelled:
    examples = getattr(everything.data, part).examples
    at = np.full(len(examples), BASE, dtype=np.int64)
    return _labelled(everything, examples, everything.base[part], at)


def _people(everything: LearningSet, part: str) -> Labelled:
    settled = getattr(everything.settled, part)
    at = np.array([each.order for each in settled], dtype=np.int64)
    examples = [as_example(each) for each in settled]
    return _labelled(everything, examples, everything.answers[part], at)


def _labelled(
    everything: LearningSet,
    examples: Sequence[Example],
    embeddings: NDArray[np.float32],
    at: NDArray[np.int64],
) -> Labelled:
    codes = {name: code for code, name in enumerate(everything.data.queues)}
    no_ticket = len(codes)
    labels = [
        no_ticket if each.is_ticket is False else codes.get(each.queue or "", -1)
        for each in examples
    ]
    also = [codes.get(each.alt_queue or "", -1) for each in examples]
    texts = [each.text for each in examples]
    return labelled(
        texts, embeddings, np.array(labels, dtype=np.int64), np.array(also, np.int64), at
    )


def _kept(
    everything: LearningSet,
    base: Mapping[str, NDArray[np.bool_]],
    people: Mapping[str, NDArray[np.bool_]],
) -> LearningSet:
    """What the masks of each part keep."""
    known = everything.data
    train, calibrate, test = (_part(getattr(known, part), base[part]) for part in PARTS)
    settled = {part: _chosen(getattr(everything.settled, part), people[part]) for part in PARTS}
    return LearningSet(
        data=replace(known, train=train, calibrate=calibrate, test=test),
        settled=Divided(**settled),
        base={part: everything.base[part][base[part]] for part in PARTS},
        answers={part: everything.answers[part][people[part]] for part in PARTS},
        left_out=LeftOut(
            answers=sum(int((~mask).sum()) for mask in people.values()),
            base=sum(int((~mask).sum()) for mask in base.values()),
        ),
    )


def _part(known: Part, kept: NDArray[np.bool_]) -> Part:
    first = len(known.tickets)
    return Part(_chosen(known.tickets, kept[:first]), _chosen(known.messages, kept[first:]))


def _chosen(values: Sequence[T], kept: NDArray[np.bool_]) -> tuple[T, ...]:
    return tuple(compress(values, kept.tolist()))
