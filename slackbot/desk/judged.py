"""A payload with what the model says about it, and what goes before the model's word."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from core.classifier import Classifier
from core.decision import Classification, Decision, Reason, Urgency
from core.neighbours import Memory, judge_with_precedents
from core.priority import PriorityMatrix
from slackbot.desk.show import Cause
from slackbot.desk.watch import under_watch
from slackbot.intake import Intake, Kind
from slackbot.team_settings import TriageMode
from storage.records import InboxItem, Source


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


@dataclass(frozen=True, slots=True)
class Judge:
    """What one batch is judged by, whatever is promoted or settled meanwhile.

    Attributes:
        classifier: The model in force.
        matrix: Priority of urgency and impact.
        settled: What people of each team have settled.
        demoted: The queues of each team that have lost automatic routing.
    """

    classifier: Classifier
    matrix: PriorityMatrix
    settled: Mapping[str, Memory]
    demoted: Mapping[str, frozenset[str]]

    async def __call__(self, items: Sequence[InboxItem], intakes: Sequence[Intake]) -> list[Judged]:
        """Judge payloads off the event loop, all in one batch.

        Args:
            items: As they were recorded.
            intakes: Their payloads in the same order, each with its text.
        """
        started = time.perf_counter()
        said = await asyncio.to_thread(
            judge_with_precedents,
            self.classifier,
            [intake.text or "" for intake in intakes],
            [not intake.in_conversation for intake in intakes],
            [self.settled[intake.team] for intake in intakes],
        )
        latency_ms = (time.perf_counter() - started) * 1000
        return [
            Judged(intake, self._wanted(each, intake), latency_ms, item.received_at)
            for item, intake, each in zip(items, intakes, said, strict=True)
        ]

    def _wanted(self, said: Classification, intake: Intake) -> Classification:
        given = with_given_urgency(said, intake.urgency, self.matrix)
        return under_watch(as_wanted(given, intake.mode), self.demoted[intake.team])


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
