"""Events and the message shortcut: recorded before they get here; a blank one gets a hint."""

from __future__ import annotations

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient

from slackbot.intake import asks_for_a_ticket
from slackbot.listeners.tell import tell
from slackbot.views import answers


async def acknowledge() -> None:
    """Nothing more to do: the intake has recorded what there is."""


async def hint_when_blank(
    ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext, client: AsyncWebClient
) -> None:
    """Whoever turned to the bot without saying anything is told how to file a ticket."""
    await ack()
    if "intake" not in context and asks_for_a_ticket(body, context.bot_user_id or ""):
        await tell(body, client, answers.blank_hint())
