"""`/ticket`: a text files a ticket; nothing, help, status and list are answered here."""

from __future__ import annotations

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient

from core.text import clean, is_blank
from slackbot.desk import UnknownTicket
from slackbot.identity import team_of
from slackbot.listeners.services import Services
from slackbot.listeners.setup import Setup
from slackbot.listeners.stats import Stats
from slackbot.slack_calls import sorted_failures
from slackbot.views import answers, modal
from slackbot.views.message import Message
from slackbot.views.ticket import TicketCard


class TicketCommand:
    """Answers `/ticket`."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._desk = services.desk
        self._reaction = services.settings.reaction
        self._setup = Setup(services)
        self.stats = Stats(services)

    async def run(
        self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext, client: AsyncWebClient
    ) -> None:
        """Acknowledge; a recorded text is answered by the worker through the response URL."""
        if "intake" in context:
            await ack()
            return
        text = clean(body.get("text") or "")
        if is_blank(text):
            await ack()
            await self._open_modal(body, client)
            return
        if text.lower() == "setup":
            await self._setup.open(ack, body, context, client)
            return
        if text.split()[0].lower() == "stats":
            await ack()
            await self.stats.send(body, client, team_of(context), body["user_id"], text.split()[1:])
            return
        answer = await self.answer(team_of(context), body["user_id"], text.split())
        await ack(text=answer.text, blocks=list(answer.blocks), response_type="ephemeral")

    async def answer(self, team: str, user: str, words: list[str]) -> Message:
        """What `help`, `list` and `status T-12` say to `user`.

        Raises:
            UnknownTicket: There is no such ticket, or it is nobody's business but its reporter's
                and the reviewers'.
        """
        match [words[0].lower(), *words[1:]]:
            case ["list"]:
                return answers.ticket_list(await self._desk.of_reporter(team, user))
            case ["status", number]:
                return answers.status(await self._own_or_reviewed(team, user, number))
            case ["setup"]:
                return answers.setup_by_command()
            case ["status"]:
                return answers.status_usage()
        return answers.help_text(self._reaction)

    async def _own_or_reviewed(self, team: str, user: str, number: str) -> TicketCard:
        ticket = await self._desk.card(team, number)
        if ticket.reporter != user and not await self._services.may_review(team, user):
            raise UnknownTicket(number)
        return ticket

    async def _open_modal(self, body: dict[str, Any], client: AsyncWebClient) -> None:
        async with sorted_failures():
            await client.views_open(
                trigger_id=body["trigger_id"],
                view=modal.ticket_modal(
                    channel=body["channel_id"], response_url=body.get("response_url")
                ),
            )
