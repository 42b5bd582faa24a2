"""What people settled, as a model learns from it: what it weighs, and in which part it is."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.dataset import Example
from core.errors import DataError
from core.splits import text_key
from core.text import normalize
from core.training_data import PARTS, TrainingData

PEOPLE = "people"
"""The batch of texts that were settled in the running bot."""

MAX_WEIGHT = 10.0
"""What a settled text may weigh against another; more would let a few decide (clipping)."""

_SHARES = {"train": 0.7, "calibrate": 0.15, "test": 0.15}


@dataclass(frozen=True, slots=True)
class Settled:
    """A text that a person settled.

    Attributes:
        ticket: Its number, `T-12`.
        text: As recorded.
        queue: Where the person says it belongs; None: it is no ticket.
        probability: With which it was put to a person, in (0, 1].
        filed: It was filed on purpose, not written in a channel.
        order: Grows with the time at which it was settled.
        one_of: Where the person's queue was split since, and nobody knows which part was meant:
            the parts; `queue` is None then.
    """

    ticket: str
    text: str
    queue: str | None
    probability: float = 1.0
    filed: bool = True
    order: int = 0
    one_of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Divided:
    """Settled texts by part; the place of a text is the same in every version.

    Attributes:
        train: To fit on.
        calibrate: To calibrate and choose limits on.
        test: Held out: only ever compared on.
    """

    train: tuple[Settled, ...] = ()
    calibrate: tuple[Settled, ...] = ()
    test: tuple[Settled, ...] = ()


def divide(settled: Sequence[Settled], data: TrainingData) -> Divided:
    """Put each text where its hash says, or where the base data has the same text.

    So no version ever trains on what another is compared on.
    """
    known = {
        text_key(example.text): part for part in PARTS for example in getattr(data, part).examples
    }
    parts: dict[str, list[Settled]] = {part: [] for part in PARTS}
    for each in settled:
        key = text_key(normalize(each.text))
        parts[known.get(key) or _place(key)].append(each)
    return Divided(**{part: tuple(found) for part, found in parts.items()})


def _place(key: str) -> str:
    digest = hashlib.sha256(f"{PEOPLE}\0{key}".encode("utf-8", "surrogatepass")).digest()
    at = int.from_bytes(digest[:4], "big") / 2**32
    if at < _SHARES["train"]:
        return "train"
    return "calibrate" if at < _SHARES["train"] + _SHARES["calibrate"] else "test"


def as_example(settled: Settled) -> Example:
    """The labelled text that somebody's decision makes."""
    return Example(
        text=normalize(settled.text),
        queue=settled.queue,
        is_ticket=settled.queue is not None or bool(settled.one_of),
        batch=PEOPLE,
        one_of=settled.one_of,
    )


def importance(settled: Sequence[Settled]) -> NDArray[np.float64]:
    """What each text weighs [n]: how many like it were not put to a person, clipped, mean 1."""
    weights = np.array([min(1 / each.probability, MAX_WEIGHT) for each in settled])
    return weights / weights.mean() if len(weights) else weights


def check_learnable(settled: Sequence[Settled]) -> None:
    """Refuse what nothing can be learned from.

    Raises:
        DataError: Nobody has settled anything, or all of it is one and the same answer.
    """
    if not settled:
        raise DataError(
            "no person has settled a ticket whose text is still there, so there is nothing to "
            "learn from"
        )
    answers = {each.queue for each in settled}
    if len(answers) < 2:
        [only] = answers
        what = f"all belong to {only!r}" if only else "all are no tickets"
        raise DataError(
            f"people have settled {len(settled)} tickets and {what}: the model would only lean "
            "that way; it can learn once another answer is among them"
        )
