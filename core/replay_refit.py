"""What a refit is compared on: held-out texts of people, and the base data's test part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from core.classifier import Classifier
from core.dataset import Example
from core.progress import Progress
from core.refit import Refit
from core.replay import Replay, Texts, compare
from core.settled import as_example
from core.training_data import PARTS, Part


def replay(
    current: Classifier,
    candidate: Classifier,
    made: Refit,
    *,
    progress: Progress,
) -> Replay:
    """Compare a refit with the version that it was made from.

    Args:
        current: That version.
        candidate: The refit.
        made: The refit's texts and embeddings.
        progress: Told how far it is.
    """
    sets = list(_texts(current, made))
    compared = []
    for each in sets:
        compared.append(compare(current, candidate, each))
        progress("replay", len(compared), len(sets))
    return Replay(
        candidate=candidate.version,
        current=current.version,
        made_at=candidate.manifest.created_at,
        settled={part: len(getattr(made.learned.settled, part)) for part in PARTS},
        contradicted=made.learned.left_out,
        sets=tuple(compared),
    )


def _texts(current: Classifier, made: Refit) -> Iterator[Texts]:
    held_out = [each for each in made.learned.settled.test if not each.one_of]
    examples = [as_example(each) for each in held_out]
    yield Texts(
        name="settled by people and held out",
        examples=examples,
        embeddings=current.encoder.encode([example.text for example in examples]),
        filed=[each.filed for each in held_out],
        numbers=[each.ticket for each in held_out],
    )
    known = made.learned.data.test
    certain = np.array([not each.one_of for each in known.examples], dtype=bool)
    part = Part(_certain(known.tickets), _certain(known.messages))
    embeddings = made.learned.base["test"][certain]
    first = len(part.tickets)
    of_table = ("tickets of the base data", part.tickets, embeddings[:first], True)
    messages = (
        "messages of the base data",
        part.messages,
        embeddings[first:],
        False,
    )
    for name, some, embedded, filed in (of_table, messages):
        if some:
            yield Texts(name, some, embedded, [filed] * len(some))


def _certain(examples: Sequence[Example]) -> tuple[Example, ...]:
    """Those of which it is known where they belong; a queue that was split is no such answer."""
    return tuple(each for each in examples if not each.one_of)
