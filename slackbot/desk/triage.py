"""What the model decides about what came in: file it, judge it again, withdraw it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import groupby

from sqlalchemy.ext.asyncio import AsyncConnection

from core.decision import Classification, Decision, Priority
from slackbot.desk.announce import News, announce
from slackbot.desk.audits import NO_AUDITS, AuditDraw, audited, request_for
from slackbot.desk.judged import Judged
from slackbot.desk.show import answer, show, show_new
from slackbot.intake import Intake, Kind
from slackbot.team_settings import TeamSettings
from storage import inbox, predictions, review_requests, reviews, tickets
from storage.records import (
    Action,
    ChangeState,
    DeliveryState,
    NewPrediction,
    NewReview,
    NewTicket,
    State,
    Ticket,
)
from storage.review_records import Why

_UNFINISHED = frozenset({DeliveryState.WAITING, DeliveryState.LEASED})


class Effect(StrEnum):
    """What came of a payload."""

    FILED = "filed"
    IGNORED = "ignored"
    CHANGED = "changed"
    NOTHING = "nothing"
    WAITS = "waits"


@dataclass(frozen=True, slots=True)
class Audience:
    """Who must hear of what happens to tickets.

    Attributes:
        settings: By team, with the places of cards.
        webhooks: Lanes of programs elsewhere.
        audits: Draws the automatic routes that are put to a person all the same.
    """

    settings: Mapping[str, TeamSettings]
    webhooks: Sequence[str] = ()
    audits: AuditDraw = NO_AUDITS

    def draw_of(self, team: str) -> AuditDraw:
        """Draws a team's audits; none where nobody could answer."""
        return self.audits if self.settings[team].review_channel else NO_AUDITS


async def apply(conn: AsyncConnection, batch: Sequence[Judged], audience: Audience) -> list[Effect]:
    """Write down what follows from payloads, in their order, within the caller's transaction.

    Args:
        conn: A write transaction.
        batch: The payloads, judged.
        audience: Who must hear of it.

    Returns:
        What came of each; WAITS for an edit or deletion that overtook its message.
    """
    effects: list[Effect] = []
    for kind, run in groupby(batch, key=_change_kind):
        if kind is Kind.DELETE:
            effects += [await _withdraw(conn, judged, audience) for judged in run]
        elif kind is Kind.EDIT:
            effects += [await _edit(conn, judged, audience) for judged in run]
        else:
            effects += await _file(conn, list(run), audience)
    return effects


def _change_kind(judged: Judged) -> Kind | None:
    kind = judged.intake.kind
    return kind if kind in (Kind.EDIT, Kind.DELETE) else None


async def _file(conn: AsyncConnection, batch: Sequence[Judged], audience: Audience) -> list[Effect]:
    """File what are tickets, in as many statements as for one, and answer who gave commands."""
    overtaken = await _overtaken(conn, [judged.intake for judged in batch])
    on_time = [judged for judged, late in zip(batch, overtaken, strict=True) if not late]
    ignored = [judged for judged in on_time if judged.said.decision is Decision.IGNORE]
    wanted = [judged for judged in on_time if judged.said.decision is not Decision.IGNORE]
    created = await tickets.create(conn, [_new_ticket(judged) for judged in wanted], now=_now())
    filed = [
        (judged, ticket)
        for judged, made in zip(wanted, created, strict=True)
        if (ticket := made or await _brought_up(conn, judged))
    ]
    # Not a ticket: the judgement counts, the text is nobody's business.
    said = [_prediction(judged, None) for judged in ignored]
    said += [_prediction(judged, ticket.id) for judged, ticket in filed]
    await predictions.add(conn, said, now=_now())
    asked = [
        request_for(ticket, judged.said.reason, audience.draw_of(ticket.team))
        for judged, ticket in filed
    ]
    requests = [request for request in asked if request is not None]
    await review_requests.add(conn, requests, now=_now())
    shown = [(t, judged.cause) for judged, t in filed if t.state is not State.SILENT]
    await show_new(conn, shown, audience.settings, audited(requests))
    news = [News.filed(ticket, cause.correlation) for ticket, cause in shown]
    await announce(conn, news, audience.webhooks)
    for judged in wanted:
        await _answer(conn, judged.intake)
    effects = {judged.inbox_key: Effect.IGNORED for judged in ignored}
    effects |= {judged.inbox_key: Effect.FILED for judged, _ in filed}
    return [effects.get(judged.inbox_key, Effect.NOTHING) for judged in batch]


