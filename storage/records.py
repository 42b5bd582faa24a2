"""The values of the record: what its rows mean to the rest of the program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class Source(StrEnum):
    """How a ticket came in."""

    MESSAGE = "message"
    MENTION = "mention"
    DIRECT = "direct"
    COMMAND = "command"
    MODAL = "modal"
    SHORTCUT = "shortcut"
    REACTION = "reaction"


class State(StrEnum):
    """Where a ticket stands."""

    PENDING = "pending"
    ASSIGNED = "assigned"
    CLAIMED = "claimed"
    RESOLVED = "resolved"
    DISMISSED = "dismissed"
    WITHDRAWN = "withdrawn"
    SILENT = "silent"
    """Judged and recorded only: nobody in Slack knows of it."""


CLOSED = frozenset({State.RESOLVED, State.DISMISSED, State.WITHDRAWN, State.SILENT})
"""Nothing more is expected of these."""


class Action(StrEnum):
    """What a person did to a ticket."""

    CONFIRM = "confirm"
    REASSIGN = "reassign"
    DISMISS = "dismiss"
    PRIORITY = "priority"
    CLAIM = "claim"
    RESOLVE = "resolve"
    REOPEN = "reopen"
    WITHDRAW = "withdraw"
    WRONG_QUEUE = "wrong_queue"
    """Its reporter says so; `queue_after` is where the reporter thinks it belongs."""


class Place(StrEnum):
    """Which of a ticket's cards; each exists at most once."""

    THREAD = "thread"
    REVIEW = "review"
    QUEUE = "queue"


class DeliveryKind(StrEnum):
    """What a delivery brings: the first three to Slack, the last to a program elsewhere."""

    CARD = "card"
    NOTICE = "notice"
    ANSWER = "answer"
    WEBHOOK = "webhook"


