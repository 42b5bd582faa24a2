"""The app was removed from a workspace: its tokens are forgotten, and nothing goes there."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from slack_bolt.context.async_context import AsyncBoltContext

from slackbot.identity import team_of
from slackbot.listeners.services import Services


class Removal:
    """Hears of removals. Other workspaces notice nothing; tickets stay until they are forgotten."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def uninstalled(self, body: dict[str, Any], context: AsyncBoltContext) -> None:
        """Somebody has removed the app."""
        # Slack tells whole seconds, rounded down.
        until = datetime.fromtimestamp(int(body.get("event_time") or 0) + 1, UTC)
        await self._services.workspaces.remove(team_of(context), before=until)

    async def revoked(
        self, body: dict[str, Any], event: dict[str, Any], context: AsyncBoltContext
    ) -> None:
        """Tokens were revoked; the bot's own is what counts, and people have none here."""
        if (event.get("tokens") or {}).get("bot"):
            await self.uninstalled(body, context)
