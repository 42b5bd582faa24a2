"""The buttons and selects of a ticket: which there are in which state."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from core.decision import Priority
from slackbot.mrkdwn import shorten
from slackbot.views import blocks
from slackbot.views.ids import MAX_QUEUE_NAME, ActionId, Choice
from slackbot.views.message import Block
from slackbot.views.ticket import TicketCard
from storage.records import Action, State

_Element = Callable[[TicketCard], Block | None]


class Controls(StrEnum):
    """What can be done on a card."""

    NONE = "none"
    REVIEW = "review"
    STAFF = "staff"


_REVIEW = (
    (ActionId.CONFIRM, ActionId.PICK_2, ActionId.PICK_3, ActionId.DISMISS),
    (ActionId.REASSIGN, ActionId.PRIORITY),
)
_CORRECT = (ActionId.REASSIGN, ActionId.PRIORITY)
_STAFF = {
    State.PENDING: (_CORRECT,),
    State.ASSIGNED: ((ActionId.CLAIM, ActionId.RESOLVE), _CORRECT),
    State.CLAIMED: ((ActionId.RESOLVE,), _CORRECT),
    State.RESOLVED: ((ActionId.REOPEN,),),
    State.DISMISSED: ((ActionId.REASSIGN,),),
    State.WITHDRAWN: (),
}
"""Rows of elements by state."""

_REASSIGN_PROMPTS = {State.PENDING: "Another queue", State.DISMISSED: "A ticket for"}
_OPTION_TEXTS = 7_500
"""Characters that all options together may show: Slack refuses messages with much more text."""


def control_blocks(ticket: TicketCard, controls: Controls) -> list[Block]:
    """The rows of buttons and selects that `ticket` offers in its present state.

    Review elements are there only while the ticket waits for a decision.
    """
    if controls is Controls.NONE:
        return []
    deciding = controls is Controls.REVIEW and ticket.state is State.PENDING
    rows = _REVIEW if deciding else _STAFF[ticket.state]
    # A select keeps what somebody chose for as long as its block_id stays the same.
    iteration = len(ticket.steps)
    filled = ([e for id_ in row if (e := _ELEMENTS[id_](ticket)) is not None] for row in rows)
    return [
        blocks.actions(f"{ticket.number}:{position}:{iteration}", elements)
        for position, elements in enumerate(filled)
        if elements
    ]


def _pick(ticket: TicketCard, rank: int, action_id: ActionId) -> Block | None:
    """The button for the model's choice of that rank, if it has one."""
    if rank >= len(ticket.top3):
        return None
    queue, _ = ticket.top3[rank]
    value = str(Choice(ticket.number, queue))
    if rank == 0:
        return blocks.button(action_id, f"Confirm {queue}", value, "primary")
    return blocks.button(action_id, queue, value)


def _reassign(ticket: TicketCard) -> Block | None:
    if not ticket.queues:
        return None
    width = min(MAX_QUEUE_NAME, _OPTION_TEXTS // len(ticket.queues))
    options = [
        (shorten(queue, width), str(Choice(ticket.number, queue))) for queue in ticket.queues
    ]
    return blocks.select(ActionId.REASSIGN, _REASSIGN_PROMPTS.get(ticket.state, "Move to"), options)


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
}
