"""Measures a classifier on labelled texts: every figure with its 95 % interval."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.calibration import calibration_error, calibration_interval
from core.classifier import Classifier
from core.dataset import Example
from core.decision import Classification, Decision, Impact, Urgency
from core.distributions import normal_quantile
from core.splits import near_duplicates

_Z = normal_quantile(0.975)
_RESAMPLES = 500
_LEAST_PROBABILITY = 1e-6

Metric = Callable[[NDArray[np.int64]], float]


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured number.

    Attributes:
        value: The number, in [0, 1] but for a log-loss, in nats.
        low: Lower end of its 95 % interval.
        high: Upper end.
        n: Texts that it was measured on.
    """

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class QueueFigures:
    """How one queue fared.

    Attributes:
        name: The queue.
        texts: How many belong to it.
        precision: Share of those given to it that belong to it.
        recall: Share of those that belong to it that were given to it.
        f1: Their harmonic mean.
        routed: How many were routed to it automatically.
        routed_precision: Share of these that belong to it; None when there were none.
    """

    name: str
    texts: int
    precision: float
    recall: float
    f1: float
    routed: int
    routed_precision: Figure | None


@dataclass(frozen=True, slots=True)
class QueueEvaluation:
    """How well queues were told apart; a second queue that was labelled as defensible is right.

    Attributes:
        accuracy: Share of texts whose most probable queue is right.
        top3: Share of texts whose right queue is among the three most probable.
        macro_f1: Mean of the queues' F1.
        weighted_f1: The same, each queue weighed by its texts.
        log_loss: Mean negative log probability of the right queue, in nats.
        calibration_error: Expected calibration error of the confidence.
        coverage: Share of texts routed automatically.
        routed_precision: Share of these that were right; None when there were none.
        queues: Each queue's figures, in class order.
        confusion: Texts by right queue (rows) and most probable queue (columns).
        confidences: Probability of the most probable queue, text by text.
        correct: Whether that queue was right, text by text.
    """

    accuracy: Figure
    top3: Figure
    macro_f1: Figure
    weighted_f1: Figure
    log_loss: Figure
    calibration_error: Figure
    coverage: Figure
    routed_precision: Figure | None
    queues: tuple[QueueFigures, ...]
    confusion: tuple[tuple[int, ...], ...]
    confidences: tuple[float, ...]
    correct: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class PriorityEvaluation:
    """How well urgency and impact were told.

    Attributes:
        urgency: Balanced accuracy over high, medium, low.
        impact: Balanced accuracy over company, team, user.
        priority: Share of texts with the right one of the five priorities.
        outages_found: Share of urgent company-wide texts that were told to be so; None without.
        false_outages: Share of all other tickets that were told to be so.
    """

    urgency: Figure
    impact: Figure
    priority: Figure
    outages_found: Figure | None
    false_outages: Figure


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A classifier measured on one set of texts.

    Attributes:
        name: What the texts are.
        model_version: The bundle that was measured.
        texts: How many.
        queues: Figures of the queue, over all tickets; None without a ticket.
        unseen: The same over tickets with no near duplicate in the training data.
        priorities: Figures of urgency and impact; None where neither is labelled.
        chatter_ignored: Share of the texts that are no ticket that were ignored; None without.
        chatter_routed: Share of these that were routed automatically; `routed_precision` is of
            tickets alone.
        tickets_ignored: Share of the tickets that were ignored; None when all were filed.
        reasons: How many texts were decided for each reason.
    """

    name: str
    model_version: str
    texts: int
    queues: QueueEvaluation | None
    unseen: QueueEvaluation | None
    priorities: PriorityEvaluation | None
    chatter_ignored: Figure | None
    chatter_routed: Figure | None
    tickets_ignored: Figure | None
    reasons: dict[str, int]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


def evaluate(
    classifier: Classifier,
    examples: Sequence[Example],
    *,
    name: str,
    filed: bool,
    trained_on: Sequence[str] | None = None,
) -> Evaluation:
    """Judge texts and compare with what is known about them.

    Args:
        classifier: What to measure.
        examples: Texts and their labels; none may have been trained on.
        name: What the texts are.
        filed: Judge them as filed on purpose; else as channel messages, which may be ignored.
        trained_on: The training texts, to measure apart what has no near duplicate there.

    Returns:
        The figures.
    """
    judged = classifier.classify([example.text for example in examples], filed=filed)
    pairs = list(zip(examples, judged, strict=True))
    tickets = [pair for pair in pairs if pair[0].queue]
    unseen = tickets
    if trained_on is not None and tickets:
        known = near_duplicates([example.text for example, _ in tickets], trained_on)
        unseen = [pair for pair, is_known in zip(tickets, known, strict=True) if not is_known]
    chatter = [pair for pair in pairs if pair[0].is_ticket is False]
    reasons = [result.reason.value for result in judged]
    return Evaluation(
        name=name,
        model_version=classifier.version,
        texts=len(pairs),
        queues=_queues(tickets, classifier.queues),
        unseen=None if trained_on is None else _queues(unseen, classifier.queues),
        priorities=_priorities(tickets, classifier),
        chatter_ignored=_decided(chatter, Decision.IGNORE),
        chatter_routed=_decided(chatter, Decision.AUTO),
        tickets_ignored=None if filed else _decided(tickets, Decision.IGNORE),
        reasons={reason: reasons.count(reason) for reason in sorted(set(reasons))},
    )


Pairs = Sequence[tuple[Example, Classification]]


def _queues(pairs: Pairs, queues: Sequence[str]) -> QueueEvaluation | None:
    if not pairs:
        return None
    given = np.array([queues.index(result.queue_label) for _, result in pairs])
    right = np.array([queues.index(_right_queue(*pair)) for pair in pairs])
    correct = given == right
    confidence = np.array([result.confidence for _, result in pairs])
    routed = np.array([result.decision is Decision.AUTO for _, result in pairs])
    losses = np.array([-np.log(_probability(*pair)) for pair in pairs])
    top3 = np.array([_is_in_top3(*pair) for pair in pairs])

    def mean_f1(rows: NDArray[np.int64], *, weighted: bool) -> float:
        table = _confusion(right[rows], given[rows], len(queues))
        f1, texts = _f1(table), table.sum(axis=1)
        present = (texts + table.sum(axis=0)) > 0
        return float(np.average(f1, weights=texts if weighted else present))

    return QueueEvaluation(
        accuracy=share(correct),
        top3=share(top3),
        macro_f1=resampled(partial(mean_f1, weighted=False), len(pairs)),
        weighted_f1=resampled(partial(mean_f1, weighted=True), len(pairs)),
        log_loss=resampled(lambda rows: float(losses[rows].mean()), len(pairs)),
        calibration_error=calibration(confidence, correct),
        coverage=share(routed),
        routed_precision=share(correct[routed]) if routed.any() else None,
        queues=_each_queue(queues, right, given, routed),
        confusion=tuple(map(tuple, _confusion(right, given, len(queues)).tolist())),
        confidences=tuple(confidence.round(4).tolist()),
        correct=tuple(correct.tolist()),
    )


def _right_queue(example: Example, result: Classification) -> str:
    """The labelled queue, or the second defensible one where that was chosen."""
    return str(example.alt_queue if result.queue_label == example.alt_queue else example.queue)


def _defensible(example: Example) -> list[str]:
    return [queue for queue in (example.queue, example.alt_queue) if queue]


def _probability(example: Example, result: Classification) -> float:
    right = sum(result.probabilities[queue] for queue in _defensible(example))
    return max(right, _LEAST_PROBABILITY)


def _is_in_top3(example: Example, result: Classification) -> bool:
    return any(name in _defensible(example) for name, _ in result.top3)


def _each_queue(
    queues: Sequence[str],
    right: NDArray[np.int64],
    given: NDArray[np.int64],
    routed: NDArray[np.bool_],
) -> tuple[QueueFigures, ...]:
    table = _confusion(right, given, len(queues))
    f1, hits = _f1(table), np.diag(table)
    precision = hits / np.maximum(table.sum(axis=0), 1)
    recall = hits / np.maximum(table.sum(axis=1), 1)
    figures = []
    for index, name in enumerate(queues):
        here = routed & (given == index)
        figures.append(
            QueueFigures(
                name=name,
                texts=int(table[index].sum()),
                precision=float(precision[index]),
                recall=float(recall[index]),
                f1=float(f1[index]),
                routed=int(here.sum()),
                routed_precision=share(right[here] == index) if here.any() else None,
            )
        )
    return tuple(figures)


def _confusion(
    right: NDArray[np.int64], given: NDArray[np.int64], queues: int
) -> NDArray[np.int64]:
    """Texts by right queue (rows) and given queue (columns)."""
    return np.bincount(right * queues + given, minlength=queues**2).reshape(queues, queues)


def _f1(table: NDArray[np.int64]) -> NDArray[np.float64]:
    """Each queue's F1; 0 for one that neither is nor was given."""
    return np.asarray(2 * np.diag(table) / np.maximum(table.sum(axis=0) + table.sum(axis=1), 1))


