"""The button that gives a queue its automatic routing back."""

from __future__ import annotations

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient

from slackbot.identity import team_of
from slackbot.listeners.services import Services
from slackbot.listeners.tell import rewrite
from slackbot.views import watch
from slackbot.views.ids import edits_seen


class Queues:
    """Reviewers decide whether a queue is routed automatically again."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def restore(
        self,
        ack: AsyncAck,
        body: dict[str, Any],
        action: dict[str, Any],
        context: AsyncBoltContext,
        client: AsyncWebClient,
    ) -> None:
        """Commit, acknowledge, and take the button away."""
        team, user = team_of(context), str(body["user"]["id"])
        queue = str(action.get("value") or "")
        await self._services.require_reviewer(team, user)
        seen = edits_seen(str(action.get("block_id") or ""))
        found = await self._services.desk.watch.restore(team, queue, by=user, edits_seen=seen)
        await ack()
        await rewrite(body, client, watch.restored(found, user))