async def _brought_up(conn: AsyncConnection, judged: Judged) -> Ticket | None:
    """Make a ticket for all to see of one that was only recorded, when somebody files it."""
    intake, said = judged.intake, judged.said
    if intake.silent:
        return None
    known = await tickets.by_key(conn, intake.team, intake.ticket_key, lock=True)
    if known is None or known.state is not State.SILENT:
        return None
    return await _judged_again(conn, known, judged, *_state_and_queue(said), said.priority)


async def _answer(conn: AsyncConnection, intake: Intake) -> None:
    """Answer a command with its ticket, be it new or known."""
    if not intake.response_url:
        return
    ticket = await tickets.by_key(conn, intake.team, intake.ticket_key)
    if ticket is not None:
        await answer(
            conn,
            team=intake.team,
            url=intake.response_url,
            ticket=ticket,
            key=intake.key,
            correlation=intake.correlation,
        )


async def _overtaken(conn: AsyncConnection, intakes: Sequence[Intake]) -> list[bool]:
    """Whether each message was deleted, or judged with a newer text, before this came.

    Slack brings again what was not acknowledged, and so brings it late.
    """
    messages = {(intake.team, f"{intake.channel}:{intake.ts}") for intake in intakes if intake.ts}
    changes = await inbox.changes(conn, messages) if messages else {}
    return [
        _is_late(intake, changes.get((intake.team, f"{intake.channel}:{intake.ts}"), ()))
        for intake in intakes
    ]


def _is_late(intake: Intake, changes: Sequence[ChangeState]) -> bool:
    if any(change.kind == Kind.DELETE for change in changes):
        return True
    if intake.kind not in (Kind.MESSAGE, Kind.EDIT):
        return False  # its text is fetched when it is needed
    since = intake.key if intake.kind is Kind.EDIT else ""
    edits = [change for change in changes if change.kind == Kind.EDIT]
    return any(c.key > since and c.state is DeliveryState.DONE for c in edits)


async def _edit(conn: AsyncConnection, judged: Judged, audience: Audience) -> Effect:
    """Judge an edited message again, unless a person has already decided."""
    intake, said = judged.intake, judged.said
    [late] = await _overtaken(conn, [intake])
    if late:
        return Effect.NOTHING
    waits = await _original_waits(conn, intake)  # first: what ends meanwhile is then a ticket
    ticket = await tickets.by_key(conn, intake.team, intake.ticket_key, lock=True)
    if ticket is None:
        if waits:
            return Effect.WAITS
        # It was no ticket before the edit.
        [effect] = await _file(conn, [judged], audience)
        return effect
    steps = await reviews.of_tickets(conn, [ticket.id])
    decided = any(step.action is not Action.PRIORITY for step in steps)
    if decided or ticket.state not in (State.PENDING, State.ASSIGNED, State.SILENT):
        return Effect.NOTHING
    silent = ticket.state is State.SILENT
    state, queue = (State.SILENT, None) if silent else _state_and_queue(said)
    priority = Priority(ticket.priority) if steps else said.priority
    changed = await _judged_again(conn, ticket, judged, state, queue, priority)
    if changed is None:
        return Effect.NOTHING
    await predictions.add(conn, [_prediction(judged, ticket.id)], now=_now())
    if not silent:
        draw, settings = audience.draw_of(ticket.team), audience.settings[ticket.team]
        is_audited = await _ask_again(conn, judged, ticket, changed, draw)
        await show(conn, changed, settings, judged.cause, audited=is_audited)
        news = News.judged_again(ticket, changed, intake.correlation)
        await announce(conn, [news], audience.webhooks)
    return Effect.CHANGED


async def _judged_again(
    conn: AsyncConnection,
    ticket: Ticket,
    judged: Judged,
    state: State,
    queue: str | None,
    priority: Priority,
) -> Ticket | None:
    said = judged.said
    return await tickets.change(
        conn,
        team=ticket.team,
        ticket_id=ticket.id,
        expected={ticket.state},
        now=_now(),
        state=state,
        queue=queue,
        text=judged.intake.text or "",
        urgency=said.urgency.value,
        impact=said.impact.value,
        priority=priority.value,
    )


