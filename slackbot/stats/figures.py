"""From judged tickets to the numbers that people see; pure, and slow for many: not on the loop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from core.audit_estimates import (
    Agreement,
    Drift,
    ReliabilityBin,
    agreement,
    drift,
    reliability,
    weighted_share,
    weights,
)
from core.decision import Decision, Reason
from core.evaluation import Figure, share
from slackbot.stats.period import Period
from storage.audit_log import JudgedTicket
from storage.records import Action
from storage.review_records import Why

DRIFT_DAYS = 7
"""The recent period; the reference are the four weeks before."""
REFERENCE_DAYS = 28


@dataclass(frozen=True, slots=True)
class QueueNumbers:
    """One queue.

    Attributes:
        name: The queue.
        tickets: How many had it as their most probable queue.
        routed: How many of them were routed by the bot alone.
        precision: Audited share of those that was right; None before any audit was answered.
        demoted: Whether it has lost automatic routing.
    """

    name: str
    tickets: int
    routed: int
    precision: Figure | None
    demoted: bool


@dataclass(frozen=True, slots=True)
class Numbers:
    """All numbers of a period.

    Attributes:
        period: Which.
        tickets: How many were filed.
        promise: Share in (0, 1) of automatic routes that shall be right.
        automatic: Share of the tickets that were routed by the bot alone.
        accuracy: Share of all tickets whose most probable queue was right; None without reviews.
        precision: Share of the automatic routes that was right; None without answered audits.
        queues: Each queue, the fullest first.
        days: Tickets by day (UTC) and queue, every day of the period in order.
        reliability: Stated confidence against truth.
        answers: What people said of tickets, asked or not: confirm, reassign, dismiss.
        decision_s: Seconds from filing to the answer, of what was put to a person; sorted.
        audits: How many automatic routes were put to a person.
        audits_answered: How many of these have an answer.
        agreement: Blind against open audits.
        drift: The last 7 days against the 28 before, whatever the period.
    """

    period: Period
    tickets: int
    promise: float
    automatic: Figure
    accuracy: Figure | None
    precision: Figure | None
    queues: tuple[QueueNumbers, ...]
    days: tuple[tuple[date, Counter[str]], ...]
    reliability: tuple[ReliabilityBin, ...]
    answers: Counter[Action]
    decision_s: tuple[float, ...]
    audits: int
    audits_answered: int
    agreement: Agreement
    drift: Drift

    def decision_quantile(self, share_of_answers: float) -> float | None:
        """Seconds within which that share of the answers came; None without answers."""
        return float(np.quantile(self.decision_s, share_of_answers)) if self.decision_s else None


def count(
    tickets: Sequence[JudgedTicket],
    lately: Sequence[JudgedTicket],
    period: Period,
    *,
    promise: float,
    demoted: Collection[str],
) -> Numbers:
    """Count and estimate everything.

    Args:
        tickets: Filed in the period.
        lately: Filed in the `DRIFT_DAYS + REFERENCE_DAYS` before its end.
        period: Which.
        promise: Share in (0, 1) of automatic routes that shall be right.
        demoted: Queues that have lost automatic routing.
    """
    sample = _Sample.of(tickets)
    routed = np.array([is_route(ticket) for ticket in sample.tickets], dtype=bool)
    audits = [ticket for ticket in tickets if ticket.why is Why.AUDIT]
    answered = [t for t in tickets if t.answer is not None and _is_drawn(t)]
    said = (ticket.answer or ticket.settled for ticket in tickets)  # asked, or without being asked
    return Numbers(
        period=period,
        tickets=len(tickets),
        promise=promise,
        automatic=share(np.array([t.decision == Decision.AUTO for t in tickets], dtype=bool)),
        accuracy=weighted_share(sample.right, sample.weight),
        precision=weighted_share(sample.right[routed], sample.weight[routed]),
        queues=_queues(tickets, sample, demoted),
        days=_days(tickets, period),
        reliability=tuple(reliability(sample.confidence, sample.right, sample.weight)),
        answers=Counter(action for action in said if action is not None),
        decision_s=tuple(sorted(_waited(t) for t in answered if t.why is not Why.AUDIT)),
        audits=len(audits),
        audits_answered=sum(ticket.answer is not None for ticket in audits),
        agreement=_agreement(audits),
        drift=_drift(lately, period),
    )


def is_route(ticket: JudgedTicket) -> bool:
    """Whether it was routed automatically, or would have been in a queue that still may."""
    return ticket.decision == Decision.AUTO or ticket.reason == Reason.QUEUE_DEMOTED


def is_right(ticket: JudgedTicket) -> bool:
    """Whether people left it in, or sent it to, the model's queue."""
    agrees = ticket.settled_queue == ticket.queue
    return ticket.settled is not None and ticket.settled is not Action.DISMISS and agrees


