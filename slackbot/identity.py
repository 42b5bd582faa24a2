"""Who the bot is, as Slack says at start."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient

from slackbot.errors import SlackRefused
from slackbot.slack_calls import RateLimited, Refused, SlackFailure, sorted_failures

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Identity:
    """The installed app in its workspace.

    Attributes:
        team: Workspace id.
        bot_user: The bot's user id, as in mentions.
        bot_id: The bot's id, as on its messages.
        workspace_url: `https://team.slack.com/`.
    """

    team: str
    bot_user: str
    bot_id: str
    workspace_url: str


def team_of(context: AsyncBoltContext) -> str:
    """The workspace whose installation a payload is for, whatever team the payload names."""
    authorized = context.authorize_result
    return str(authorized.team_id or "") if authorized else ""


async def who_am_i(client: AsyncWebClient) -> Identity:
    """Ask Slack once.

    Raises:
        SlackFailure: As `sorted_failures` says.
    """
    async with sorted_failures():
        answer = await client.auth_test()
    return Identity(
        team=str(answer["team_id"]),
        bot_user=str(answer["user_id"]),
        bot_id=str(answer.get("bot_id") or ""),
        workspace_url=str(answer.get("url") or ""),
    )


async def wait_for_identity(client: AsyncWebClient) -> Identity:
    """Ask Slack until it answers: a bot that starts while Slack is down waits for it.

    Raises:
        SlackRefused: The token is wrong or revoked.
    """
    delay_s = 1.0
    while True:
        try:
            return await who_am_i(client)
        except Refused as refused:
            raise SlackRefused(
                f"Slack refuses SLACK_BOT_TOKEN ({refused.error}): "
                "reinstall the app and copy the new token"
            ) from refused
        except SlackFailure as failure:
            if isinstance(failure, RateLimited):
                delay_s = failure.retry_after
            log.warning("slack_unreachable", extra={"error": str(failure), "retry_s": delay_s})
            await asyncio.sleep(delay_s)
            delay_s = min(30.0, delay_s * 2)
