"""Chooses a bundle's limits on texts that none of its models was fitted to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.calibration import Prior, lower_bound, threshold
from core.dataset import Example
from core.decision import Impact, Urgency
from core.heads import HeadOutputs
from core.language import ENGLISH, UNDETERMINED, detect
from core.policy import UNPROVEN, Rules, expected_loss
from core.text import is_stripped

_CERTAINTY = 0.8
"""Probability with which a queue's precision must really reach the promise."""

_LIKENESS = 50.0
"""Texts of its own that a queue's likeness to the others counts as; chosen, as the certainty, by
cross-validation on calibration texts."""

_LEAST_TEXTS = 10
"""With fewer texts of its own at and over a confidence a queue has proven nothing."""

_LANGUAGE_SLACK = 0.05
"""How much less than the promise a language's precision may turn out to be."""

_LANGUAGE_TEXTS = 50
"""From so few texts in a language nothing is concluded."""

_TICKETS_LOST = 0.0075
"""Share of the tickets expected to be taken for small talk: three quarters of what is tolerable."""

_LOST_ELSEWHERE = 0.0025
"""The same in other languages than English, of which the encoder knew nothing before it was
fine-tuned: of eighty plain tickets typed by hand the limit above lost three."""

_COUNTABLE = 3
"""So many lost tickets must be expected among a language's for nearly none to mean something."""

_SMALL_TALK_ROUTED = 0.02
"""Share of small talk expected among channel messages that may be routed; with less, coverage falls
faster than small talk does on the calibration texts."""

_OUTAGES_MISSED = 0.03
_FALSE_OUTAGES = 0.1
"""Of other messages so many may be taken for an outage, however many outages that misses."""

_MESSAGE_COUNTS = 2.0
"""What a message counts as evidence where a ticket of the table counts 1: messages are what comes,
but alone there are too few to prove anything for each queue."""

_FEW = 100
_UNUSUAL = 0.99


@dataclass(frozen=True, slots=True)
class Judged:
    """Texts with what is known about them and what the heads said.

    Attributes:
        examples: n texts, normalized.
        outputs: The heads' answers, in their order.
        queues: Names in class order.
        importance: What each counts beside that, float64 [n]; None when all count the same.
    """

    examples: Sequence[Example]
    outputs: HeadOutputs
    queues: Sequence[str]
    importance: NDArray[np.float64] | None = None

    @property
    def weights(self) -> NDArray[np.float64]:
        """What each text counts as evidence [n]."""
        own = np.where([bool(example.batch) for example in self.examples], _MESSAGE_COUNTS, 1.0)
        return own if self.importance is None else own * self.importance


def choose_rules(judged: Judged, *, promised: float) -> Rules:
    """Choose every limit.

    Args:
        judged: Texts that nothing was fitted to.
        promised: Share in (0, 1) of automatic routes that shall be right.

    Returns:
        The rules that keep the promise as far as these texts can show.
    """
    has_queue = np.array([example.queue is not None for example in judged.examples])
    language = np.array([detect(example.text) for example in judged.examples])
    languages = _languages(judged, has_queue, language, promised)
    in_known = np.isin(language, languages)
    written, stripped = _by_kind(judged, has_queue & in_known if languages else has_queue)
    ignored = _ignored(judged, language, languages)
    return Rules(
        promised_precision=promised,
        thresholds=_thresholds(judged, written, promised),
        stripped_thresholds=None if stripped is None else _thresholds(judged, stripped, promised),
        languages=languages,
        ignore_below=max(ignored.values(), default=0.0),
        doubt_below=_doubt_below(judged, in_known),
        novelty_above=_UNUSUAL,
        outage_above=_outage_above(judged),
        ignore_below_in=ignored,
    )


def _verdicts(
    judged: Judged,
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]:
    """Each text's most probable queue, its probability, and whether it is right, all [n]."""
    given = judged.outputs.queue.argmax(axis=1)
    confidence = judged.outputs.queue.max(axis=1)
    names = [judged.queues[column] for column in given]
    right = [
        name in (example.queue, example.alt_queue)
        for name, example in zip(names, judged.examples, strict=True)
    ]
    return given, confidence, np.array(right)


def _by_kind(
    judged: Judged, rows: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_] | None]:
    """The rows written by people and those that are stripped; or all, where one is rare."""
    stripped = np.array([is_stripped(example.text) for example in judged.examples])
    kinds = rows & ~stripped, rows & stripped
    return kinds if min(kind.sum() for kind in kinds) >= _FEW else (rows, None)


def _thresholds(judged: Judged, rows: NDArray[np.bool_], promised: float) -> dict[str, float]:
    """Each queue's threshold on some of the texts.

    Partial pooling (empirical Bayes): most queues have too few texts to prove much alone, so each
    is first taken to be as precise as all are at the same confidence, and its own texts correct
    that.
    """
    given, confidence, correct = _verdicts(judged)
    weights = judged.weights
    prior = Prior(
        share=lambda least: _precision(rows & (confidence >= least), correct, weights),
        strength=_LIKENESS,
        least=_LEAST_TEXTS,
    )
    thresholds = {}
    for column, name in enumerate(judged.queues):
        here = rows & (given == column)
        found = threshold(
            confidence[here],
            correct[here],
            weights[here],
            promised=promised,
            certainty=_CERTAINTY,
            prior=prior,
        )
        thresholds[name] = UNPROVEN if found is None else found
    return thresholds


