"""The buttons and selects of a ticket: which there are in which state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum

from core.decision import Priority
from slackbot.mrkdwn import shorten
from slackbot.views import blocks
from slackbot.views.ids import MAX_QUEUE_NAME, ActionId, Choice, edits_mark
from slackbot.views.message import Block
from slackbot.views.ticket import TicketCard
from storage.records import Action, State

_Element = Callable[[TicketCard], Block | None]


class Controls(StrEnum):
    """What can be done on a card."""

    NONE = "none"
    REVIEW = "review"
    STAFF = "staff"
    AUDIT = "audit"
    AUDIT_STAFF = "audit_staff"
    BLIND = "blind"
    BLIND_STAFF = "blind_staff"

    @property
    def audits(self) -> bool:
        """Whether it asks if a ticket that was routed already is where it belongs."""
        return self in _AUDITS

    @property
    def hides_the_pick(self) -> bool:
        """Whether nothing on the card may tell what the model chose."""
        return self in (Controls.BLIND, Controls.BLIND_STAFF)


def audit_controls(*, blind: bool, for_staff: bool) -> Controls:
    """What an audit's card offers.

    Args:
        blind: It hides the model's choice.
        for_staff: It is the staff's only card, and must also let them work on the ticket.
    """
    if blind:
        return Controls.BLIND_STAFF if for_staff else Controls.BLIND
    return Controls.AUDIT_STAFF if for_staff else Controls.AUDIT


_REVIEW = (
    (ActionId.CONFIRM, ActionId.PICK_2, ActionId.PICK_3, ActionId.DISMISS),
    (ActionId.REASSIGN, ActionId.PRIORITY, ActionId.BECAUSE),
)
_CORRECT = (ActionId.REASSIGN, ActionId.PRIORITY)
_AUDITS = {
    Controls.AUDIT: _REVIEW,
    Controls.AUDIT_STAFF: _REVIEW,
    Controls.BLIND: ((ActionId.REASSIGN, ActionId.DISMISS),),
    Controls.BLIND_STAFF: ((ActionId.REASSIGN, ActionId.DISMISS), (ActionId.PRIORITY,)),
}
"""Rows of elements that ask whether an automatic route was right."""
_WORK = {
    State.ASSIGNED: (ActionId.CLAIM, ActionId.RESOLVE),
    State.CLAIMED: (ActionId.RESOLVE,),
    State.RESOLVED: (ActionId.REOPEN,),
}
_STAFF = {
    State.PENDING: (_CORRECT,),
    State.ASSIGNED: (_WORK[State.ASSIGNED], _CORRECT),
    State.CLAIMED: (_WORK[State.CLAIMED], _CORRECT),
    State.RESOLVED: (_WORK[State.RESOLVED],),
    State.DISMISSED: ((ActionId.REASSIGN,),),
    State.WITHDRAWN: (),
    State.SILENT: (),
}
"""Rows of elements by state."""

_REPORTERS = {
    State.PENDING: (ActionId.WITHDRAW,),
    State.ASSIGNED: (ActionId.WRONG_QUEUE, ActionId.WITHDRAW),
    State.CLAIMED: (ActionId.WRONG_QUEUE, ActionId.WITHDRAW),
}
"""What the reporter may do by state."""

_REASSIGN_PROMPTS = {State.PENDING: "Another queue", State.DISMISSED: "A ticket for"}
_OPTION_TEXTS = 7_500
"""Characters that all options together may show: Slack refuses messages with much more text."""
_QUEUES_TWICE = _OPTION_TEXTS // MAX_QUEUE_NAME // 2
"""Most queues of which one message may show two menus."""


def control_blocks(ticket: TicketCard, controls: Controls) -> list[Block]:
    """The rows of buttons and selects that `ticket` offers in its present state.

    Review elements are there only while the ticket waits for a decision.
    """
    if controls is Controls.NONE:
        return []
    rows = _rows(ticket, controls)
    # A select keeps what somebody chose for as long as its block_id stays the same.
    iteration = len(ticket.steps)
    prefix = audit_prefix(ticket.number) if asks_audit(ticket, controls) else f"{ticket.number}:"
    filled = ([e for id_ in row if (e := _ELEMENTS[id_](ticket)) is not None] for row in rows)
    return [
        blocks.actions(f"{prefix}{position}:{iteration}{edits_mark(ticket.edits)}", elements)
        for position, elements in enumerate(filled)
        if elements
    ]


def audit_prefix(number: str) -> str:
    """How the ids of an audit's rows begin: a click in them answers the audit."""
    return f"{number}:audit:"


def asks_audit(ticket: TicketCard, controls: Controls) -> bool:
    """Whether a card with these controls asks if the ticket was routed rightly."""
    return controls.audits and ticket.state in _WORK


