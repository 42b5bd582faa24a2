"""What Slack says of a channel that the bot shall work in."""

from __future__ import annotations

from dataclasses import dataclass

from slack_sdk.web.async_client import AsyncWebClient

from slackbot.slack_calls import sorted_failures


@dataclass(frozen=True, slots=True)
class FoundChannel:
    """A channel as the bot sees it.

    Attributes:
        name: Without the sign before it.
        archived: Nobody can write there any more.
        joined: The bot is in it.
    """

    name: str
    archived: bool
    joined: bool


async def find_channel(client: AsyncWebClient, channel: str) -> FoundChannel:
    """Ask Slack about one channel.

    Raises:
        SlackFailure: As `sorted_failures` says; `channel_not_found` also for a private channel
            that the bot is not in.
    """
    async with sorted_failures():
        answer = await client.conversations_info(channel=channel)
    found = answer.get("channel") or {}
    return FoundChannel(
        name=str(found.get("name") or channel),
        archived=bool(found.get("is_archived")),
        joined=bool(found.get("is_member")),
    )