def _priorities(pairs: Pairs, classifier: Classifier) -> PriorityEvaluation | None:
    known = [pair for pair in pairs if pair[0].urgency and pair[0].impact]
    if not known:
        return None
    expected = [
        classifier.matrix.priority(example.urgency, example.impact)
        for example, _ in known
        if example.urgency and example.impact
    ]
    is_outage = np.array([_is_outage(example) for example, _ in known])
    told_outage = np.array([_is_outage(result) for _, result in known])
    right = np.array([e == r.priority for e, (_, r) in zip(expected, known, strict=True)])
    return PriorityEvaluation(
        urgency=_balanced([(str(e.urgency), str(r.urgency)) for e, r in known]),
        impact=_balanced([(str(e.impact), str(r.impact)) for e, r in known]),
        priority=share(right),
        outages_found=share(told_outage[is_outage]) if is_outage.any() else None,
        false_outages=share(told_outage[~is_outage]),
    )


def _is_outage(judged: Example | Classification) -> bool:
    return judged.urgency is Urgency.HIGH and judged.impact is Impact.COMPANY


def _balanced(labels: Sequence[tuple[str, str]]) -> Figure:
    right, given = (np.array(column) for column in zip(*labels, strict=True))
    return resampled(
        lambda rows: float(
            np.mean(
                [(given[rows] == name)[right[rows] == name].mean() for name in set(right[rows])]
            )
        ),
        len(labels),
    )


