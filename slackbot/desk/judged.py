"""A payload with what the model says about it, and what goes before the model's word."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from core.decision import Classification, Decision, Reason, Urgency
from core.priority import PriorityMatrix
from slackbot.desk.show import Cause
from slackbot.intake import Intake, Kind
from slackbot.team_settings import TriageMode
from storage.records import Source


@dataclass(frozen=True, slots=True)
class Judged:
    """A payload with what the model says about it.

    Attributes:
        intake: The payload.
        said: The model's answer to its text.
        latency_ms: What that took, in milliseconds, with the batch it was in.
        received_at: When the payload was recorded (UTC).
    """

    intake: Intake
    said: Classification
    latency_ms: float
    received_at: datetime

    @property
    def source(self) -> Source:
        """How the ticket came in; an edited message is one that was no ticket before."""
        kind = self.intake.kind
        return Source.MESSAGE if kind is Kind.EDIT else Source(kind.value)

    @property
    def inbox_key(self) -> tuple[str, str]:
        """Unique for the payload."""
        return self.intake.team, self.intake.key

    @property
    def cause(self) -> Cause:
        """What its cards go back to."""
        return Cause(self.intake.correlation, self.received_at)


def with_given_urgency(
    said: Classification, urgency: str | None, matrix: PriorityMatrix
) -> Classification:
    """What the reporter picked in the modal goes before what the model reads from the text."""
    if urgency is None:
        return said
    given = Urgency(urgency)
    return replace(said, urgency=given, priority=matrix.priority(given, said.impact))


def as_wanted(said: Classification, mode: TriageMode) -> Classification:
    """In a channel where the bot only suggests, a person has the last word on sure ones too."""
    if mode is not TriageMode.SUGGEST or said.decision is not Decision.AUTO:
        return said
    return replace(said, decision=Decision.REVIEW, reason=Reason.SUGGEST_ONLY)
