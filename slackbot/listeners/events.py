"""Events and the message shortcut: what files a ticket was recorded before it gets here."""

from __future__ import annotations

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient

from core.text import is_blank
from slackbot.identity import team_of
from slackbot.intake import Intake, Kind
from slackbot.listeners.commands import TicketCommand
from slackbot.listeners.services import Services
from slackbot.listeners.tell import tell
from slackbot.subcommands import said_to_the_bot
from slackbot.views import answers
from storage.records import Ticket


async def acknowledge() -> None:
    """Nothing more to do: the intake has recorded what there is."""


class SaidToTheBot:
    """Answers what people say to the bot that is no ticket: nothing at all, help, status, list."""

    def __init__(self, services: Services) -> None:
        self._desk = services.desk
        self._command = TicketCommand(services)

    async def run(
        self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext, client: AsyncWebClient
    ) -> None:
        """Acknowledge, and answer only to who asked."""
        await ack()
        said = said_to_the_bot(body, context.bot_user_id or "")
        if said is None:
            return
        if (intake := context.get("intake")) is not None:
            if is_blank(said) and (known := await self._known_before(body, intake)):
                await tell(body, client, answers.already_filed(known.number))
        elif body.get("type") == "message_action":
            await tell(body, client, answers.nothing_to_file())
        elif is_blank(said):
            await tell(body, client, answers.blank_hint())
        else:
            user = body["event"]["user"]
            if said.split()[0].lower() == "stats":
                words = said.split()[1:]
                await self._command.stats.send(body, client, team_of(context), user, words)
                return
            answer = await self._command.answer(team_of(context), user, said.split())
            await tell(body, client, answer)

    async def _known_before(self, body: dict[str, Any], intake: Intake) -> Ticket | None:
        """The ticket that a thread had when somebody mentioned the bot in it; no new card comes."""
        if intake.kind is not Kind.MENTION:
            return None
        ticket = await self._desk.of_message(intake.team, intake.ticket_key)
        written_at = float(body["event"]["ts"])
        return ticket if ticket and ticket.created_at.timestamp() < written_at else None
