"""Events and the message shortcut: what files a ticket was recorded before it gets here."""

from __future__ import annotations

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient

from core.text import is_blank
from slackbot.identity import team_of
from slackbot.listeners.commands import TicketCommand
from slackbot.listeners.services import Services
from slackbot.listeners.tell import tell
from slackbot.subcommands import said_to_the_bot
from slackbot.views import answers


async def acknowledge() -> None:
    """Nothing more to do: the intake has recorded what there is."""


class SaidToTheBot:
    """Answers what people say to the bot that is no ticket: nothing at all, help, status, list."""

    def __init__(self, services: Services) -> None:
        self._command = TicketCommand(services)

    async def run(
        self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext, client: AsyncWebClient
    ) -> None:
        """Acknowledge, and answer only to who asked."""
        await ack()
        said = said_to_the_bot(body, context.bot_user_id or "")
        if "intake" in context or said is None:
            return
        if is_blank(said):
            await tell(body, client, answers.blank_hint())
        else:
            user = body["event"]["user"]
            if said.split()[0].lower() == "stats":
                words = said.split()[1:]
                await self._command.stats.send(body, client, team_of(context), user, words)
                return
            answer = await self._command.answer(team_of(context), user, said.split())
            await tell(body, client, answer)