def _is_drawn(ticket: JudgedTicket) -> bool:
    """Whether a person was asked about the model's last word.

    An edit may have made it sure of what was asked about before; if staff then move the ticket,
    that is no fair draw of its routes.
    """
    if ticket.decision == Decision.AUTO:
        return ticket.why is Why.AUDIT
    return ticket.probability is not None


@dataclass(frozen=True, slots=True)
class _Sample:
    """What was put to people, with what each ticket counts."""

    tickets: list[JudgedTicket]
    right: np.ndarray[tuple[int], np.dtype[np.bool_]]
    confidence: np.ndarray[tuple[int], np.dtype[np.float64]]
    weight: np.ndarray[tuple[int], np.dtype[np.float64]]

    @classmethod
    def of(cls, tickets: Sequence[JudgedTicket]) -> _Sample:
        drawn = [t for t in tickets if _is_drawn(t)]
        audits = np.array([t.why is Why.AUDIT for t in drawn], dtype=bool)
        beyond = _beyond_budget(drawn)
        weight = np.zeros(len(drawn))
        for group in (audits, ~audits & ~beyond, beyond):  # each has its own habit of answering
            members = [t for t, here in zip(drawn, group, strict=True) if here]
            weight[group] = weights(
                np.array([t.probability for t in members], dtype=float),
                np.array([t.answer is not None for t in members], dtype=bool),
                np.array([bool(t.asked) for t in members], dtype=bool),
            )
        if beyond.any():  # all of these are here: together they stand for as many as they are
            weight[beyond] *= beyond.sum() / weight[beyond].sum()
        return cls(
            drawn,
            np.array([is_right(t) for t in drawn], dtype=bool),
            np.array([t.confidence for t in drawn], dtype=float),
            weight,
        )


def _beyond_budget(drawn: Sequence[JudgedTicket]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Those that the review budget left out, of which the ones drawn at random tell.

    Without an answer of these nothing is known of the others: they wait like all that wait.
    """
    told = any(t.why is Why.EXPLORATION and t.answer is not None for t in drawn)
    left_out = [
        told and (t.why is Why.EXPLORATION or (t.why is not Why.AUDIT and t.answer is None))
        for t in drawn
    ]
    return np.array(left_out, dtype=bool)


def _queues(
    tickets: Sequence[JudgedTicket], sample: _Sample, demoted: Collection[str]
) -> tuple[QueueNumbers, ...]:
    filed = Counter(ticket.queue for ticket in tickets)
    routed = Counter(t.queue for t in tickets if t.decision == Decision.AUTO)
    found = []
    for name, number in filed.most_common():
        here = np.array([t.queue == name and is_route(t) for t in sample.tickets], dtype=bool)
        precision = weighted_share(sample.right[here], sample.weight[here])
        found.append(QueueNumbers(name, number, routed[name], precision, name in demoted))
    return tuple(found)


def _days(tickets: Sequence[JudgedTicket], period: Period) -> tuple[tuple[date, Counter[str]], ...]:
    if not tickets:
        return ()
    first = max(period.since, tickets[0].created_at).date()
    span = (period.until.date() - first).days
    by_day: dict[date, Counter[str]] = {
        first + timedelta(days=offset): Counter() for offset in range(span + 1)
    }
    for ticket in tickets:
        by_day.setdefault(ticket.created_at.date(), Counter())[ticket.queue] += 1
    return tuple(sorted(by_day.items()))


def _waited(ticket: JudgedTicket) -> float:
    assert ticket.answered_at is not None
    return max(0.0, (ticket.answered_at - ticket.created_at).total_seconds())


def _agreement(audits: Sequence[JudgedTicket]) -> Agreement:
    told = [ticket for ticket in audits if ticket.asked]
    return agreement(
        np.array([ticket.answer is Action.CONFIRM for ticket in told], dtype=bool),
        np.array([bool(ticket.blind) for ticket in told], dtype=bool),
    )


def _drift(lately: Sequence[JudgedTicket], period: Period) -> Drift:
    border = period.until - timedelta(days=DRIFT_DAYS)
    now = [ticket for ticket in lately if ticket.created_at >= border]
    before = [ticket for ticket in lately if ticket.created_at < border]
    return drift(
        Counter(ticket.queue for ticket in before),
        Counter(ticket.queue for ticket in now),
        sum(ticket.reason == Reason.LOW_CONFIDENCE for ticket in before),
        sum(ticket.reason == Reason.LOW_CONFIDENCE for ticket in now),
    )
