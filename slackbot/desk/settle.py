"""What people decide about a ticket: one atomic step, and exactly one of several at once wins."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from core.decision import Priority
from slackbot.desk.announce import News, announce
from slackbot.desk.audits import AUDITED_STATES, open_audit
from slackbot.desk.show import Cause, notify, show
from slackbot.errors import AutoTicketError
from slackbot.team_settings import TeamSettings
from slackbot.views import answers
from storage import predictions, review_requests, reviews, tickets
from storage.records import Action, NewReview, Review, State, Ticket
from storage.review_records import NewReviewRequest, Why

OPEN_STATES = frozenset({State.PENDING, State.ASSIGNED, State.CLAIMED})

EXPECTED_STATES = {
    Action.CONFIRM: frozenset({State.PENDING}),
    Action.DISMISS: frozenset({State.PENDING}),
    Action.REASSIGN: frozenset({State.PENDING, State.ASSIGNED, State.CLAIMED, State.DISMISSED}),
    Action.PRIORITY: OPEN_STATES,
    Action.CLAIM: frozenset({State.ASSIGNED}),
    Action.RESOLVE: frozenset({State.ASSIGNED, State.CLAIMED}),
    Action.REOPEN: frozenset({State.RESOLVED}),
    Action.WITHDRAW: OPEN_STATES,
    Action.WRONG_QUEUE: frozenset({State.ASSIGNED, State.CLAIMED}),
}
"""From which states each step leads on; who comes second finds another state, and loses."""

_STATE_AFTER = {
    Action.CONFIRM: State.ASSIGNED,
    Action.DISMISS: State.DISMISSED,
    Action.REASSIGN: State.ASSIGNED,
    Action.CLAIM: State.CLAIMED,
    Action.RESOLVE: State.RESOLVED,
    Action.REOPEN: State.ASSIGNED,
    Action.WITHDRAW: State.WITHDRAWN,
    Action.WRONG_QUEUE: State.PENDING,
}

BY_REPORTER = frozenset({Action.WITHDRAW, Action.WRONG_QUEUE})
"""These are for who reported the ticket, and for nobody else."""

_SETTLING = frozenset({Action.CONFIRM, Action.REASSIGN, Action.DISMISS})
"""These say where a ticket belongs."""

_CLOSING = frozenset({Action.DISMISS, Action.RESOLVE, Action.WITHDRAW})
"""What can still be done with a ticket whose text was erased."""

_EXPECTED_BY_AUDIT = {
    Action.CONFIRM: AUDITED_STATES,
    Action.REASSIGN: AUDITED_STATES,
    Action.DISMISS: AUDITED_STATES - {State.RESOLVED},
}
"""From which states the answer to an audit leads on."""


class UnknownTicket(AutoTicketError):
    """No ticket of that number in this workspace."""

    def __init__(self, number: str) -> None:
        super().__init__(answers.unknown_ticket(number).text)


class UnknownQueue(AutoTicketError):
    """A queue that does not exist, or not any more."""

    def __init__(self, queue: str) -> None:
        super().__init__(answers.unknown_queue(queue).text)


class NotTheReporter(AutoTicketError):
    """Somebody else than the reporter wanted what only the reporter may."""

    def __init__(self) -> None:
        super().__init__(answers.not_the_reporter().text)


class AlreadyThere(AutoTicketError):
    """The reporter says that the ticket belongs where it is."""

    def __init__(self, ticket: Ticket) -> None:
        super().__init__(answers.already_there(ticket).text)


class Forgotten(AutoTicketError):
    """The ticket's text was erased: it can be closed, and nothing else."""

    def __init__(self, number: str) -> None:
        super().__init__(answers.forgotten(number).text)


class AlreadySettled(AutoTicketError):
    """Somebody else was first, or the step does not fit the ticket's state."""

    def __init__(self, ticket: Ticket, last: Review | None) -> None:
        super().__init__(answers.already_settled(ticket, last).text)


@dataclass(frozen=True, slots=True)
class Settled:
    """A step that was taken.

    Attributes:
        ticket: As it is now.
        action: What it counts as: a pick of the model's own choice is a confirmation.
    """

    ticket: Ticket
    action: Action


@dataclass(frozen=True, slots=True)
class Step:
    """What a person wants done with a ticket.

    Attributes:
        number: "T-12".
        action: What.
        user: Slack user id of who.
        queue: The queue picked, for confirm and reassign.
        priority: The priority picked, for priority.
        seen_pending: The card still asked for a decision when the person clicked, so that the
            click must not undo a decision made meanwhile; a card that asks may be an audit's.
    """

    number: str
    action: Action
    user: str
    queue: str | None = None
    priority: Priority | None = None
    seen_pending: bool = False


