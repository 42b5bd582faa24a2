"""The routing policy: from what the model measured to route, ask or ignore, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from core.decision import Decision, Reason
from core.text import is_stripped
from core.wording import is_pleasantry, names_nothing, reports_incident

FloatOrArray = TypeVar("FloatOrArray", float, NDArray[np.float64])

UNPROVEN = 1.0
"""The threshold of a queue that has not shown its precision: nothing is routed there unasked."""

_OUTAGE_COSTS = 8.0
"""So many times more than another ticket a lost outage costs: what the review budget, too, makes of
P1 beside P4."""

_MIN_LETTERS = 3  # "vpn" may name a problem, "?" and "ok" cannot


@dataclass(frozen=True, slots=True)
class Rules:
    """What a bundle promises and the limits that keep the promise; all chosen at training.

    Attributes:
        promised_precision: Share in (0, 1) of automatic routes that shall be right.
        thresholds: For every queue the probability in [0, 1] from which it is routed
            automatically; `UNPROVEN` when it never is.
        languages: ISO 639-1 codes that the promise was checked on; `und` among them when it was
            checked on texts too short to tell.
        ignore_below: A channel message is ignored when what that may lose, `expected_loss`, is
            under this; 0 when nothing ever is.
        doubt_below: Under this a person is asked whether a channel message is a ticket.
        novelty_above: A novelty in [0, 1] over this is unlike anything in training; 1 turns the
            rule off.
        outage_above: Probability of "company" times that of "high" from which a text counts as
            an outage even where another pair is more probable; 1 turns the rule off.
        stripped_thresholds: The thresholds for texts that are stripped as an anonymised export
            is, and whose confidences mean something else; None when they are the same.
        ignore_below_in: The same limit for each language in which small talk is ignored, and
            perhaps for `und`; in the others a person is asked. None: one limit for all of
            `languages`, as in bundles from before.
    """

    promised_precision: float
    thresholds: Mapping[str, float]
    languages: tuple[str, ...]
    ignore_below: float
    doubt_below: float
    novelty_above: float
    outage_above: float
    stripped_thresholds: Mapping[str, float] | None = None
    ignore_below_in: Mapping[str, float] | None = None

    def may_ignore(self, language: str) -> bool:
        """Whether small talk in a language may be ignored."""
        return language in (
            self.languages if self.ignore_below_in is None else self.ignore_below_in
        )

    def small_talk_below(self, language: str) -> float:
        """The expected loss under which a text counts as small talk."""
        return (self.ignore_below_in or {}).get(language, self.ignore_below)

    def threshold(self, queue: str, text: str) -> float:
        """The probability from which a text is routed to a queue automatically.

        Raises:
            KeyError: There is no such queue.
        """
        if self.stripped_thresholds is not None and is_stripped(text):
            return self.stripped_thresholds[queue]
        return self.thresholds[queue]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was measured on one text.

    Attributes:
        text: The normalised text.
        filed: True when somebody filed it on purpose, False for a channel message.
        language: ISO 639-1 code or `und`.
        ticket_probability: Probability in [0, 1] that the text asks for something.
        outage_probability: Probability in [0, 1] that it tells of one, if it is a ticket.
        novelty: Share in [0, 1] of texts like the training's that lie closer to it.
        queue: The most probable queue.
        confidence: Its calibrated probability in [0, 1].
    """

    text: str
    filed: bool
    language: str
    ticket_probability: float
    outage_probability: float
    novelty: float
    queue: str
    confidence: float


def expected_loss(ticket: FloatOrArray, outage: FloatOrArray) -> FloatOrArray:
    """What ignoring a text may lose, in tickets.

    Args:
        ticket: Probability in [0, 1] that it is a ticket.
        outage: Probability in [0, 1] that it tells of an outage, if it is one.
    """
    return ticket * (1 + _OUTAGE_COSTS * outage)


def decide(evidence: Evidence, rules: Rules) -> tuple[Decision, Reason]:
    """Settle what happens with a text: the first rule that applies decides.

    What is filed on purpose is never ignored, and neither is who reports a security incident: the
    one ticket that nobody may miss; nor what is written in a language in which too few tickets show
    how many that would lose. Words that name no thing are routed nowhere, however sure the
    model is of them. A language that was not checked comes before
    everything the model says, because then nothing that it says is known to hold; a text too short
    to tell its language may still be small talk, where the rules have a limit for such texts.

    Args:
        evidence: What was measured.
        rules: The bundle's limits.

    Returns:
        The decision and its reason.

    Raises:
        KeyError: `rules` has no threshold for the queue.
    """
    filed = evidence.filed
    unless_filed = Decision.REVIEW if filed else Decision.IGNORE
    kept = filed or reports_incident(evidence.text) or not rules.may_ignore(evidence.language)
    threshold = rules.threshold(evidence.queue, evidence.text)
    ticket = evidence.ticket_probability
    loss = expected_loss(ticket, evidence.outage_probability)
    is_talk = loss < rules.small_talk_below(evidence.language)
    heard = evidence.language in rules.languages or (is_talk and not kept)
    in_order = (
        (_letters(evidence.text) < _MIN_LETTERS, unless_filed, Reason.TOO_LITTLE_TEXT),
        (is_pleasantry(evidence.text), *_small_talk(kept=filed)),
        (not heard, Decision.REVIEW, Reason.UNKNOWN_LANGUAGE),
        (is_talk, *_small_talk(kept=kept)),
        (names_nothing(evidence.text), Decision.REVIEW, Reason.TOO_LITTLE_TEXT),
        (evidence.novelty > rules.novelty_above, Decision.REVIEW, Reason.UNLIKE_TRAINING),
        (not filed and ticket < rules.doubt_below, Decision.REVIEW, Reason.MAYBE_NOT_A_TICKET),
        (threshold >= UNPROVEN, Decision.REVIEW, Reason.QUEUE_NOT_PROVEN),
        (evidence.confidence < threshold, Decision.REVIEW, Reason.LOW_CONFIDENCE),
        (True, Decision.AUTO, Reason.CONFIDENT),
    )
    return next((decision, reason) for applies, decision, reason in in_order if applies)


def _small_talk(*, kept: bool) -> tuple[Decision, Reason]:
    if kept:
        return Decision.REVIEW, Reason.MAYBE_NOT_A_TICKET
    return Decision.IGNORE, Reason.NOT_A_TICKET


def _letters(text: str) -> int:
    return sum(map(str.isalnum, text))
