"""Buttons and selects on cards: who may, what it means, and that it is decided before the ack."""

from __future__ import annotations

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient

from core.decision import Priority
from slackbot.desk import BY_REPORTER, Step
from slackbot.errors import AutoTicketError
from slackbot.identity import team_of
from slackbot.listeners.home import Home
from slackbot.listeners.services import Services
from slackbot.views import answers
from slackbot.views.controls import audit_prefix
from slackbot.views.ids import ActionId, edits_seen, parse_choice
from storage.records import Action

_ASKING = frozenset({ActionId.CONFIRM, ActionId.PICK_2, ActionId.PICK_3, ActionId.DISMISS})
"""These stand only on cards that ask for a decision."""

_MEANS = {
    ActionId.CONFIRM: Action.CONFIRM,
    ActionId.PICK_2: Action.REASSIGN,
    ActionId.PICK_3: Action.REASSIGN,
    ActionId.REASSIGN: Action.REASSIGN,
    ActionId.DISMISS: Action.DISMISS,
    ActionId.PRIORITY: Action.PRIORITY,
    ActionId.CLAIM: Action.CLAIM,
    ActionId.RESOLVE: Action.RESOLVE,
    ActionId.REOPEN: Action.REOPEN,
    ActionId.WRONG_QUEUE: Action.WRONG_QUEUE,
    ActionId.WITHDRAW: Action.WITHDRAW,
}


class StaleCard(AutoTicketError):
    """The clicked element is not one of ours, or no longer means anything."""


class ReviewActions:
    """Turns clicks into steps."""

    def __init__(self, services: Services, home: Home) -> None:
        self._desk = services.desk
        self._services = services
        self._home = home

    async def run(
        self,
        ack: AsyncAck,
        body: dict[str, Any],
        action: dict[str, Any],
        context: AsyncBoltContext,
        client: AsyncWebClient,
    ) -> None:
        """Decide and commit, then acknowledge: what Slack was told has happened, has happened."""
        step, team = self._step(body, action), team_of(context)
        if step.action not in BY_REPORTER:  # whose ticket it is, the desk knows
            await self._services.require_reviewer(team, step.user)
        await self._desk.settle(team, step)
        await ack()
        await self._home.refresh(client, team, first=step.user, view=body.get("view") or {})

    def _step(self, body: dict[str, Any], action: dict[str, Any]) -> Step:
        value = action.get("value") or (action.get("selected_option") or {}).get("value") or ""
        choice = parse_choice(value)
        meaning = _meaning(action)
        if choice is None or meaning is None:
            raise StaleCard(answers.stale_card().text)
        queue = priority = None
        if meaning in (Action.CONFIRM, Action.REASSIGN, Action.WRONG_QUEUE):
            queue = choice.choice
        elif meaning is Action.PRIORITY:
            priority = _priority(choice.choice)
        return Step(
            number=choice.number,
            action=meaning,
            user=body["user"]["id"],
            queue=queue,
            priority=priority,
            seen_pending=action["action_id"] in _ASKING or _still_asked(body, choice.number),
            edits_seen=edits_seen(str(action.get("block_id") or "")),
        )


def _meaning(action: dict[str, Any]) -> Action | None:
    try:
        return _MEANS.get(ActionId(action["action_id"]))
    except ValueError:
        return None


def _priority(text: str) -> Priority:
    try:
        return Priority(text)
    except ValueError:
        raise StaleCard(answers.stale_card().text) from None


def _still_asked(body: dict[str, Any], number: str) -> bool:
    """Whether the clicked card or view asked for a decision on that very ticket."""
    shown = body.get("message") or body.get("view") or {}
    audit = audit_prefix(number)
    return any(
        str(block.get("block_id", "")).startswith(audit) for block in shown.get("blocks") or []
    ) or any(
        element.get("action_id") == ActionId.CONFIRM
        and str(element.get("value", "")).startswith(f"{number}:")
        for block in shown.get("blocks") or []
        for element in block.get("elements") or []
    )
