"""The values of a decision: what was judged, how sure, and what follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

REVIEW_QUEUE = "REVIEW_QUEUE"
"""Stands for the queue in results that a person must settle."""


class Decision(StrEnum):
    """What happens with a text."""

    AUTO = "auto"
    REVIEW = "review"
    IGNORE = "ignore"


class Reason(StrEnum):
    """Why that decision; a closed set, documented in docs/decisions.md."""

    CONFIDENT = "confident"
    SUGGEST_ONLY = "suggest_only"
    LOW_CONFIDENCE = "low_confidence"
    QUEUE_NOT_PROVEN = "queue_not_proven"
    QUEUE_DEMOTED = "queue_demoted"
    SETTLED_LIKE = "settled_like"
    SETTLED_OTHERWISE = "settled_otherwise"
    UNKNOWN_LANGUAGE = "unknown_language"
    UNLIKE_TRAINING = "unlike_training"
    TOO_LITTLE_TEXT = "too_little_text"
    NOT_A_TICKET = "not_a_ticket"
    MAYBE_NOT_A_TICKET = "maybe_not_a_ticket"


class Urgency(StrEnum):
    """How soon work stops or suffers (ITIL)."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Impact(StrEnum):
    """How many people are affected (ITIL)."""

    COMPANY = "company"
    TEAM = "team"
    USER = "user"


class Priority(StrEnum):
    """ITIL's five priorities."""

    P1 = "P1"
    P2 = "P2"
    P3 = "P3"
    P4 = "P4"
    P5 = "P5"

    @property
    def label(self) -> str:
        """`P1 Critical` and so on: the text people see."""
        return f"{self.value} {_PRIORITY_WORDS[self]}"


_PRIORITY_WORDS = {
    Priority.P1: "Critical",
    Priority.P2: "High",
    Priority.P3: "Medium",
    Priority.P4: "Low",
    Priority.P5: "Planning",
}


@dataclass(frozen=True, slots=True)
class Classification:
    """What the model says about one text.

    Attributes:
        queue_label: The most probable queue; where a settled text decides, that text's queue.
        probabilities: Calibrated probability in [0, 1] of every queue, highest first; sums to 1.
        threshold: The probability from which `queue_label` is routed automatically, in [0, 1];
            1 when that queue has not proven its precision and is never routed.
        decision: Route, ask, or ignore.
        reason: Why.
        urgency: ITIL urgency.
        impact: ITIL impact.
        priority: From urgency and impact by the matrix in force.
        priority_confidence: Probability in [0, 1] that urgency and impact are both right.
        priority_why: One line for people, for example "whole office, cannot work".
        language: ISO 639-1 code (639-3 where there is none), `und` when too little text tells.
        ticket_probability: Probability in [0, 1] that the text asks for something.
        model_version: The bundle that said so.
        precedent: The id of the settled ticket that decided or spoke against; None without one.
    """

    queue_label: str
    probabilities: Mapping[str, float]
    threshold: float
    decision: Decision
    reason: Reason
    urgency: Urgency
    impact: Impact
    priority: Priority
    priority_confidence: float
    priority_why: str
    language: str
    ticket_probability: float
    model_version: str
    precedent: int | None = None

    @property
    def confidence(self) -> float:
        """Probability of `queue_label`, in [0, 1]."""
        return self.probabilities[self.queue_label]

    @property
    def top3(self) -> tuple[tuple[str, float], ...]:
        """The three most probable queues with their probabilities, highest first."""
        return tuple(list(self.probabilities.items())[:3])

    @property
    def queue(self) -> str | None:
        """The queue to route to, `REVIEW_QUEUE` to ask a person, None to ignore."""
        if self.decision is Decision.IGNORE:
            return None
        return self.queue_label if self.decision is Decision.AUTO else REVIEW_QUEUE

    def to_json(self) -> dict[str, Any]:
        """The public result: what `classify --json` prints and `/api/classify` returns."""
        known = {
            "queue": self.queue,
            "queue_label": self.queue_label,
            "queue_confidence": round(self.confidence, 4),
            "queue_top3": [[name, round(value, 4)] for name, value in self.top3],
            "threshold": round(self.threshold, 4),
            "decision": self.decision.value,
            "reason": self.reason.value,
            "priority": self.priority.value,
            "urgency": self.urgency.value,
            "impact": self.impact.value,
            "priority_confidence": round(self.priority_confidence, 4),
            "language": self.language,
            "model_version": self.model_version,
        }
        if self.reason is Reason.SETTLED_LIKE:
            known["settled_like"] = f"T-{self.precedent}"
        return known