def _decided(pairs: Pairs, decision: Decision) -> Figure | None:
    """The share of texts that were decided so; None without texts."""
    if not pairs:
        return None
    return share(np.array([result.decision is decision for _, result in pairs]))


def share(hits: NDArray[np.bool_]) -> Figure:
    """The share of hits with its Wilson interval; 0 with the interval 0 to 1 without data."""
    n = len(hits)
    if n == 0:
        return Figure(0.0, 0.0, 1.0, 0)
    value = float(hits.mean())
    centre = value + _Z**2 / (2 * n)
    reach = _Z * float(np.sqrt(value * (1 - value) / n + _Z**2 / (4 * n**2)))
    spread = 1 + _Z**2 / n
    return Figure(value, max((centre - reach) / spread, 0), min((centre + reach) / spread, 1), n)


def calibration(confidence: NDArray[np.float64], correct: NDArray[np.bool_]) -> Figure:
    """The measured expected calibration error, with the 95 % interval of the true one."""
    low, high = calibration_interval(confidence, correct)
    return Figure(calibration_error(confidence, correct), low, high, len(confidence))


def resampled(metric: Metric, n: int) -> Figure:
    """A metric of rows with its bootstrap interval, from a fixed seed."""
    random = np.random.default_rng(0)
    resamples = [metric(random.integers(0, n, n)) for _ in range(_RESAMPLES)]
    low, high = np.quantile(resamples, [0.025, 0.975])
    return Figure(metric(np.arange(n)), float(low), float(high), n)
