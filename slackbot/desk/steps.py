"""Which steps a person may take with a ticket, from which states they lead on, and whereto."""

from __future__ import annotations

from dataclasses import dataclass

from core.decision import Priority
from slackbot.desk.audits import AUDITED_STATES
from storage.records import Action, State, Ticket

_WITH_STAFF = frozenset({State.ASSIGNED, State.CLAIMED})
_OPEN = _WITH_STAFF | {State.PENDING}

_EXPECTED = {
    Action.CONFIRM: frozenset({State.PENDING}),
    Action.DISMISS: frozenset({State.PENDING}),
    Action.REASSIGN: _OPEN | {State.DISMISSED},
    Action.PRIORITY: _OPEN,
    Action.CLAIM: frozenset({State.ASSIGNED}),
    Action.RESOLVE: _WITH_STAFF,
    Action.REOPEN: frozenset({State.RESOLVED}),
    Action.WITHDRAW: _OPEN,
    Action.WRONG_QUEUE: _WITH_STAFF,
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

SETTLING = frozenset({Action.CONFIRM, Action.REASSIGN, Action.DISMISS})
"""These say where a ticket belongs."""

CLOSING = frozenset({Action.DISMISS, Action.RESOLVE, Action.WITHDRAW})
"""What can still be done with a ticket whose text was erased."""

_EXPECTED_BY_AUDIT = {
    Action.CONFIRM: AUDITED_STATES,
    Action.REASSIGN: AUDITED_STATES,
    Action.DISMISS: AUDITED_STATES - {State.RESOLVED},
}
"""From which states the answer to an audit leads on."""


@dataclass(frozen=True, slots=True)
class Step:
    """What a person wants done with a ticket.

    Attributes:
        number: "T-12".
        action: What.
        user: Slack user id of who.
        queue: The queue picked, for confirm and reassign; as the card called it.
        priority: The priority picked, for priority.
        seen_pending: The card still asked for a decision when the person clicked, so that the
            click must not undo a decision made meanwhile; a card that asks may be an audit's.
        edits_seen: How often the list of queues had been edited when the card was drawn.
    """

    number: str
    action: Action
    user: str
    queue: str | None = None
    priority: Priority | None = None
    seen_pending: bool = False
    edits_seen: int = 0


def may_answer(step: Step) -> bool:
    """Whether a step answers an audit, if one is open: it was taken on a card that asked."""
    return step.seen_pending and step.action in SETTLING


def is_there(step: Step, ticket: Ticket) -> bool:
    """Whether a step would move a ticket to where it is.

    On a card that asked it would not: there somebody else was first.
    """
    moves = step.action in (Action.REASSIGN, Action.WRONG_QUEUE) and not may_answer(step)
    return moves and ticket.state in _WITH_STAFF and step.queue == ticket.queue


def expected(step: Step, ticket: Ticket, *, audited: bool) -> frozenset[State]:
    """From which states a step leads on now.

    Args:
        step: What is wanted.
        ticket: As it is.
        audited: The step answers an open audit.
    """
    if audited:
        return _EXPECTED_BY_AUDIT[step.action]
    states = _EXPECTED[step.action]
    if may_answer(step):
        states &= {State.PENDING}
    return states


def state_after(step: Step, before: Ticket) -> State:
    """An audit that agrees changes nothing, and none opens again what is resolved."""
    audited = may_answer(step) and before.state in AUDITED_STATES
    if audited and (step.action is Action.CONFIRM or before.state is State.RESOLVED):
        return before.state
    return _STATE_AFTER.get(step.action, before.state)


def queue_after(step: Step, before: Ticket) -> str | None:
    """Where the ticket is after the step; what its reporter proposes is not yet decided."""
    return None if step.action is Action.WRONG_QUEUE else step.queue or before.queue
