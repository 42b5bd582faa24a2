"""The button that names the words behind the model's choice."""

from __future__ import annotations

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient

from slackbot.desk import UnknownTicket
from slackbot.identity import team_of
from slackbot.listeners.services import Services
from slackbot.listeners.tell import tell
from slackbot.views import answers
from slackbot.views.ids import parse_choice
from storage.records import State


class Because:
    """Tells reviewers and the reporter why the model chose a queue."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def run(
        self,
        ack: AsyncAck,
        body: dict[str, Any],
        action: dict[str, Any],
        context: AsyncBoltContext,
        client: AsyncWebClient,
    ) -> None:
        """Acknowledge, since nothing is decided, and answer who asked and nobody else."""
        await ack()
        team, user = team_of(context), str(body["user"]["id"])
        choice = parse_choice(str(action.get("value") or ""))
        number = choice.number if choice else ""
        desk = self._services.desk
        history = await desk.history(team, number)
        ticket = history.ticket
        if ticket.state in (State.SILENT, State.WITHDRAWN):  # nobody is shown what they say
            raise UnknownTicket(number)
        if user != ticket.reporter:
            await self._services.require_reviewer(team, user)
        moved = await desk.because(history)
        await tell(body, client, answers.because(number, history.said.queue, moved))
