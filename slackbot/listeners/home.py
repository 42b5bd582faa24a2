"""App Home: one's own tickets, and for reviewers what waits."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient

from slackbot.identity import team_of
from slackbot.listeners.services import Services
from slackbot.slack_calls import SlackFailure, sorted_failures
from slackbot.views import home, modal, stats
from slackbot.views.home import Wanted

log = logging.getLogger(__name__)

OPEN_S = 30 * 60.0
"""So long a Home that somebody has opened here is kept true; Slack does not say who looks away."""
OPEN_AT_ONCE = 30
"""So many of them: every one costs a call after each step."""


@dataclass(slots=True)
class OpenHomes:
    """Who has Home open, as far as this replica knows, and what it shows them.

    It only saves people a click on the tab: what it forgets is shown anew when it is opened.
    """

    _shown: OrderedDict[tuple[str, str], tuple[float, Wanted]] = field(default_factory=OrderedDict)

    def note(self, team: str, user: str, wanted: Wanted) -> None:
        """Somebody sees this now."""
        self._shown[team, user] = (time.monotonic() + OPEN_S, wanted)
        self._shown.move_to_end((team, user))
        while len(self._shown) > OPEN_AT_ONCE:
            self._shown.popitem(last=False)

    def of(self, team: str) -> dict[str, Wanted]:
        """By user, what the people of a team see, the latest first."""
        now = time.monotonic()
        return {
            user: wanted
            for (of_team, user), (until, wanted) in reversed(self._shown.items())
            if of_team == team and until > now
        }


class Home:
    """Publishes App Home."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._desk = services.desk
        self._open = OpenHomes()
        self._stale: set[str] = set()
        self._refreshing = asyncio.Lock()

    async def opened(
        self, event: dict[str, Any], context: AsyncBoltContext, client: AsyncWebClient
    ) -> None:
        """Show what is true now whenever somebody opens the tab."""
        if event.get("tab") == "home":
            wanted = home.shown(event.get("view") or {})
            await self._publish(client, team_of(context), str(event["user"]), wanted)

    async def refresh(
        self, client: AsyncWebClient, team: str, *, first: str = "", view: dict[str, Any]
    ) -> None:
        """Show what is true now to everybody who has Home open.

        Args:
            client: Slack's Web API for that team.
            team: The workspace.
            first: Who has just taken a step.
            view: The Home in which `first` did; empty when that was elsewhere.
        """
        if view.get("type") == "home":
            self._open.note(team, first, home.shown(view))
        self._stale.add(team)
        async with self._refreshing:  # steps that come meanwhile are shown together
            if team not in self._stale:
                return
            self._stale.discard(team)
            for user, wanted in self._open.of(team).items():
                await self._publish(client, team, user, wanted, opened=False)

    async def new_ticket(self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        """Open the ticket modal."""
        await ack()
        async with sorted_failures():
            await client.views_open(trigger_id=body["trigger_id"], view=modal.ticket_modal())

    async def show_other(
        self,
        ack: AsyncAck,
        body: dict[str, Any],
        action: dict[str, Any],
        context: AsyncBoltContext,
        client: AsyncWebClient,
    ) -> None:
        """Show another page of what waits, or what another filter leaves of it."""
        await ack()
        wanted = home.chosen(home.shown(body.get("view") or {}), action)
        await self._publish(client, team_of(context), str(body["user"]["id"]), wanted)

    async def _publish(
        self, client: AsyncWebClient, team: str, user: str, wanted: Wanted, *, opened: bool = True
    ) -> None:
        """Show `user` their Home."""
        may_review = await self._services.may_review(team, user)
        backlog = await self._desk.waiting(team, wanted) if may_review else None
        lately = await self._desk.numbers.lately(team, self._desk.promise) if may_review else None
        view = home.home(
            mine=await self._desk.of_reporter(team, user),
            backlog=backlog,
            is_admin=await self._services.seems_admin(team, user),
            numbers=stats.at_home(lately) if lately else (),
        )
        if opened:
            self._open.note(team, user, backlog.wanted if backlog else wanted)
        try:
            async with sorted_failures():
                await client.views_publish(user_id=user, view=view)
        except SlackFailure as failure:
            # It is shown anew whenever it is opened; what was done there is done.
            log.warning("home_not_shown", extra={"error": str(failure)})
