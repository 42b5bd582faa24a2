"""One outbox row, one call to Slack: posting exactly once although posting is not idempotent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from slackbot.desk import Desk, Shown
from slackbot.desk.render import History
from slackbot.slack_calls import (
    TIMEOUT_S,
    OutcomeUnknown,
    RateLimited,
    Refused,
    find_own_message,
    seconds,
    sorted_failures,
)
from slackbot.views.message import Message
from slackbot.workspaces import Workspace
from storage.records import Delivery, DeliveryKind

NOTICE_EVENT = "autoticket_notice"
CLOCKS_DIFFER_S = 300.0
"""How far Slack's clock may be behind ours when we look for a message by its time."""
ANSWER_LIFE = timedelta(minutes=29)
"""A `response_url` dies after 30 minutes."""


@dataclass(frozen=True, slots=True)
class Posted:
    """Where a message stands.

    Attributes:
        channel: As Slack answered: `D…` for a direct message.
        ts: Its timestamp.
        astray: It should answer a message that is gone, so it stood in the channel itself.
        after_all: Slack had refused it before.
    """

    channel: str
    ts: str
    astray: bool = False
    after_all: bool = False


@dataclass(frozen=True, slots=True)
class Poster:
    """Carries out single deliveries in one workspace.

    Attributes:
        desk: Renders cards from the record.
        workspace: Where they go; its client must not retry by itself.
    """

    desk: Desk
    workspace: Workspace

    @property
    def _client(self) -> AsyncWebClient:
        return self.workspace.client

    async def deliver(self, delivery: Delivery, history: History | None) -> Posted | None:
        """Make the call that `delivery` asks for.

        Args:
            delivery: A row of the outbox.
            history: Its ticket, read since the row was leased: whoever changes the ticket later
                adds another delivery.

        Returns:
            Where a newly posted card stands; None when there was nothing to post.

        Raises:
            SlackFailure: As `sorted_failures` says.
            LookupError: The ticket is needed and cannot be read.
        """
        if delivery.kind is DeliveryKind.NOTICE:
            await self._notice(delivery)
            return None
        if history is None:
            raise LookupError(f"T-{delivery.ticket_id} cannot be read")
        if delivery.kind is DeliveryKind.CARD:
            return await self._card(delivery, history)
        await self._answer(delivery, history)
        return None

    async def _card(self, delivery: Delivery, history: History) -> Posted | None:
        """Post the card, or rewrite it to what is true now."""
        shown = self.desk.render_card(delivery, history)
        if shown is None:
            return None
        card, message = shown.card, shown.message
        if card.ts is not None:
            return await self._rewrite_or_post(shown, Posted(card.posted_channel or "", card.ts))
        channel = await self._conversation(card.channel)
        found = await self._found(delivery, channel, card.thread_ts, shown.known_by, shown.since)
        if found is None and shown.obsolete:
            return None
        posted = found or await self._post(channel, card.thread_ts, message)
        if posted.astray:
            await self._take_back(posted)
        elif found is not None:
            await self._rewrite(found, message)  # the ticket may have changed since
        return replace(posted, after_all=card.refused)

    async def _notice(self, delivery: Delivery) -> None:
        known_by = {
            "event_type": NOTICE_EVENT,
            "event_payload": {"key": delivery.key or str(delivery.id)},
        }
        message = replace(Message.from_payload(delivery.payload["message"]), metadata=known_by)
        channel = await self._conversation(delivery.lane)
        thread_ts = delivery.payload["thread_ts"]
        posted = await self._found(delivery, channel, thread_ts, known_by, delivery.created_at)
        posted = posted or await self._post(channel, thread_ts, message)
        if posted.astray:
            await self._take_back(posted)

    async def _answer(self, delivery: Delivery, history: History) -> None:
        """Answer a command or a shortcut, only to who gave it."""
        if datetime.now(UTC) - delivery.created_at > ANSWER_LIFE:
            raise Refused("response_url expired")
        message = self.desk.render_answer(history)
        webhook = AsyncWebhookClient(delivery.payload["url"], timeout=TIMEOUT_S, retry_handlers=[])
        async with sorted_failures():
            response = await webhook.send(
                text=message.text, blocks=list(message.blocks), response_type="ephemeral"
            )
        if response.status_code == 429:
            raise RateLimited(seconds(response.headers.get("Retry-After")))
        if response.status_code >= 500:
            raise OutcomeUnknown(f"HTTP {response.status_code}")
        if response.status_code >= 400:
            raise Refused(f"response_url: HTTP {response.status_code}")

    async def _rewrite_or_post(self, shown: Shown, stands: Posted) -> Posted | None:
        """Rewrite a card; post it anew when somebody has deleted it in Slack."""
        try:
            await self._rewrite(stands, shown.message)
        except Refused as refused:
            if refused.error != "message_not_found" or shown.obsolete:
                raise
            return await self._post(stands.channel, shown.card.thread_ts, shown.message)
        return None

    async def _found(
        self,
        delivery: Delivery,
        channel: str,
        thread_ts: str | None,
        known_by: Mapping[str, Any],
        since: datetime,
    ) -> Posted | None:
        """The message as an earlier attempt left it, of which nobody knows how it ended."""
        if not delivery.uncertain:
            return None
        found = await find_own_message(
            self._client,
            channel=channel,
            thread_ts=thread_ts,
            oldest=f"{since.timestamp() - CLOCKS_DIFFER_S:.6f}",
            metadata=known_by,
        )
        if found is None:
            return None
        return Posted(channel, found["ts"], astray=bool(thread_ts) and "thread_ts" not in found)

    async def _rewrite(self, posted: Posted, message: Message) -> None:
        async with sorted_failures():
            await self._client.chat_update(
                channel=posted.channel, ts=posted.ts, **_arguments(message)
            )

    async def _post(self, channel: str, thread_ts: str | None, message: Message) -> Posted:
        async with sorted_failures():
            answer = await self._client.chat_postMessage(
                channel=channel, thread_ts=thread_ts, **_arguments(message)
            )
        ts = answer.get("ts")
        if not ts:
            raise OutcomeUnknown("Slack's answer names no message")
        astray = bool(thread_ts) and "thread_ts" not in (answer.get("message") or {})
        return Posted(str(answer.get("channel") or channel), str(ts), astray=astray)

    async def _take_back(self, posted: Posted) -> None:
        """Delete a reply that Slack put into the channel, because what it answers is gone."""
        try:
            async with sorted_failures():
                await self._client.chat_delete(channel=posted.channel, ts=posted.ts)
        except RateLimited as limited:
            # The post had its effect all the same: it must be looked for, not made again.
            raise OutcomeUnknown("a reply stands astray", limited.retry_after) from limited
        except Refused as refused:
            if refused.error != "message_not_found":
                raise

    async def _conversation(self, target: str) -> str:
        """The conversation to post in; a direct message is opened first."""
        if target[0] not in "UW":
            return target
        direct = self.workspace.direct
        if target not in direct:
            async with sorted_failures():
                opened = await self._client.conversations_open(users=[target])
            direct[target] = str((opened.get("channel") or {}).get("id") or target)
        return direct[target]


def _arguments(message: Message) -> dict[str, Any]:
    return {
        "text": message.text,
        "blocks": list(message.blocks),
        "metadata": dict(message.metadata or {}),
        "unfurl_links": False,
        "unfurl_media": False,
    }
