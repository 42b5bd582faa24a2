"""What people decide about a ticket: one atomic step, and exactly one of several at once wins."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from slackbot.desk.announce import News, announce
from slackbot.desk.audits import open_audit
from slackbot.desk.show import Cause, notify, show
from slackbot.desk.steps import (
    BY_REPORTER,
    CLOSING,
    SETTLING,
    Step,
    expected,
    is_there,
    may_answer,
    queue_after,
    state_after,
)
from slackbot.errors import AutoTicketError
from slackbot.queue_names import EVER_THE_SAME, QueueNames
from slackbot.team_settings import TeamSettings
from slackbot.views import answers
from storage import predictions, review_requests, reviews, tickets
from storage.queue_edits import Written
from storage.records import Action, NewReview, Review, State, Ticket
from storage.review_records import NewReviewRequest, ReviewRequest, Why


class UnknownTicket(AutoTicketError):
    """No ticket of that number in this workspace."""

    def __init__(self, number: str) -> None:
        super().__init__(answers.unknown_ticket(number).text)


class UnknownQueue(AutoTicketError):
    """A queue that does not exist, or not any more."""

    def __init__(self, queue: str) -> None:
        super().__init__(answers.unknown_queue(queue).text)


class QueueWasSplit(UnknownQueue):
    """A queue that is several now, and nobody can tell which was meant."""

    def __init__(self, queue: str, parts: Sequence[str]) -> None:
        AutoTicketError.__init__(self, answers.queue_was_split(queue, parts).text)


class NotTheReporter(AutoTicketError):
    """Somebody else than the reporter wanted what only the reporter may."""

    def __init__(self) -> None:
        super().__init__(answers.not_the_reporter().text)


class AlreadyThere(AutoTicketError):
    """Somebody says that the ticket belongs where it is."""

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


async def settle(
    conn: AsyncConnection,
    team: str,
    step: Step,
    *,
    queues: Collection[str],
    settings: TeamSettings,
    cause: Cause,
    webhooks: Sequence[str] = (),
    names: QueueNames = EVER_THE_SAME,
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
        names: What became of queues.

    Raises:
        UnknownTicket: No such ticket in this team.
        UnknownQueue: The picked queue does not exist, or was split.
        Forgotten: There is no text any more by which anybody could go.
        NotTheReporter: It is only for who reported the ticket.
        AlreadyThere: The picked queue is the one that the ticket is in.
        AlreadySettled: Somebody was first.
    """
    step = _in_todays_words(step, queues, names)
    before = await _settleable(conn, team, step)
    request = (await review_requests.latest(conn, [before.id])).get(before.id)
    audited = may_answer(step) and open_audit(before, request) is not None
    step = await _named_rightly(conn, step, before, names)
    after = await _change(conn, step, before, audited=audited)
    await _record(conn, step, before, after, request)
    await show(conn, after, settings, cause)
    stepped = News.stepped(after, step.action, step.user, cause.correlation)
    await announce(conn, [stepped], webhooks, names)
    if step.action is not Action.PRIORITY and not (audited and step.action is Action.CONFIRM):
        await _tell_reporter(conn, step, after, cause)
    return Settled(after, step.action)


def _in_todays_words(step: Step, queues: Collection[str], names: QueueNames) -> Step:
    """The same step, with the picked queue as it is called today."""
    if step.queue is None:
        return step
    found = names.picked(step.queue, queues, step.edits_seen)
    if not found:
        raise UnknownQueue(step.queue)
    if len(found) > 1:
        raise QueueWasSplit(step.queue, found)
    return replace(step, queue=found[0])


async def _settleable(conn: AsyncConnection, team: str, step: Step) -> Ticket:
    """The ticket, locked, when this person may take this step at all."""
    ticket = await tickets.get(conn, team, step.number, lock=True)
    if ticket is None or ticket.state is State.SILENT:
        raise UnknownTicket(step.number)
    if not ticket.text and step.action not in CLOSING:
        raise Forgotten(ticket.number)
    if step.action in BY_REPORTER and step.user != ticket.reporter:
        raise NotTheReporter
    if is_there(step, ticket):
        raise AlreadyThere(ticket)
    return ticket


async def _change(conn: AsyncConnection, step: Step, before: Ticket, *, audited: bool) -> Ticket:
    after = await tickets.change(
        conn,
        team=before.team,
        ticket_id=before.id,
        expected=expected(step, before, audited=audited),
        now=datetime.now(UTC),
        state=state_after(step, before),
        queue=queue_after(step, before),
        priority=step.priority.value if step.priority else before.priority,
    )
    if after is None:
        raise AlreadySettled(before, await reviews.last_of_ticket(conn, before.id))
    return after


async def _record(
    conn: AsyncConnection,
    step: Step,
    before: Ticket,
    after: Ticket,
    request: ReviewRequest | None,
) -> None:
    """Note what was done, what it answers, and what it asks."""
    now, audit = datetime.now(UTC), open_audit(before, request)
    await reviews.add(conn, _review(step, before, after), now=now)
    if request is not None and step.action in SETTLING:
        asked = before.state is State.PENDING or (may_answer(step) and audit is not None)
        await review_requests.answer(conn, request, asked=asked, now=now)
    if step.action is Action.WRONG_QUEUE and audit is None:
        # An audit that is still open is answered by what comes of this, and stays a fair draw.
        await review_requests.add(conn, [_asked_by_reporter(after)], now=now)


async def _tell_reporter(conn: AsyncConnection, step: Step, after: Ticket, cause: Cause) -> None:
    notice = answers.notice(after, step.action, by=step.user)
    await notify(conn, after, notice, f"notice:{after.id}:{after.version}", cause)


async def _named_rightly(
    conn: AsyncConnection, step: Step, ticket: Ticket, names: QueueNames
) -> Step:
    """A pick of the model's own choice is a confirmation, however it was tapped."""
    if step.action not in (Action.CONFIRM, Action.REASSIGN):
        return step
    if ticket.state is State.PENDING:
        said = (await predictions.latest(conn, [ticket.id])).get(ticket.id)
        meant = names.of_row(Written.PREDICTIONS, said.id, said.queue) if said else ()
        agrees = step.queue in meant
    elif may_answer(step):
        agrees = ticket.queue == step.queue
    else:
        return step
    return replace(step, action=Action.CONFIRM if agrees else Action.REASSIGN)


def _asked_by_reporter(ticket: Ticket) -> NewReviewRequest:
    return NewReviewRequest(
        team=ticket.team, ticket_id=ticket.id, why=Why.REPORTER, probability=1.0, blind=False
    )


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
