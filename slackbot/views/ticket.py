"""Everything that a card shows of a ticket, gathered from decision and record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.decision import Decision, Priority, Reason
from storage.records import Action, State

_JUDGED_BY_A_PERSON = frozenset({Action.CONFIRM, Action.REASSIGN, Action.DISMISS})


@dataclass(frozen=True, slots=True)
class Step:
    """What one person did.

    Attributes:
        by: Slack user id.
        action: What was done.
        at: When (aware).
        queue_after: The ticket's queue from then on, as it was called then; None when it has none.
        priority_after: The ticket's priority from then on.
        today: What that queue is called today, or was split into; empty while nothing changed.
    """

    by: str
    action: Action
    at: datetime
    queue_after: str | None
    priority_after: Priority
    today: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What the model said at one time: when the ticket was filed, and after every edit.

    Attributes:
        at: When (aware).
        queue: Its first choice, as it was called then.
        confidence: The probability of that, in [0, 1].
        decision: What it decided.
        reason: Why.
        priority: What it took the priority for.
        language: Of the text, as `core.language` names it.
        model_version: The bundle that said so.
        today: What that queue is called today, or was split into; empty while nothing changed.
    """

    at: datetime
    queue: str
    confidence: float
    decision: Decision
    reason: Reason
    priority: Priority
    language: str
    model_version: str
    today: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketCard:
    """A ticket as its cards show it.

    Attributes:
        number: "T-12".
        text: What was reported: cleaned, masked, not escaped; may be empty.
        reporter: Slack user id.
        permalink: Of the message; None when there is none.
        state: Where the ticket stands.
        queue: Where it is; None while a person decides.
        queues: Every queue there is, at most `MAX_QUEUES`; none is blank or longer than
            `MAX_QUEUE_NAME`.
        top3: The model's one to three most probable queues, with probabilities in [0, 1].
        confidence: The model's probability in [0, 1] of its first choice.
        decision: What the model decided.
        reason: Why.
        priority: In force now.
        priority_why: The model's reason for its priority, one line.
        language: ISO 639-1 code, or `und`.
        model_version: The bundle that judged.
        created_at: When the ticket was filed (aware).
        steps: What people did since, oldest first.
        precedent: The settled ticket that decided, or spoke against the model; None without one.
        judgements: All that the model ever said, oldest first; only where all of it is shown.
        edits: How often the list of queues had been edited when this was gathered.
    """

    number: str
    text: str
    reporter: str
    permalink: str | None
    state: State
    queue: str | None
    queues: tuple[str, ...]
    top3: tuple[tuple[str, float], ...]
    confidence: float
    decision: Decision
    reason: Reason
    priority: Priority
    priority_why: str
    language: str
    model_version: str
    created_at: datetime
    steps: tuple[Step, ...] = ()
    precedent: str | None = None
    judgements: tuple[Judgement, ...] = ()
    edits: int = 0

    @property
    def judged_by_a_person(self) -> bool:
        """Whether a person has said where it belongs, so that the model's guess is history."""
        return any(step.action in _JUDGED_BY_A_PERSON for step in self.steps)

    @property
    def proposed(self) -> str | None:
        """Where its reporter says that it belongs, while a person looks into that."""
        said = self.last(Action.WRONG_QUEUE)
        if said is None or self.state is not State.PENDING or len(said.today) > 1:
            return None
        return said.today[0] if said.today else said.queue_after

    def last(self, action: Action) -> Step | None:
        """The latest step of that kind."""
        return next((step for step in reversed(self.steps) if step.action is action), None)
