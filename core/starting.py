"""From a team's own queues to a bundle that works at once, with every queue under review."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from io import BytesIO

import joblib  # type: ignore[import-untyped]
import numpy as np
from numpy.typing import NDArray

from core import bundle
from core.base_data import BASE_DATA, pack
from core.bundle import Bundle
from core.dataset import Example
from core.few_examples import FewShotHead, fit_few
from core.fitting import FitData, fit_data
from core.heads import Heads, Novelty
from core.language import detect
from core.manifest import Manifest
from core.policy import UNPROVEN, Rules
from core.queue_file import QueueExamples
from core.refit import base_data_of
from core.training_data import Part, TrainingData

EXAMPLES = "examples"
"""The batch of the texts that a team gave with its queues."""

_CALIBRATE_EVERY = 4
"""Every fourth example is kept for calibration when the heads are fitted again."""


@dataclass(frozen=True, slots=True)
class LeftOutInTurn:
    """How a queue's examples did when they were left out.

    Attributes:
        name: The queue.
        examples: How many it has.
        right: How many of them got it from a head that was fitted without them.
    """

    name: str
    examples: int
    right: int


@dataclass(frozen=True, slots=True)
class Started:
    """A bundle of a team's own queues, not written yet.

    Attributes:
        manifest: Without version, as `core.bundle.save` takes it.
        files: Its files by name.
        queues: How each queue's examples did.
    """

    manifest: Manifest
    files: Mapping[str, bytes] = field(repr=False)
    queues: tuple[LeftOutInTurn, ...]

    @property
    def examples(self) -> int:
        """How many examples it was made from."""
        return sum(queue.examples for queue in self.queues)

    @property
    def right(self) -> int:
        """How many of them got their queue from a head that was fitted without them."""
        return sum(queue.right for queue in self.queues)


def start(
    base: Bundle, queues: Sequence[QueueExamples], *, now: datetime, threads: int = 2
) -> Started:
    """Make a bundle that knows a team's queues from their examples.

    What is a ticket, urgency and impact are the base's, for they are the same whatever the queues
    are. Nothing is routed unasked until `core.refit` finds the evidence in what people settled.

    Args:
        base: Whose encoder, other heads and messages are taken.
        queues: At least two, in class order.
        now: Becomes the bundle's date (aware).
        threads: Threads inside one multiplication of the encoder.

    Returns:
        The bundle.

    Raises:
        BundleError: The base was made without its texts, or its heads cannot be read.
    """
    names = tuple(queue.name for queue in queues)
    messages = base_data_of(base)
    given, described = list(_examples(queues)), list(_descriptions(queues))
    texts = [example.text for example in given + described]
    embeddings = base.encoder(threads=threads).encode(texts)
    heads, few = _fit(base.heads(), fit_data(given + described, names, embeddings), len(given))
    ticket = heads.predict(texts[: len(given)], embeddings[: len(given)]).ticket
    file = BytesIO()
    joblib.dump(heads, file, compress=3)
    files = {
        bundle.ENCODER: base.contents[bundle.ENCODER],
        bundle.TOKENIZER: base.contents[bundle.TOKENIZER],
        bundle.HEADS: file.getvalue(),
        BASE_DATA: pack(_base_data(messages, given, described, names)),
    }
    manifest = replace(
        base.manifest,
        created_at=now,
        queues=names,
        rules=_rules(base.manifest.rules, names, ticket),
        notes=_notes(base, few, len(given)),
        version="",
        files={},
        libraries={},
    )
    in_turn = zip(queues, few.right, strict=True)
    left_out = (LeftOutInTurn(each.name, len(each.examples), right) for each, right in in_turn)
    return Started(manifest, files, tuple(left_out))


def _examples(queues: Sequence[QueueExamples]) -> Iterator[Example]:
    for queue in queues:
        for text in queue.examples:
            yield _example(text, queue.name)


def _descriptions(queues: Sequence[QueueExamples]) -> Iterator[Example]:
    for queue in queues:
        if queue.description:
            yield _example(queue.description, queue.name)


def _example(text: str, queue: str) -> Example:
    return Example(text, queue, is_ticket=True, language=detect(text), batch=EXAMPLES)


def _fit(base: Heads, data: FitData, examples: int) -> tuple[Heads, FewShotHead]:
    few = fit_few(base, data, np.arange(len(data.texts)) < examples)
    centres = np.concatenate([base.novelty.centres, data.embeddings])
    novelty = Novelty(centres=centres, distances=base.novelty.distances)
    return replace(base, queue=few.head, novelty=novelty), few


def _rules(base: Rules, names: Sequence[str], ticket: NDArray[np.float64]) -> Rules:
    """The base's limits, with nothing proven and no example taken for small talk.

    Args:
        base: The limits that the kept heads were given.
        names: The queues.
        ticket: The examples' probabilities of being a ticket.
    """
    least = float(ticket.min())
    return replace(
        base,
        thresholds=dict.fromkeys(names, UNPROVEN),
        stripped_thresholds=None,
        ignore_below=min(base.ignore_below, least),
        ignore_below_in=base.ignore_below_in
        and {name: min(limit, least) for name, limit in base.ignore_below_in.items()},
    )


def _base_data(
    known: TrainingData,
    given: Sequence[Example],
    described: Sequence[Example],
    names: tuple[str, ...],
) -> TrainingData:
    """The examples, and the base's messages without their queues.

    A queue of the same name is not the same queue: only the team's own texts say what it is.
    """
    held = [number % _CALIBRATE_EVERY == 0 for number in range(len(given))]
    own = {
        "train": [*(e for e, out in zip(given, held, strict=True) if not out), *described],
        "calibrate": [e for e, out in zip(given, held, strict=True) if out],
        "test": [],
    }
    parts = {
        name: Part((), (*_without_queues(getattr(known, name).messages), *examples))
        for name, examples in own.items()
    }
    return TrainingData(queues=names, blank=0, for_heads=frozenset(), **parts)


def _without_queues(messages: Sequence[Example]) -> Iterator[Example]:
    for message in messages:
        if message.batch != EXAMPLES:
            yield replace(message, queue=None, alt_queue=None)


def _notes(base: Bundle, few: FewShotHead, examples: int) -> dict[str, str]:
    return {
        "queues learned from": f"{examples} examples",
        "right in cross-validation": f"{sum(few.right)} of {examples} examples",
        "urgency, impact and what is no ticket": f"as in {base.manifest.version}",
        "encoder": base.manifest.notes.get("encoder", base.manifest.version),
    }