def _precision(
    routed: NDArray[np.bool_], correct: NDArray[np.bool_], weights: NDArray[np.float64]
) -> float:
    return float(np.average(correct[routed], weights=weights[routed])) if routed.any() else 0.0


def _languages(
    judged: Judged, has_queue: NDArray[np.bool_], language: NDArray[np.str_], promised: float
) -> tuple[str, ...]:
    """The languages of enough texts in which what would be routed proved right often enough."""
    given, confidence, correct = _verdicts(judged)
    routed = np.zeros_like(has_queue)
    for kind in _by_kind(judged, has_queue):
        if kind is not None:
            thresholds = _thresholds(judged, kind, promised)
            limits = np.array([thresholds[name] for name in judged.queues])
            routed |= kind & (confidence >= limits[given])
    enough = min(_LANGUAGE_TEXTS, has_queue.sum() / 10)
    known = []
    for name in sorted(set(language.tolist())):
        here = routed & (language == name)
        bound = lower_bound(correct[here], judged.weights[here], _CERTAINTY)
        held = not here.any() or bound >= promised - _LANGUAGE_SLACK
        if held and (has_queue & (language == name)).sum() >= enough:
            known.append(name)
    return tuple(known)


def _ignored(
    judged: Judged, language: NDArray[np.str_], languages: Sequence[str]
) -> dict[str, float]:
    """The languages in which small talk is ignored, each with the limit of the expected loss.

    Under it only so many tickets lie. The calibrated probabilities of the texts there say how many
    to expect; to count them instead would hang on the two or three oddest ones. In a language of
    few tickets neither tells, and a lost ticket is the worst that can happen: none is ignored.
    """
    known = _as_in_channels(judged, np.isin(language, languages))
    is_ticket = np.array([example.is_ticket is True for example in judged.examples])
    told = [
        name
        for name in languages
        if (known & is_ticket & (language == name)).sum() >= _COUNTABLE / _TICKETS_LOST
    ]
    limits: dict[str, float] = {}
    for share, names in (
        (_TICKETS_LOST, [name for name in told if name == ENGLISH]),
        (_LOST_ELSEWHERE, [name for name in told if name != ENGLISH]),
    ):
        here = known & np.isin(language, names)
        if (here & ~is_ticket).any():
            limit = _ignore_below(judged.outputs, here, share * (here & is_ticket).sum())
            limits |= dict.fromkeys(names, limit)
    if limits:  # mostly of one of these languages, and nobody can tell of which
        limits.setdefault(UNDETERMINED, min(limits.values()))
    return limits


def _ignore_below(outputs: HeadOutputs, rows: NDArray[np.bool_], lost: float) -> float:
    """The expected loss under which that many of the rows are expected to be tickets; or half."""
    ticket = outputs.ticket[rows]
    loss = expected_loss(ticket, outputs.outage[rows])
    order = np.argsort(loss, kind="stable")
    last = min(int(np.searchsorted(np.cumsum(ticket[order]), lost)), len(order) - 1)
    return float(min(loss[order[last]], 0.5))


def _doubt_below(judged: Judged, in_known: NDArray[np.bool_]) -> float:
    """The probability over which only so much small talk is expected; 0 when none was seen."""
    if not any(example.is_ticket is False for example in judged.examples):
        return 0.0
    likely = np.sort(judged.outputs.ticket[_as_in_channels(judged, in_known)])[::-1]
    chatter = np.cumsum(1 - likely) / np.arange(1, len(likely) + 1)
    last = max(int(np.searchsorted(chatter, _SMALL_TALK_ROUTED)) - 1, 0)
    return max(float(likely[last]), 0.5)


def _as_in_channels(judged: Judged, in_known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The rows that are like what is written in channels, and known to be tickets or none.

    Tickets of the table never come that way: they count only where messages are few. So do texts
    in other languages than the known ones, which are always reviewed.
    """
    known = np.array([example.is_ticket is not None for example in judged.examples])
    is_ticket = np.array([example.is_ticket is True for example in judged.examples])
    written = np.array([bool(example.batch) for example in judged.examples]) & in_known
    return known & written if (is_ticket & written).sum() >= _FEW else known


def _outage_above(judged: Judged) -> float:
    """The probability that nearly all urgent, company-wide texts exceed; 1 without any.

    Outages written so oddly that half of all messages look like them are not worth the alarms.
    """
    is_outage = np.array(
        [e.urgency is Urgency.HIGH and e.impact is Impact.COMPANY for e in judged.examples]
    )
    if not is_outage.any():
        return 1.0
    both = judged.outputs.outage
    wanted = np.quantile(both[is_outage], _OUTAGES_MISSED, method="lower")
    others = both[
        [e.impact is not None and not o for e, o in zip(judged.examples, is_outage, strict=True)]
    ]
    bearable = np.quantile(others, 1 - _FALSE_OUTAGES) if others.size else 0.0
    return float(max(wanted, bearable))