async def settle(
    conn: AsyncConnection,
    team: str,
    step: Step,
    *,
    queues: Collection[str],
    settings: TeamSettings,
    cause: Cause,
    webhooks: Sequence[str] = (),
) -> Settled:
    """Carry out one step within the caller's transaction.

    Args:
        conn: A write transaction.
        team: The workspace the person is in; other workspaces' tickets do not exist for it.
        step: What is wanted.
        queues: The queues that exist.
        settings: Of the team.
        cause: The click, for the logs.
        webhooks: Lanes of those that must hear of it.

    Raises:
        UnknownTicket: No such ticket in this team.
        UnknownQueue: The picked queue does not exist.
        Forgotten: There is no text any more by which anybody could go.
        NotTheReporter: It is only for who reported the ticket.
        AlreadyThere: The reporter picked the queue that the ticket is in.
        AlreadySettled: Somebody was first.
    """
    if step.queue is not None and step.queue not in queues:
        raise UnknownQueue(step.queue)
    before = await tickets.get(conn, team, step.number, lock=True)
    if before is None or before.state is State.SILENT:
        raise UnknownTicket(step.number)
    if not before.text and step.action not in _CLOSING:
        raise Forgotten(before.number)
    _check_reporter(step, before)
    request = (await review_requests.latest(conn, [before.id])).get(before.id)
    audit = open_audit(before, request) if _may_answer(step) else None
    step = await _named_rightly(conn, step, before)
    after = await tickets.change(
        conn,
        team=team,
        ticket_id=before.id,
        expected=_expected(step, before) if audit is None else _EXPECTED_BY_AUDIT[step.action],
        now=datetime.now(UTC),
        state=_state_after(step, before),
        queue=_queue_after(step, before),
        priority=step.priority.value if step.priority else before.priority,
    )
    if after is None:
        raise AlreadySettled(before, await reviews.last_of_ticket(conn, before.id))
    await reviews.add(conn, _review(step, before, after), now=datetime.now(UTC))
    if request is not None and step.action in _SETTLING:
        asked = before.state is State.PENDING or audit is not None
        await review_requests.answer(conn, request, asked=asked, now=datetime.now(UTC))
    if step.action is Action.WRONG_QUEUE and open_audit(before, request) is None:
        # An audit that is still open is answered by what comes of this, and stays a fair draw.
        await review_requests.add(conn, [_asked_by_reporter(after)], now=datetime.now(UTC))
    await show(conn, after, settings, cause)
    stepped = News.stepped(after, step.action, step.user, cause.correlation)
    await announce(conn, [stepped], webhooks)
    agrees = audit is not None and step.action is Action.CONFIRM
    if step.action is not Action.PRIORITY and not agrees:
        notice = answers.notice(after, step.action, by=step.user)
        await notify(conn, after, notice, f"notice:{after.id}:{after.version}", cause)
    return Settled(after, step.action)


async def _named_rightly(conn: AsyncConnection, step: Step, ticket: Ticket) -> Step:
    """A pick of the model's own choice is a confirmation, however it was tapped."""
    if step.action not in (Action.CONFIRM, Action.REASSIGN):
        return step
    if ticket.state is State.PENDING:
        said = (await predictions.latest(conn, [ticket.id])).get(ticket.id)
        agrees = said is not None and said.queue == step.queue
    elif _may_answer(step):
        agrees = ticket.queue == step.queue
    else:
        return step
    return replace(step, action=Action.CONFIRM if agrees else Action.REASSIGN)


def _check_reporter(step: Step, ticket: Ticket) -> None:
    if step.action not in BY_REPORTER:
        return
    if step.user != ticket.reporter:
        raise NotTheReporter
    if step.action is Action.WRONG_QUEUE and step.queue == ticket.queue:
        raise AlreadyThere(ticket)


def _queue_after(step: Step, before: Ticket) -> str | None:
    """Where the ticket is after the step; what its reporter proposes is not yet decided."""
    return None if step.action is Action.WRONG_QUEUE else step.queue or before.queue


def _asked_by_reporter(ticket: Ticket) -> NewReviewRequest:
    return NewReviewRequest(
        team=ticket.team, ticket_id=ticket.id, why=Why.REPORTER, probability=1.0, blind=False
    )


def _may_answer(step: Step) -> bool:
    """Whether a step answers an audit, if one is open: it was taken on a card that asked."""
    return step.seen_pending and step.action in _SETTLING


def _state_after(step: Step, before: Ticket) -> State:
    """An audit that agrees changes nothing, and none opens again what is resolved."""
    audited = _may_answer(step) and before.state in AUDITED_STATES
    if audited and (step.action is Action.CONFIRM or before.state is State.RESOLVED):
        return before.state
    return _STATE_AFTER.get(step.action, before.state)


def _expected(step: Step, ticket: Ticket) -> frozenset[State]:
    expected = EXPECTED_STATES[step.action]
    if step.action is Action.REASSIGN and ticket.queue == step.queue:
        expected -= {State.ASSIGNED, State.CLAIMED}  # it is there already
    if step.seen_pending and step.action in _SETTLING:
        expected &= {State.PENDING}
    return expected


def _review(step: Step, before: Ticket, after: Ticket) -> NewReview:
    return NewReview(
        team=after.team,
        ticket_id=after.id,
        reviewer=step.user,
        action=step.action,
        queue_before=before.queue,
        queue_after=step.queue if step.action is Action.WRONG_QUEUE else after.queue,
        priority_before=before.priority,
        priority_after=after.priority,
    )