class DeliveryState(StrEnum):
    """Where a piece of work stands, in the inbox and in the outbox."""

    WAITING = "waiting"
    LEASED = "leased"
    DONE = "done"
    DEAD = "dead"


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """What every row of an append-only table has; never changed afterwards.

    Attributes:
        id: Grows in the order of recording.
        created_at: When it was recorded (UTC).
    """

    __slots__ = ()  # those that inherit have them: two parents with slots cannot be joined

    id: int
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NewInboxItem:
    """One payload of Slack's, to be recorded.

    Attributes:
        team: The workspace.
        key: Unique in the team; the same for every redelivery of the payload.
        kind: What the payload is; the intake's own word.
        payload: The payload as recorded.
        correlation: Follows the message through all logs.
        changes: The message that an edit, a deletion or a shortcut is about; None for anything
            else.
    """

    team: str
    key: str
    kind: str
    payload: Mapping[str, Any]
    correlation: str
    changes: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxItem(NewInboxItem):
    """A payload leased to be worked on.

    Attributes:
        id: Grows in the order of arrival.
        received_at: When it was recorded (UTC).
        attempts: How often it was leased, this time included; at least 1.
    """

    id: int
    received_at: datetime
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeState:
    """An edit or a deletion of a message, as recorded.

    Attributes:
        key: Of the payload; of two edits the later one has the greater key.
        kind: The intake's own word.
        state: Where it stands.
    """

    key: str
    kind: str
    state: DeliveryState


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueDepth:
    """How much work lies in the inbox or in the outbox.

    Attributes:
        waiting: Rows that nobody has taken.
        leased: Rows in work.
        dead: Rows given up, for the operator to see.
        oldest_waiting: When the oldest waiting row came in (UTC); None when nothing waits.
    """

    waiting: int
    leased: int
    dead: int
    oldest_waiting: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTicket:
    """A ticket to be created.

    Attributes:
        team: The workspace.
        key: Unique in the team; the key under which the inbox recorded the message.
        channel: Where the message stands, or the command was given; None for App Home.
        ts: The message's timestamp in `channel`; None when there is no message.
        thread_ts: The thread to answer in; None when there is none.
        source: How it came in.
        reporter: Slack user id.
        text: What was reported, already masked.
        state: Where it starts.
        queue: The queue it is assigned to, or proposed for; None when there is none.
        urgency: ITIL urgency.
        impact: ITIL impact.
        priority: P1 to P5.
    """

    team: str
    key: str
    channel: str | None
    ts: str | None
    thread_ts: str | None
    source: Source
    reporter: str
    text: str
    state: State
    queue: str | None
    urgency: str
    impact: str
    priority: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket(NewTicket):
    """A ticket as it stands now.

    Attributes:
        id: Counts up over all teams.
        created_at: When it was filed (UTC).
        updated_at: When it last changed (UTC); forgetting its text is no such change.
        version: 1 when created, one more with every change.
    """

    id: int
    created_at: datetime
    updated_at: datetime
    version: int

    @property
    def number(self) -> str:
        """What people call it: `T-12`."""
        return f"T-{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPrediction:
    """What the model said about one text, to be added to the record.

    Attributes:
        team: The workspace.
        ticket_id: The ticket; None for a text judged not to be one (its text is kept nowhere).
        model_version: The bundle that said so.
        queue: The most probable queue.
        confidence: Its probability in [0, 1].
        probabilities: The probability of every queue, in [0, 1].
        threshold: From which confidence the queue is assigned automatically.
        decision: `auto`, `review` or `ignore`.
        reason: Why, from the decision's closed set.
        urgency: ITIL urgency.
        impact: ITIL impact.
        priority: P1 to P5.
        language: ISO 639-1 code, or `und`.
        latency_ms: How long the model took, in milliseconds.
        precedent: The settled ticket that decided or spoke against; None without one.
    """

    team: str
    ticket_id: int | None
    model_version: str
    queue: str
    confidence: float
    probabilities: Mapping[str, float]
    threshold: float
    decision: str
    reason: str
    urgency: str
    impact: str
    priority: str
    language: str
    latency_ms: float
    precedent: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction(NewPrediction, Recorded):
    """What the model said, as recorded; never changed afterwards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReview:
    """What a person did to a ticket, to be added to the record.

    Attributes:
        team: The workspace.
        ticket_id: The ticket.
        reviewer: Slack user id.
        action: What was done.
        queue_before: The ticket's queue before; None when it had none.
        queue_after: The ticket's queue after; None when it has none.
        priority_before: The ticket's priority before.
        priority_after: The ticket's priority after.
    """

    team: str
    ticket_id: int
    reviewer: str
    action: Action
    queue_before: str | None
    queue_after: str | None
    priority_before: str
    priority_after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Review(NewReview, Recorded):
    """What a person did, as recorded; never changed afterwards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCard:
    """A card that a ticket needs.

    Attributes:
        team: The workspace.
        ticket_id: The ticket that it shows.
        place: Which of the ticket's cards.
        channel: Where it should be posted: a channel id, or a user id for a direct message.
        thread_ts: The thread that it belongs in; None for the channel itself.
    """

    team: str
    ticket_id: int
    place: Place
    channel: str
    thread_ts: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Card(NewCard):
    """A card of a ticket: where it should be, and where it is once posted.

    Attributes:
        id: Of the card.
        ts: Its timestamp once posted; None before.
        posted_channel: The channel that Slack answered with; None before it is posted.
        retired: Left behind by a move; another card has taken its place.
        refused: Slack will not have it in that channel, so nobody sees it.
    """

    id: int
    ts: str | None
    posted_channel: str | None
    retired: bool
    refused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDelivery:
    """One call to Slack that must happen, to be added to the outbox.

    Attributes:
        team: The workspace.
        lane: What is delivered strictly one after the other; usually a channel id.
        kind: What it brings.
        ticket_id: The ticket that it is about, if any.
        card_id: The card to post or rewrite; None for anything but a card.
        key: Unique in the team; None when enqueueing twice does no harm.
        payload: What is needed to make the call; a card is rendered when it is delivered.
        correlation: Follows the message through all logs.
    """

    team: str
    lane: str
    kind: DeliveryKind
    ticket_id: int | None
    card_id: int | None
    key: str | None
    payload: Mapping[str, Any]
    correlation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery(NewDelivery):
    """A call to Slack in the outbox.

    Attributes:
        id: Grows in the order of enqueueing; a lane is delivered in this order.
        state: Where it stands.
        attempts: How often it was taken to be delivered, this time included.
        uncertain: An earlier call may have done it without anybody knowing: look before posting.
        due_at: Not before this time (UTC).
        error: Why the last attempt failed; empty when none did.
        created_at: When it was enqueued (UTC).
    """

    id: int
    state: DeliveryState
    attempts: int
    uncertain: bool
    due_at: datetime
    error: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A lane leased to one owner, with what is due in it.

    Attributes:
        team: The workspace.
        lane: The lane's name.
        deliveries: What to deliver, in this order; never empty.
    """

    team: str
    lane: str
    deliveries: tuple[Delivery, ...]
