"""App Home: one's own tickets, and for reviewers what waits."""

from __future__ import annotations

import logging
from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient

from slackbot.identity import team_of
from slackbot.listeners.services import Services
from slackbot.slack_calls import SlackFailure, sorted_failures
from slackbot.views import home, modal
from slackbot.views.ticket import TicketCard

log = logging.getLogger(__name__)


class Home:
    """Publishes App Home."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._desk = services.desk

    async def opened(
        self, event: dict[str, Any], context: AsyncBoltContext, client: AsyncWebClient
    ) -> None:
        """Show what is true now whenever somebody opens the tab."""
        if event.get("tab") == "home":
            await self.publish(client, team_of(context), str(event["user"]))

    async def publish(self, client: AsyncWebClient, team: str, user: str, page: int = 0) -> None:
        """Show `user` their Home."""
        view = home.home(
            mine=await self._desk.of_reporter(team, user),
            waiting=await self._waiting(team, user),
            page=page,
        )
        try:
            async with sorted_failures():
                await client.views_publish(user_id=user, view=view)
        except SlackFailure as failure:
            # It is shown anew whenever it is opened; what was done there is done.
            log.warning("home_not_shown", extra={"error": str(failure)})

    async def new_ticket(self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        """Open the ticket modal."""
        await ack()
        async with sorted_failures():
            await client.views_open(trigger_id=body["trigger_id"], view=modal.ticket_modal())

    async def turn_page(
        self,
        ack: AsyncAck,
        body: dict[str, Any],
        action: dict[str, Any],
        context: AsyncBoltContext,
        client: AsyncWebClient,
    ) -> None:
        """Show another page of what waits."""
        await ack()
        value = str(action.get("value"))
        page = int(value) if value.isdecimal() else 0
        await self.publish(client, team_of(context), str(body["user"]["id"]), page)

    async def _waiting(self, team: str, user: str) -> list[TicketCard] | None:
        reviews = await self._services.may_review(team, user)
        return await self._desk.waiting(team) if reviews else None
