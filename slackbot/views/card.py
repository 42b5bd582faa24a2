"""A ticket's card: what it says, what can be done on it, and how it is found again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from core.decision import Reason
from slackbot.mrkdwn import link, mention, moment, quote, snippet
from slackbot.reasons import PROBABILITY_DOES_NOT_HOLD
from slackbot.views import blocks
from slackbot.views.controls import Controls, asks_audit, control_blocks, reporter_blocks
from slackbot.views.ids import MAX_QUEUE_NAME
from slackbot.views.message import Block, Message
from slackbot.views.ticket import TicketCard
from slackbot.views.words import (
    REASONS,
    SIGNS,
    STATES,
    bar,
    judgement_line,
    percent,
    priority_line,
    queue_name,
    step_line,
    sureness,
)
from storage.records import Action, Place, State

TICKET_EVENT = "autoticket_ticket"
MOVED_EVENT = "autoticket_moved"

AUDIT_SIGN = "🔍"

_BLIND_QUESTION = (
    "*Which queue is right?* The bot routed this by itself. It was drawn at random to be checked, "
    "and what the bot chose is hidden, so that you judge for yourself."
)
_TELL_NO_QUEUE = frozenset({Action.PRIORITY, Action.CLAIM, Action.RESOLVE, Action.REOPEN})
_NOTIFIED_TEXT = 80
_STEPS_ON_A_CARD = 4
_STEPS_IN_FULL = 30
_STEPS_IN_A_BLOCK = 10


def card(
    ticket: TicketCard, place: Place, controls: Controls, *, for_reporter: bool = False
) -> Message:
    """The card of `ticket` for one place.

    Args:
        ticket: As it stands now.
        place: Which of its cards; in the metadata, so that the card is found again.
        controls: What may be done on it; what the ticket's state forbids is left out.
        for_reporter: It is the card on which the reporter may do something too.
    """
    blind = controls.hides_the_pick
    asks = asks_audit(ticket, controls)
    shown = audit_body(ticket, blind=blind) if asks else body(ticket)
    return Message(
        text=_audit_notification(ticket, blind=blind) if asks else notification(ticket),
        blocks=(
            *shown,
            *control_blocks(ticket, controls),
            *(reporter_blocks(ticket, controls) if for_reporter else ()),
        ),
        metadata={
            "event_type": TICKET_EVENT,
            "event_payload": {"ticket": ticket.number, "place": place.value},
        },
    )


def moved(ticket: TicketCard, to_queue: str | None) -> Message:
    """What stays where a card was when it has gone to another queue, or to another channel."""
    text = f"{ticket.number} moved to {queue_name(to_queue) if to_queue else 'another channel'}"
    return Message(
        text=text,
        blocks=(blocks.context(text),),
        metadata={"event_type": MOVED_EVENT, "event_payload": {"ticket": ticket.number}},
    )


def notification(ticket: TicketCard) -> str:
    """The card in one line of mrkdwn: "T-12: VPN drops … → Access, 91 %"."""
    text = "" if ticket.state is State.WITHDRAWN else snippet(ticket.text, _NOTIFIED_TEXT)
    return f"{ticket.number}{f': {text}' if text else ''} → {_outcome_in_short(ticket)}"


def body(ticket: TicketCard) -> list[Block]:
    """What the card says: state, text, outcome, what people did, where it came from.

    A withdrawn ticket no longer shows its text: its author has taken that back.
    """
    shown = [blocks.header(_title(ticket))]
    if ticket.state is not State.WITHDRAWN:
        text = quote(ticket.text, limit=400, lines=5)
        undecided = ticket.state is State.PENDING or not ticket.judged_by_a_person
        verdict = _verdict(ticket, with_guess=undecided)
        shown += [blocks.section(paragraph) for paragraph in (text, verdict) if paragraph]
    shown += _history(ticket, _STEPS_ON_A_CARD)
    return [*shown, blocks.context(_origin(ticket))]


def audit_body(ticket: TicketCard, *, blind: bool) -> list[Block]:
    """What an audit's card says: the text, what is asked, and unless blind what the model chose.

    A blind one has no link to the message either: the bot's answer stands in its thread.
    """
    shown = [blocks.header(f"{AUDIT_SIGN} Audit · {ticket.number}")]
    text = quote(ticket.text, limit=400, lines=5)
    shown += [blocks.section(text)] if text else []
    lines = [_BLIND_QUESTION if blind else _open_question(ticket)]
    if not blind:
        lines += [bar(queue, probability) for queue, probability in ticket.top3]
    lines.append(_priority(ticket))
    shown.append(blocks.section("\n".join(lines)))
    steps = tuple(step for step in ticket.steps if not blind or step.action in _TELL_NO_QUEUE)
    told = replace(ticket, steps=steps, permalink=None if blind else ticket.permalink)
    return [*shown, *_history(told, _STEPS_ON_A_CARD), blocks.context(_origin(told))]


def _audit_notification(ticket: TicketCard, *, blind: bool) -> str:
    text = snippet(ticket.text, _NOTIFIED_TEXT)
    queue = snippet(ticket.queue or "", MAX_QUEUE_NAME)
    question = "which queue is right?" if blind or not queue else f"is {queue} right?"
    return f"{ticket.number}{f': {text}' if text else ''} → audit: {question}"


def _open_question(ticket: TicketCard) -> str:
    queue = queue_name(ticket.queue) if ticket.queue else "no queue"
    return (
        f"*Is {queue} right?* The bot routed this by itself: {sureness(ticket.confidence)}. "
        "It was drawn at random to be checked."
    )


def full_body(ticket: TicketCard) -> list[Block]:
    """Everything about a ticket: more of the text, what the model said, every step."""
    shown = [blocks.header(_title(ticket))]
    if ticket.state is not State.WITHDRAWN:
        text = quote(ticket.text, limit=1500, lines=20)
        shown += [blocks.section(text)] if text else []
    shown.append(blocks.section(_verdict(ticket, with_guess=True)))
    events = [(said.at, judgement_line(said)) for said in ticket.judgements]
    events += [(step.at, step_line(step)) for step in ticket.steps]
    in_time = [line for _, line in sorted(events, key=lambda event: event[0])]
    shown += _lines(in_time, _STEPS_IN_FULL)
    return [*shown, blocks.context(_origin(ticket))]


def _title(ticket: TicketCard) -> str:
    return f"{SIGNS[ticket.state]} {STATES[ticket.state]} · {ticket.number}"


def _outcome_in_short(ticket: TicketCard) -> str:
    if ticket.state is State.PENDING:
        return "a person will check"
    if ticket.state is not State.ASSIGNED or ticket.queue is None:
        return STATES[ticket.state].lower()
    queue = snippet(ticket.queue, MAX_QUEUE_NAME)
    if ticket.judged_by_a_person:
        return queue
    like = ticket.reason is Reason.SETTLED_LIKE and ticket.precedent
    return f"{queue}, like {like}" if like else f"{queue}, {percent(ticket.confidence)}"


def _outcome(ticket: TicketCard) -> str:
    queue = queue_name(ticket.queue) if ticket.queue else "no queue"
    alone = "" if ticket.judged_by_a_person else f" automatically: {_why_alone(ticket)}"
    claim = ticket.last(Action.CLAIM)
    return {
        State.PENDING: f"*A person will check.* {_why_asked(ticket)}\n{_best_guess(ticket)}",
        State.ASSIGNED: f"Assigned to {queue}{alone}",
        State.CLAIMED: f"{mention(claim.by) if claim else 'Somebody'} is working on it in {queue}",
        State.RESOLVED: f"Resolved in {queue}",
        State.DISMISSED: "Not a ticket: nobody will work on it.",
        State.WITHDRAWN: "Withdrawn: nobody will work on it.",
        State.SILENT: "Recorded only: nobody was told.",
    }[ticket.state]


def _why_asked(ticket: TicketCard) -> str:
    if ticket.proposed:
        return f"The reporter says: {queue_name(ticket.proposed)}"
    see = f" See {ticket.precedent}." if ticket.precedent else ""
    return f"{REASONS[ticket.reason]}{see}"


def _why_alone(ticket: TicketCard) -> str:
    if ticket.reason is Reason.SETTLED_LIKE and ticket.precedent:
        return f"settled like {ticket.precedent}"
    return sureness(ticket.confidence)


def _best_guess(ticket: TicketCard) -> str:
    best, _ = ticket.top3[0]
    how_sure = sureness(ticket.confidence)
    if ticket.reason in PROBABILITY_DOES_NOT_HOLD:
        how_sure = f"{percent(ticket.confidence)}, not to be relied on here"
    return f"Best guess: {queue_name(best)} ({how_sure})"


def _verdict(ticket: TicketCard, *, with_guess: bool) -> str:
    lines = [_outcome(ticket)]
    if with_guess:
        lines += [bar(queue, probability) for queue, probability in ticket.top3]
    if ticket.state not in (State.DISMISSED, State.WITHDRAWN):
        lines.append(_priority(ticket))
    return "\n".join(lines)


def _priority(ticket: TicketCard) -> str:
    chosen = ticket.last(Action.PRIORITY)
    why = f"set by {mention(chosen.by)}" if chosen else snippet(ticket.priority_why, 100)
    return priority_line(ticket.priority, why)


def _history(ticket: TicketCard, most: int) -> list[Block]:
    """The last steps, the latest at the end."""
    return _lines([step_line(step) for step in ticket.steps], most)


def _lines(everything: Sequence[str], most: int) -> list[Block]:
    """The last lines in small letters, and how many there are before them."""
    lines = list(everything[-most:])
    earlier = len(everything) - len(lines)
    if earlier:
        lines.insert(0, f"Earlier steps: {earlier}")
    return [
        blocks.context("\n".join(lines[start : start + _STEPS_IN_A_BLOCK]))
        for start in range(0, len(lines), _STEPS_IN_A_BLOCK)
    ]


def _origin(ticket: TicketCard) -> str:
    parts = [f"From {mention(ticket.reporter)}", moment(ticket.created_at)]
    if ticket.permalink and ticket.state is not State.WITHDRAWN:
        parts.append(link(ticket.permalink, "See the message"))
    return " · ".join(parts)
