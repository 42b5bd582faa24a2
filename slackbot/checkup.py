"""What `autoticket doctor` asks Slack about one workspace."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from slackbot.channels import find_channel
from slackbot.config import Settings
from slackbot.people import KnowsTeams, Reviewers
from slackbot.scopes import BOT_SCOPES
from slackbot.slack_calls import Refused, SlackFailure, sorted_failures
from slackbot.team_settings import EVERY_CHANNEL, TeamSettings

MAX_SKEW_S = 60
"""Slack's signatures are refused when clocks differ by five minutes; warn well before."""


class Mark(StrEnum):
    """How a check ended."""

    GOOD = "✓"
    WARNING = "!"
    BAD = "✗"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check.

    Attributes:
        mark: How it ended; only BAD keeps the bot from working.
        text: What was found, and after a cross or a warning what to do.
    """

    mark: Mark
    text: str


async def examine(
    client: AsyncWebClient,
    settings: Settings,
    teams: KnowsTeams,
    queues: Sequence[str],
) -> AsyncIterator[Finding]:
    """Make every check that Slack can answer for one workspace.

    Args:
        client: Slack's Web API with the workspace's token.
        settings: As configured.
        teams: The settings in force, asked once Slack has said which team it is.
        queues: Those of the model; empty when it could not be loaded.
    """
    try:
        async with sorted_failures():
            answer = await client.auth_test()
    except SlackFailure as failure:
        yield _bot_token(failure, several=bool(settings.client_id))
        for finding in choices(settings.first_of_teams, queues, several=bool(settings.client_id)):
            yield finding
        return
    yield Finding(Mark.GOOD, f"Slack knows the bot as {answer.get('user')} in {answer.get('team')}")
    headers = {name.lower(): value for name, value in answer.headers.items()}
    yield _scopes(headers.get("x-oauth-scopes", ""))
    yield _clock(headers.get("date"))
    if settings.app_token:
        yield await _check_socket(client, settings.app_token, str(answer.get("bot_id")))
    team = await teams.of(str(answer["team_id"]))
    for channel, use in _channels(team):
        yield await _check_channel(client, channel, use)
    for group in sorted(i for i in team.reviewers if i.startswith("S")):
        yield await _check_group(client, group)
    people = Reviewers(client, teams, str(answer["team_id"]))
    for user in sorted(i for i in team.reviewers if not i.startswith("S")):
        yield await _check_reviewer(people, user)
    for finding in choices(team, queues, several=bool(settings.client_id)):
        yield finding


def _bot_token(failure: SlackFailure, *, several: bool) -> Finding:
    if isinstance(failure, Refused) and several:
        return Finding(
            Mark.BAD,
            f"Slack refuses its token ({failure.error}): install the app there again, "
            "at /slack/install",
        )
    if isinstance(failure, Refused):
        return Finding(
            Mark.BAD,
            f"Slack refuses SLACK_BOT_TOKEN ({failure.error}): "
            "reinstall the app under OAuth & Permissions and copy the new token",
        )
    return Finding(Mark.BAD, f"Slack cannot be reached ({failure}): check network and proxy")


def _scopes(granted: str) -> Finding:
    have = {scope.strip() for scope in granted.split(",") if scope.strip()}
    missing = sorted(BOT_SCOPES - have)
    if not have:
        return Finding(Mark.WARNING, "Slack does not tell which scopes the bot has")
    if missing:
        return Finding(
            Mark.BAD,
            f"scopes missing: {', '.join(missing)}; update the app from manifest.yml, reinstall it",
        )
    return Finding(Mark.GOOD, "all scopes are granted")


def _clock(date: str | None) -> Finding:
    if date is None:
        return Finding(Mark.WARNING, "Slack does not tell its time")
    skew = abs((datetime.now(UTC) - parsedate_to_datetime(date)).total_seconds())
    if skew > MAX_SKEW_S:
        return Finding(
            Mark.BAD,
            f"this machine's clock is {skew:.0f} s off, signatures will be refused: run NTP",
        )
    return Finding(Mark.GOOD, "the clock agrees with Slack's")


async def _check_socket(client: AsyncWebClient, app_token: str, bot_id: str) -> Finding:
    """Connect once: Slack's hello tells how many connections the app has."""
    try:
        async with sorted_failures(), asyncio.timeout(10):
            opened = await client.apps_connections_open(app_token=app_token)
            async with (
                aiohttp.ClientSession() as session,
                session.ws_connect(opened["url"], proxy=client.proxy) as connection,
            ):
                hello: dict[str, Any] = json.loads(await connection.receive_str())
    except Refused as refused:
        return Finding(
            Mark.BAD,
            f"SLACK_APP_TOKEN is refused ({refused.error}): make one with connections:write "
            "under Basic Information, App-Level Tokens",
        )
    except (SlackFailure, ValueError, TypeError) as failure:
        return Finding(Mark.BAD, f"Socket Mode does not connect ({failure})")
    app = (hello.get("connection_info") or {}).get("app_id")
    own = await _app_of(client, bot_id)
    if app and own and app != own:
        return Finding(
            Mark.BAD,
            f"SLACK_APP_TOKEN belongs to another app ({app}) than SLACK_BOT_TOKEN: copy both from "
            "the same app",
        )
    others = int(hello.get("num_connections") or 1) - 1
    if others > 0:
        return Finding(
            Mark.WARNING,
            f"{others} other Socket Mode connection(s), a running bot's among them: each takes a "
            "share of the payloads; "
            "stop what is not a replica on the same database",
        )
    return Finding(Mark.GOOD, "Socket Mode connects")