async def _ask_again(
    conn: AsyncConnection, judged: Judged, before: Ticket, after: Ticket, draw: AuditDraw
) -> bool:
    """Put an edited ticket to a person anew where that has changed; whether it is audited."""
    if before.state is after.state:
        return False  # a request that there is holds on, and so does that there is none
    request = request_for(after, judged.said.reason, draw, blind_allowed=False)
    if request is None:
        return False
    await review_requests.add(conn, [request], now=_now())
    return request.why is Why.AUDIT


async def _withdraw(conn: AsyncConnection, judged: Judged, audience: Audience) -> Effect:
    """The message is gone: so is its ticket, unless it was closed already."""
    intake = judged.intake
    waits = await _original_waits(conn, intake)  # first: what ends meanwhile is then a ticket
    ticket = await tickets.by_key(conn, intake.team, intake.ticket_key, lock=True)
    if ticket is None:
        return Effect.WAITS if waits else Effect.NOTHING
    if ticket.state is State.SILENT:  # nobody knows of it, and its author has taken it back
        await tickets.change(
            conn,
            team=ticket.team,
            ticket_id=ticket.id,
            expected={State.SILENT},
            now=_now(),
            text="",
        )
        return Effect.CHANGED
    withdrawn = await tickets.change(
        conn,
        team=ticket.team,
        ticket_id=ticket.id,
        expected=frozenset(State) - {State.WITHDRAWN},
        now=_now(),
        state=State.WITHDRAWN,
    )
    if withdrawn is None:
        return Effect.NOTHING
    step = _withdrawal(intake, ticket)
    await reviews.add(conn, step, now=_now())
    await show(conn, withdrawn, audience.settings[ticket.team], judged.cause)
    news = News.stepped(withdrawn, step.action, step.reviewer, intake.correlation)
    await announce(conn, [news], audience.webhooks)
    return Effect.CHANGED


async def is_known(conn: AsyncConnection, intake: Intake) -> bool:
    """Whether the message that `intake` is about is a ticket, or waits to be judged."""
    if await _original_waits(conn, intake):  # first: what ends meanwhile is then a ticket
        return True
    return await tickets.by_key(conn, intake.team, intake.ticket_key) is not None


async def _original_waits(conn: AsyncConnection, intake: Intake) -> bool:
    """Whether something that files the message is still to be judged."""
    keys = (f"message:{intake.ticket_key}", f"filed:{intake.ticket_key}")
    states = [await inbox.status(conn, team=intake.team, key=key) for key in keys]
    message = (intake.team, intake.ticket_key)
    changes = (await inbox.changes(conn, {message})).get(message, [])
    states += [change.state for change in changes if change.kind == Kind.SHORTCUT]
    return any(state in _UNFINISHED for state in states)


def _state_and_queue(said: Classification) -> tuple[State, str | None]:
    if said.decision is Decision.AUTO:
        return State.ASSIGNED, said.queue_label
    return State.PENDING, None


def _new_ticket(judged: Judged) -> NewTicket:
    intake, said = judged.intake, judged.said
    state, queue = (State.SILENT, None) if intake.silent else _state_and_queue(said)
    return NewTicket(
        team=intake.team,
        key=intake.ticket_key,
        channel=intake.channel,
        ts=intake.ts,
        thread_ts=intake.thread_ts,
        source=judged.source,
        reporter=intake.reporter,
        text=intake.text or "",
        state=state,
        queue=queue,
        urgency=said.urgency.value,
        impact=said.impact.value,
        priority=said.priority.value,
    )


def _prediction(judged: Judged, ticket_id: int | None) -> NewPrediction:
    said = judged.said
    return NewPrediction(
        team=judged.intake.team,
        ticket_id=ticket_id,
        model_version=said.model_version,
        queue=said.queue_label,
        confidence=said.confidence,
        probabilities=dict(said.probabilities),
        threshold=said.threshold,
        decision=said.decision.value,
        reason=said.reason.value,
        urgency=said.urgency.value,
        impact=said.impact.value,
        priority=said.priority.value,
        language=said.language,
        latency_ms=judged.latency_ms,
        precedent=said.precedent,
    )


def _withdrawal(intake: Intake, ticket: Ticket) -> NewReview:
    return NewReview(
        team=ticket.team,
        ticket_id=ticket.id,
        reviewer=intake.user or ticket.reporter,
        action=Action.WITHDRAW,
        queue_before=ticket.queue,
        queue_after=ticket.queue,
        priority_before=ticket.priority,
        priority_after=ticket.priority,
    )


def _now() -> datetime:
    return datetime.now(UTC)
