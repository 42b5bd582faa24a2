"""Buttons on the card of a new version of the model: promote it, keep the present, take back."""

from __future__ import annotations

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient

from slackbot.identity import team_of
from slackbot.listeners.services import NotAReviewer, Services
from slackbot.listeners.tell import rewrite
from slackbot.views import answers
from slackbot.views.message import Message
from slackbot.views.model import ModelAction


class ModelActions:
    """Turns clicks into decisions about a version."""

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
        """Decide and commit, then acknowledge, then rewrite the card."""
        user, version = body["user"]["id"], str(action.get("value") or "")
        team = team_of(context)
        # One workspace's reviewers decide for it alone, and only where it has the bot alone.
        if team != self._services.models.team:
            raise NotAReviewer(answers.not_a_reviewer(any_set=True).text)
        await self._services.require_reviewer(team, user)
        message = await self._decide(ModelAction(action["action_id"]), version, user)
        await ack()
        await rewrite(body, client, message)

    async def _decide(self, action: ModelAction, version: str, user: str) -> Message:
        models = self._services.models
        if action is ModelAction.ROLLBACK:
            return await models.take_back(version, by=user)
        return await models.answer(version, by=user, keep=action is ModelAction.KEEP)