def reporter_blocks(ticket: TicketCard, controls: Controls) -> list[Block]:
    """What who reported the ticket may do with it; on their own card.

    Args:
        ticket: As it stands now.
        controls: What the card offers to others too: two long menus are too much for one message.
    """
    if ticket.state not in _REPORTERS:
        return []
    crowded = controls is not Controls.NONE and len(ticket.queues) > _QUEUES_TWICE
    ids = [i for i in _REPORTERS[ticket.state] if i is not ActionId.WRONG_QUEUE or not crowded]
    filled = [element for id_ in ids if (element := _ELEMENTS[id_](ticket)) is not None]
    mark = edits_mark(ticket.edits)
    return [blocks.actions(f"{ticket.number}:reporter:{len(ticket.steps)}{mark}", filled)]


def _rows(ticket: TicketCard, controls: Controls) -> Sequence[Sequence[ActionId]]:
    if asks_audit(ticket, controls):
        rows: list[Sequence[ActionId]] = list(_AUDITS[controls])
        if controls in (Controls.AUDIT_STAFF, Controls.BLIND_STAFF):
            rows.append(_WORK[ticket.state])
        if ticket.state is State.RESOLVED:  # it was worked on, so it was a ticket
            rows = [tuple(id_ for id_ in row if id_ is not ActionId.DISMISS) for row in rows]
        return rows
    deciding = controls is Controls.REVIEW and ticket.state is State.PENDING
    return _REVIEW if deciding else _STAFF[ticket.state]


def _pick(ticket: TicketCard, rank: int, action_id: ActionId) -> Block | None:
    """The button for the model's choice of that rank, if it has one."""
    choices = [queue for queue, _ in ticket.top3]
    first = ticket.queue or ticket.proposed  # an audit asks about where the ticket is
    if first is not None:
        choices = [first, *(queue for queue in choices if queue != first)]
    choices = [queue for queue in choices if queue in ticket.queues]  # it may have been split
    if rank >= len(choices):
        return None
    queue = choices[rank]
    value = str(Choice(ticket.number, queue))
    if rank == 0:
        return blocks.button(action_id, f"Confirm {queue}", value, "primary")
    return blocks.button(action_id, queue, value)


def _reassign(ticket: TicketCard) -> Block | None:
    prompt = _REASSIGN_PROMPTS.get(ticket.state, "Move to")
    return _queue_select(ActionId.REASSIGN, prompt, ticket, ticket.queues)


def _wrong_queue(ticket: TicketCard) -> Block | None:
    others = [queue for queue in ticket.queues if queue != ticket.queue]
    return _queue_select(ActionId.WRONG_QUEUE, "Wrong queue? It belongs to", ticket, others)


def _queue_select(
    action_id: ActionId, prompt: str, ticket: TicketCard, queues: Sequence[str]
) -> Block | None:
    if not queues:
        return None
    width = min(MAX_QUEUE_NAME, _OPTION_TEXTS // len(queues))
    options = [(shorten(queue, width), str(Choice(ticket.number, queue))) for queue in queues]
    return blocks.select(action_id, prompt, options)


def _withdraw(ticket: TicketCard) -> Block:
    sure = blocks.confirmation(
        f"Withdraw {ticket.number}?", "Nobody will work on it any more.", "Withdraw it", "Keep it"
    )
    value = str(Choice(ticket.number, Action.WITHDRAW))
    return blocks.button(ActionId.WITHDRAW, "Withdraw", value, confirm=sure)


def _because(ticket: TicketCard) -> Block:
    value = str(Choice(ticket.number, "because"))
    return blocks.button(ActionId.BECAUSE, "Because of …", value)


def _priority(ticket: TicketCard) -> Block:
    options = {
        priority: (priority.label, str(Choice(ticket.number, priority))) for priority in Priority
    }
    chosen = options[ticket.priority]
    return blocks.select(ActionId.PRIORITY, "Priority", list(options.values()), chosen)


def _step_button(action_id: ActionId, text: str, action: Action, style: str | None) -> _Element:
    def build(ticket: TicketCard) -> Block:
        return blocks.button(action_id, text, str(Choice(ticket.number, action)), style)

    return build


_ELEMENTS: dict[ActionId, _Element] = {
    ActionId.CONFIRM: lambda ticket: _pick(ticket, 0, ActionId.CONFIRM),
    ActionId.PICK_2: lambda ticket: _pick(ticket, 1, ActionId.PICK_2),
    ActionId.PICK_3: lambda ticket: _pick(ticket, 2, ActionId.PICK_3),
    ActionId.DISMISS: _step_button(ActionId.DISMISS, "Not a ticket", Action.DISMISS, "danger"),
    ActionId.REASSIGN: _reassign,
    ActionId.PRIORITY: _priority,
    ActionId.CLAIM: _step_button(ActionId.CLAIM, "Take it", Action.CLAIM, "primary"),
    ActionId.RESOLVE: _step_button(ActionId.RESOLVE, "Resolve", Action.RESOLVE, None),
    ActionId.REOPEN: _step_button(ActionId.REOPEN, "Reopen", Action.REOPEN, None),
    ActionId.WRONG_QUEUE: _wrong_queue,
    ActionId.WITHDRAW: _withdraw,
    ActionId.BECAUSE: _because,
}
