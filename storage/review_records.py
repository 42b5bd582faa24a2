"""The values of honest numbers: why a person was asked, what came of it, what became of queues."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from storage.records import Recorded


class Why(StrEnum):
    """Why a ticket was put to a person."""

    UNSURE = "unsure"
    """The model was not sure enough."""
    AUDIT = "audit"
    """Routed automatically and drawn at random to be checked."""
    EXPLORATION = "exploration"
    """Drawn at random from what the review budget would leave out."""
    SUGGESTED = "suggested"
    """Filed where every ticket is put to a person."""
    REPORTER = "reporter"
    """Its reporter said that the queue is wrong: not drawn, so no estimate counts it."""
    DEMOTED = "demoted"
    """Its queue has lost the right to automatic routing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReviewRequest:
    """A ticket put to a person, to be added to the record.

    Attributes:
        team: The workspace.
        ticket_id: The ticket.
        why: Why.
        probability: With which such a ticket is put to a person, in (0, 1].
        blind: The card hides what the model chose.
    """

    team: str
    ticket_id: int
    why: Why
    probability: float
    blind: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRequest(NewReviewRequest, Recorded):
    """A ticket put to a person, as recorded; never changed afterwards.

    Attributes:
        answered: Whether a person has settled the ticket since, on whatever card.
    """

    answered: bool


class RoutingChange(StrEnum):
    """What became of a queue's automatic routing."""

    DEMOTED = "demoted"
    """Back to review: the audits speak against its promise."""
    OFFERED = "offered"
    """Still under review; reviewers were asked whether to route again."""
    RESTORED = "restored"
    """A reviewer has put it back to automatic routing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewQueueChange:
    """A change of a queue's automatic routing, to be added to the record.

    Attributes:
        team: The workspace.
        queue: The queue.
        change: What it is from now on.
        by: Slack user id; empty when the bot did it by itself.
        evidence: The numbers that it rests on, by name.
    """

    team: str
    queue: str
    change: RoutingChange
    by: str
    evidence: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueChange(NewQueueChange, Recorded):
    """A change of a queue's automatic routing, as recorded; never changed afterwards."""
