"""Answering a click or a command at once, in the way that the payload allows."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from slackbot.slack_calls import TIMEOUT_S, SlackFailure, sorted_failures
from slackbot.views.message import Message

log = logging.getLogger(__name__)

TELL_WITHIN_S = 2.0
"""Often the acknowledgement follows, and Slack waits 3 s for that."""


async def tell(body: Mapping[str, Any], client: AsyncWebClient, message: Message) -> None:
    """Show `message` to who caused `body` and to nobody else; a failure is only logged.

    It goes through the payload's `response_url`, else into its channel, else as a direct message.
    """
    try:
        async with asyncio.timeout(TELL_WITHIN_S), sorted_failures():
            await _tell(body, client, message)
    except (SlackFailure, TimeoutError) as failure:
        log.warning("person_not_told", extra={"error": str(failure)})


async def rewrite(body: Mapping[str, Any], client: AsyncWebClient, message: Message) -> None:
    """Put `message` in the place of the one that was clicked; a failure is only logged.

    What was decided stands in the record: a message that cannot be rewritten only looks old.
    """
    where = body.get("container") or {}
    channel = (body.get("channel") or {}).get("id") or where.get("channel_id")
    ts = (body.get("message") or {}).get("ts") or where.get("message_ts")
    if not channel or not ts:
        return
    content: dict[str, Any] = {"text": message.text, "blocks": list(message.blocks)}
    try:
        async with sorted_failures():
            await client.chat_update(channel=channel, ts=ts, **content)
    except SlackFailure as failure:
        log.warning("clicked_message_not_rewritten", extra={"error": str(failure)})


async def _tell(body: Mapping[str, Any], client: AsyncWebClient, message: Message) -> None:
    content: dict[str, Any] = {"text": message.text, "blocks": list(message.blocks)}
    url = body.get("response_url")
    if url:
        webhook = AsyncWebhookClient(url, timeout=TIMEOUT_S, retry_handlers=[])
        await webhook.send(**content, response_type="ephemeral", replace_original=False)
        return
    user, channel, thread = _whom(body)
    if channel and not channel.startswith("D"):
        await client.chat_postEphemeral(channel=channel, user=user, thread_ts=thread, **content)
    elif user:
        opened = await client.conversations_open(users=[user])
        await client.chat_postMessage(channel=opened["channel"]["id"], **content)


def _whom(body: Mapping[str, Any]) -> tuple[str, str | None, str | None]:
    event = body.get("event") or {}
    user = event.get("user") or (body.get("user") or {}).get("id") or body.get("user_id") or ""
    channel = (
        event.get("channel") or (body.get("channel") or {}).get("id") or body.get("channel_id")
    )
    return str(user), channel, event.get("thread_ts")
