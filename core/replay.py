"""Replays texts on two versions of a model and compares what they say: before anybody promotes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.classifier import Classifier
from core.dataset import Example
from core.decision import Classification, Decision
from core.evaluation import Figure, calibration, resampled, share
from core.learning_set import LeftOut

REPLAY = "replay.json"
"""The comparison's file in a candidate's folder."""

_FLIPS_KEPT = 200


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts to replay; no version was fitted to them.

    Attributes:
        name: What they are.
        examples: n texts, normalized, with their labels.
        embeddings: float32 [n, dim] by the encoder that both versions share.
        filed: Whether each was filed on purpose.
        numbers: Each one's ticket, `T-12`; empty where the texts are no tickets of the record.
    """

    name: str
    examples: Sequence[Example]
    embeddings: NDArray[np.float32] = field(repr=False)
    filed: Sequence[bool]
    numbers: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class QueuePrecision:
    """How often a queue's automatic routes are right.

    Attributes:
        name: The queue.
        routed: How many texts are routed to it.
        precision: Share of them that belong to it, with its 95 % interval.
    """

    name: str
    routed: int
    precision: Figure


@dataclass(frozen=True, slots=True)
class Figures:
    """How one version does on one set of texts.

    Attributes:
        accuracy: Share of the tickets whose most probable queue is right.
        coverage: Share of the tickets that are routed automatically.
        routed_precision: Share of these that are right.
        calibration_error: Expected calibration error of the confidence.
        false_tickets: Share of what is no ticket that is routed automatically all the same.
        queues: Each queue's automatic routes, in class order.
    """

    accuracy: Figure
    coverage: Figure
    routed_precision: Figure
    calibration_error: Figure
    false_tickets: Figure
    queues: tuple[QueuePrecision, ...]


@dataclass(frozen=True, slots=True)
class Flip:
    """A text about which the versions differ.

    Attributes:
        text: The ticket's number, or the beginning of a text of the base data.
        right: Where it belongs; None: it is no ticket.
        current: What the current version says: queue and decision.
        candidate: What the candidate says.
        change: `better`, `worse` or `neither`: whether the first choice became right or wrong.
    """

    text: str
    right: str | None
    current: tuple[str, str]
    candidate: tuple[str, str]
    change: str


@dataclass(frozen=True, slots=True)
class Compared:
    """Two versions on one set of texts.

    Attributes:
        name: What the texts are.
        texts: How many.
        current: The version in force.
        candidate: The other.
        gain: Candidate's accuracy less the current one's, paired, with its 95 % interval.
        flips: How many texts changed, by `Flip.change`.
        shown: Some of them, those of the record first.
    """

    name: str
    texts: int
    current: Figures
    candidate: Figures
    gain: Figure
    flips: Mapping[str, int]
    shown: tuple[Flip, ...]


@dataclass(frozen=True, slots=True)
class Replay:
    """The whole comparison; `replay.json`.

    Attributes:
        candidate: Its version.
        current: The version that was in force.
        made_at: When (aware).
        settled: How many texts people had settled and nothing newer contradicts, by part.
        contradicted: How many labels were left out because newer answers contradict them.
        sets: One comparison for each set of texts.
    """

    candidate: str
    current: str
    made_at: datetime
    settled: Mapping[str, int]
    contradicted: LeftOut
    sets: tuple[Compared, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {**asdict(self), "made_at": self.made_at.isoformat()}


def compare(current: Classifier, candidate: Classifier, texts: Texts) -> Compared:
    """Judge the same texts with both versions.

    Args:
        current: The version in force.
        candidate: The other, with the same encoder.
        texts: What to judge.
    """
    normal = [example.text for example in texts.examples]
    before, after = (
        model.judge(normal, texts.embeddings, filed=texts.filed) for model in (current, candidate)
    )
    rights = [_right(texts.examples, said) for said in (before, after)]
    gains = np.array(rights[1], dtype=np.float64) - np.array(rights[0], dtype=np.float64)
    tickets = np.array([example.queue is not None for example in texts.examples], dtype=bool)
    gains = gains[tickets]
    flips = list(_flips(texts, before, after, rights))
    return Compared(
        name=texts.name,
        texts=len(normal),
        current=_figures(texts.examples, before, rights[0], current.queues),
        candidate=_figures(texts.examples, after, rights[1], candidate.queues),
        gain=_mean(gains),
        flips={
            change: sum(flip.change == change for flip in flips)
            for change in ("better", "worse", "neither")
        },
        shown=tuple(flips[:_FLIPS_KEPT]),
    )


def _right(examples: Sequence[Example], said: Sequence[Classification]) -> NDArray[np.bool_]:
    """Whether the first choice is a queue that an honest person could choose [n]."""
    return np.array(
        [
            example.queue is not None and each.queue_label in (example.queue, example.alt_queue)
            for example, each in zip(examples, said, strict=True)
        ],
        dtype=bool,
    )


def _figures(
    examples: Sequence[Example],
    said: Sequence[Classification],
    right: NDArray[np.bool_],
    queues: Sequence[str],
) -> Figures:
    ticket = np.array([example.queue is not None for example in examples], dtype=bool)
    routed = np.array([each.decision is Decision.AUTO for each in said], dtype=bool)
    given = np.array([each.queue_label for each in said], dtype=object)
    confidence = np.array([each.confidence for each in said], dtype=np.float64)
    sure, hits = confidence[ticket], right[ticket]
    precisions = (share(right[ticket & routed & (given == name)]) for name in queues)
    return Figures(
        accuracy=share(hits),
        coverage=share(routed[ticket]),
        routed_precision=share(right[ticket & routed]),
        calibration_error=calibration(sure, hits),
        false_tickets=share(routed[~ticket]),
        queues=tuple(
            QueuePrecision(name, found.n, found)
            for name, found in zip(queues, precisions, strict=True)
        ),
    )


def _mean(values: NDArray[np.float64]) -> Figure:
    if not len(values):
        return Figure(0.0, -1.0, 1.0, 0)
    return resampled(lambda rows: float(values[rows].mean()), len(values))


def _flips(
    texts: Texts,
    before: Sequence[Classification],
    after: Sequence[Classification],
    rights: Sequence[NDArray[np.bool_]],
) -> list[Flip]:
    """The texts of which queue or decision changed, those that became worse first."""
    found = []
    for row, (old, new) in enumerate(zip(before, after, strict=True)):
        was, is_now = _said(old), _said(new)
        if was == is_now:
            continue
        # A text of the record is named by its ticket, so that forgetting that forgets it here too.
        name = texts.numbers[row] if texts.numbers else texts.examples[row].text[:80]
        change = ("worse", "neither", "better")[1 + int(rights[1][row]) - int(rights[0][row])]
        found.append(Flip(name, texts.examples[row].queue, was, is_now, change))
    order = {"worse": 0, "better": 1, "neither": 2}
    return sorted(found, key=lambda flip: order[flip.change])


def _said(each: Classification) -> tuple[str, str]:
    return each.queue_label, each.decision.value
