"""Gathers all texts of a training run, cleaned, and divided so that no part knows another."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.dataset import Example, read_messages, read_tickets
from core.errors import DataError
from core.splits import split, text_key
from core.text import normalize

SPLIT = "SPLIT.json"
"""Beside a file of messages: which of its batches train, calibrate and test."""

PARTS = ("train", "calibrate", "test")
"""What the texts are divided into."""

_HEADS = "heads"
"""In `SPLIT.json` beside the parts: batches of the training part that the encoder is not shown."""

MIN_TEXTS = 10
"""Fewer different texts of a queue cannot be divided into training, calibration and test."""


@dataclass(frozen=True, slots=True)
class Part:
    """The texts of one purpose.

    Attributes:
        tickets: From the table; their texts are normalized.
        messages: From the hand-labelled messages; likewise.
    """

    tickets: tuple[Example, ...]
    messages: tuple[Example, ...]

    @property
    def examples(self) -> tuple[Example, ...]:
        """Tickets and then messages."""
        return self.tickets + self.messages


@dataclass(frozen=True, slots=True)
class TrainingData:
    """All texts of a training run.

    Attributes:
        queues: Names in class order.
        train: To fit models on.
        calibrate: To fit confidences and limits on.
        test: To measure on.
        blank: Rows of the table without text or label, left out.
        for_heads: Batches of `train` that the encoder does not learn: what it has learned lies
            more apart than what is to come, and heads that see both are less easily fooled.
    """

    queues: tuple[str, ...]
    train: Part
    calibrate: Part
    test: Part
    blank: int
    for_heads: frozenset[str] = frozenset()


def read_training_data(
    table: Path, *, text_column: str, label_column: str, messages: Path | None, seed: int
) -> TrainingData:
    """Read, normalize and divide.

    The table is divided at random, the messages by batch as `SPLIT.json` beside them says, or at
    random without it.

    Args:
        table: CSV of texts and queues.
        text_column: Its column with the text.
        label_column: Its column with the queue.
        messages: File of hand-labelled messages.
        seed: Another seed divides the table otherwise.

    Returns:
        The parts.

    Raises:
        DataError: One of the files cannot be used; the message says why.
    """
    tickets = read_tickets(table, text_column=text_column, label_column=label_column)
    kept = _normalized(tickets.examples)
    _check_enough(kept, tickets.queues, table)
    parts = _divided(kept, seed)
    of_messages: dict[str, tuple[Example, ...]] = dict.fromkeys(PARTS, ())
    for_heads: frozenset[str] = frozenset()
    if messages is not None:
        examples = _normalized(read_messages(messages, tickets.queues))
        plan = messages.with_name(SPLIT)
        if plan.exists():
            of_messages, for_heads = _planned(examples, plan)
        else:
            of_messages = _divided(examples, seed)
    train, calibrate, test = (Part(parts[name], of_messages[name]) for name in PARTS)
    return TrainingData(
        queues=tickets.queues,
        train=train,
        calibrate=calibrate,
        test=test,
        blank=tickets.blank + len(tickets.examples) - len(kept),
        for_heads=for_heads,
    )


def one_place(data: TrainingData, known: TrainingData | None = None) -> TrainingData:
    """Put every text into one part, wherever it comes from.

    A message may be word for word a ticket of the table. It is held out if one of them is, from
    calibration for the test, and from training for both.

    Args:
        data: Tickets and messages, each divided by themselves.
        known: What the encoder was made from. A text of these stays where it was there: measured
            on what the encoder has learned, every figure would flatter.
    """
    place = {
        text_key(example.text): part
        for source in (data, known)
        if source is not None
        for part in PARTS
        for example in getattr(source, part).examples
    }
    tickets: dict[str, list[Example]] = defaultdict(list)
    messages: dict[str, list[Example]] = defaultdict(list)
    for part in PARTS:
        for example in getattr(data, part).tickets:
            tickets[place[text_key(example.text)]].append(example)
        for example in getattr(data, part).messages:
            messages[place[text_key(example.text)]].append(example)
    train, calibrate, test = (Part(tuple(tickets[part]), tuple(messages[part])) for part in PARTS)
    return replace(data, train=train, calibrate=calibrate, test=test)


def _check_enough(examples: Sequence[Example], queues: Sequence[str], table: Path) -> None:
    different: dict[str, set[str]] = {queue: set() for queue in queues}
    for example in examples:
        different[example.queue or ""].add(text_key(example.text))
    queue = min(different, key=lambda name: (len(different[name]), name))
    if (texts := len(different[queue])) < MIN_TEXTS:
        raise DataError(
            f"{table}: queue {queue!r} has {texts} different texts, needs at least {MIN_TEXTS}."
        )


def _normalized(examples: Sequence[Example]) -> list[Example]:
    """The examples with normalized texts, without those of which nothing is left."""
    normal = (replace(example, text=normalize(example.text)) for example in examples)
    return [example for example in normal if example.text]


def _divided(examples: Sequence[Example], seed: int) -> dict[str, tuple[Example, ...]]:
    labels = [example.queue or "" for example in examples]
    rows = split([example.text for example in examples], labels, seed=seed)
    return {name: tuple(examples[row] for row in getattr(rows, name).tolist()) for name in PARTS}


def _planned(
    examples: Sequence[Example], plan: Path
) -> tuple[dict[str, tuple[Example, ...]], frozenset[str]]:
    """Messages by part, and the batches for the heads alone, as `SPLIT.json` says."""
    try:
        named: dict[str, list[str]] = {_HEADS: [], **json.loads(plan.read_text("utf-8"))}
        batches = {name: set(named[name]) for name in (*PARTS, _HEADS)}
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{plan}: must name the batches of {', '.join(PARTS)}.") from error
    if twice := _in_several(list(batches.values())):
        raise DataError(f"{plan}: names batch {min(twice)!r} for several parts; choose one.")
    if stray := {example.batch for example in examples} - set().union(*batches.values()):
        raise DataError(f"{plan}: says nothing of batch {min(stray)!r}.")
    for_heads = frozenset(batches[_HEADS])
    batches["train"] |= for_heads
    parts = {
        name: tuple(example for example in examples if example.batch in batches[name])
        for name in PARTS
    }
    return parts, for_heads


def _in_several(sets: Sequence[set[str]]) -> set[str]:
    return {each for one in sets for each in one if sum(each in other for other in sets) > 1}
