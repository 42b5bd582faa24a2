"""Learning after queues were edited: what the base data say today, and which part of a split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.dataset import Example
from core.features import WordFeatures
from core.fitting import MEANING_STRENGTH, WORDING_STRENGTH, FitData, as_matrix, fit_linear
from core.heads import softmax
from core.queue_edits import ClassNames
from core.training_data import PARTS, Part, TrainingData

LEAST_EACH = 5
"""With fewer answers for one of the parts, what is known of their whole is shared out evenly."""

_BUCKETS = 2**14


def carried(data: TrainingData, names: ClassNames) -> TrainingData:
    """The same texts, with the queues of today.

    Args:
        data: With the queues that a bundle had when it was made.
        names: What that bundle's classes are called today.
    """
    today = dict(zip(names.own, names.classes, strict=True))
    train, calibrate, test = (_part(getattr(data, name), today) for name in PARTS)
    return replace(data, queues=names.queues, train=train, calibrate=calibrate, test=test)


def _part(part: Part, today: Mapping[str, Sequence[str]]) -> Part:
    tickets, messages = (
        tuple(_example(each, today) for each in some) for some in (part.tickets, part.messages)
    )
    return Part(tickets, messages)


def _example(example: Example, today: Mapping[str, Sequence[str]]) -> Example:
    before = (example.queue,) if example.queue else example.one_of
    after = tuple(dict.fromkeys(queue for name in before for queue in today[name]))
    queue = after[0] if len(after) == 1 else None
    also = today[example.alt_queue] if example.alt_queue else ()
    return replace(
        example,
        queue=queue,
        alt_queue=also[0] if queue and len(also) == 1 and also[0] != queue else None,
        one_of=after if len(after) > 1 else (),
    )


def share_out(known: FitData, examples: Sequence[Example], queues: Sequence[str]) -> FitData:
    """Say how probably each text of a split queue belongs to which part.

    Its label tells "one of these" and no more (partial labels: Jin and Ghahramani 2002, "Learning
    with multiple labels"). How the parts differ is learned from what people settled since, and
    what that says of each text is its soft label.

    Args:
        known: What is known about the texts; evenly shared out where it is one of several queues.
        examples: The same texts.
        queues: Names in class order.
    """
    targets = known.targets.queue.copy()
    for parts in dict.fromkeys(example.one_of for example in examples if example.one_of):
        columns = [queues.index(name) for name in parts]
        settled = [row for row, each in enumerate(examples) if each.queue in parts]
        counts = [sum(examples[row].queue == name for row in settled) for name in parts]
        if min(counts) < LEAST_EACH:
            continue
        asked = [row for row, each in enumerate(examples) if each.one_of == parts]
        shares = _shares(known, settled, asked, columns)
        targets[np.ix_(asked, columns)] = shares * targets[asked].sum(axis=1, keepdims=True)
    return replace(known, targets=replace(known.targets, queue=targets))


def _shares(
    known: FitData, settled: Sequence[int], asked: Sequence[int], columns: Sequence[int]
) -> NDArray[np.float64]:
    """Probabilities float64 [asked, parts], by meaning and by words."""
    target = known.targets.queue[np.ix_(settled, columns)]
    words = WordFeatures.fit([known.texts[row] for row in settled], buckets=_BUCKETS)
    told = as_matrix(words.transform([known.texts[row] for row in settled]), _BUCKETS)
    wanted = words.transform([known.texts[row] for row in asked])
    by_meaning = fit_linear(known.embeddings[settled], target, strength=MEANING_STRENGTH, seed=0)
    by_words = fit_linear(told, target, strength=WORDING_STRENGTH, seed=0)
    return softmax(by_meaning(known.embeddings[asked]) + by_words(wanted))