async def _app_of(client: AsyncWebClient, bot_id: str) -> str | None:
    """The app that a bot belongs to; None when Slack does not say."""
    try:
        async with sorted_failures():
            answer = await client.bots_info(bot=bot_id)
    except SlackFailure:
        return None
    return str((answer.get("bot") or {}).get("app_id"))


def _channels(team: TeamSettings) -> list[tuple[str, str]]:
    triage = sorted(set(team.triage) - {EVERY_CHANNEL})
    return [
        *((channel, "triage channel") for channel in triage),
        *((channel, "review channel") for channel in filter(None, [team.review_channel])),
        *((channel, f"channel of {queue}") for queue, channel in team.queue_channels.items()),
    ]


async def _check_channel(client: AsyncWebClient, channel: str, use: str) -> Finding:
    try:
        found = await find_channel(client, channel)
    except SlackFailure as failure:
        return Finding(
            Mark.BAD,
            f"{use} {channel} cannot be seen ({failure}): check the id, invite the bot if private",
        )
    if found.archived:
        return Finding(Mark.BAD, f"{use} #{found.name} is archived: choose another")
    if not found.joined:
        return Finding(
            Mark.BAD, f"the bot is not in {use} #{found.name}: type /invite @AutoTicket there"
        )
    return Finding(Mark.GOOD, f"the bot is in {use} #{found.name}")


async def _check_group(client: AsyncWebClient, group: str) -> Finding:
    try:
        async with sorted_failures():
            answer = await client.usergroups_users_list(usergroup=group)
    except SlackFailure as failure:
        return Finding(Mark.BAD, f"reviewer group {group} cannot be read ({failure}): check the id")
    return Finding(Mark.GOOD, f"reviewer group {group} has {len(answer.get('users') or [])} people")


async def _check_reviewer(people: Reviewers, user: str) -> Finding:
    try:
        allowed = await people.is_full_member(user)
    except SlackFailure as failure:
        return Finding(Mark.BAD, f"reviewer {user} cannot be looked up ({failure}): check the id")
    if not allowed:
        return Finding(
            Mark.WARNING,
            f"reviewer {user} is a guest, a bot, deactivated or of another workspace, and may not "
            "settle tickets: take the id out",
        )
    return Finding(Mark.GOOD, f"reviewer {user} may settle tickets")


def choices(
    team: TeamSettings, queues: Sequence[str], *, several: bool = False
) -> Iterator[Finding]:
    """What works without being set, but not as most teams want it.

    Args:
        team: The settings in force.
        queues: Those of the model; empty when it could not be loaded.
        several: Whether each workspace has settings of its own only.
    """
    unset = (
        (team.triage, "TRIAGE_CHANNELS", "only /ticket, mentions and the like file tickets"),
        (team.review_channel, "REVIEW_CHANNEL", "people settle unsure tickets in the threads"),
        (team.reviewers, "REVIEWERS", "nobody may settle a ticket"),
    )
    for value, name, so in unset:
        if not value:
            named = name.replace("_", " ").lower() if several else f"AUTOTICKET_{name}"
            remedy = "an admin types /ticket setup" + ("" if several else f", or set {named}")
            yield Finding(Mark.WARNING, f"{named} unset, so that {so}: {remedy}")
    unknown = sorted(set(team.queue_channels) - set(queues))
    if queues and unknown:
        yield Finding(
            Mark.BAD,
            "there are channels for queues that the model does not have: "
            f"{', '.join(unknown)}; take them out of AUTOTICKET_QUEUE_CHANNELS or /ticket setup",
        )
