"""`autoticket doctor`: every check with a tick or a cross, and the exact remedy."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any

import aiohttp
from rich.console import Console
from slack_sdk.web.async_client import AsyncWebClient

from core.classifier import Classifier
from core.errors import CoreError
from slackbot.channels import find_channel
from slackbot.config import Settings, load_settings
from slackbot.desk.settings import SettingsOfTeams
from slackbot.errors import ConfigError
from slackbot.identity import who_am_i
from slackbot.scopes import BOT_SCOPES
from slackbot.slack_calls import Refused, SlackFailure, sorted_failures, web_client
from slackbot.team_settings import EVERY_CHANNEL, TeamSettings
from storage.database import Database
from storage.errors import StorageError

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


async def diagnose() -> list[Finding]:
    """Make every check that can be made, in the order in which one sets the bot up."""
    try:
        settings = load_settings()
    except ConfigError as error:
        return [Finding(Mark.BAD, problem) for problem in error.problems]
    findings = [Finding(Mark.GOOD, "settings can be read")]
    classifier, model = await asyncio.to_thread(_check_model, settings)
    findings += [model, await _check_database(settings)]
    try:
        settings.require_slack()
    except ConfigError as error:
        findings += [Finding(Mark.BAD, problem) for problem in error.problems]
    else:
        client = web_client(settings.bot_token, settings.api_url)
        settings = await _as_set_in_slack(client, settings)
        findings += [finding async for finding in _check_slack(client, settings)]
    findings += _check_choices(settings, classifier)
    return findings


def report(findings: Iterable[Finding]) -> int:
    """Print the findings; the exit code is 1 when one keeps the bot from working."""
    console = Console(highlight=False)
    styles = {Mark.GOOD: "green", Mark.WARNING: "yellow", Mark.BAD: "red"}
    bad = False
    for finding in findings:
        console.print(f"[{styles[finding.mark]}]{finding.mark}[/]", end=" ")
        console.print(finding.text, markup=False)
        bad = bad or finding.mark is Mark.BAD
    return 1 if bad else 0


def _check_model(settings: Settings) -> tuple[Classifier | None, Finding]:
    try:
        classifier = Classifier.load(settings.model_dir, matrix=settings.priority_matrix)
    except CoreError as error:
        return None, Finding(Mark.BAD, f"model: {error}")
    names = ", ".join(classifier.queues)
    return classifier, Finding(Mark.GOOD, f"model {classifier.version} with the queues {names}")


async def _check_database(settings: Settings) -> Finding:
    try:
        database = await Database.open(settings.database_url, migrate=False)
    except StorageError as error:
        # A first start creates it: that is no fault.
        return Finding(Mark.WARNING, f"database: {error} (`autoticket run` creates it)")
    try:
        current, head = await database.schema_revision()
    except StorageError as error:
        return Finding(Mark.BAD, f"database: {error}")
    finally:
        await database.close()
    if current != head:
        return Finding(
            Mark.WARNING,
            f"database is at revision {current}, not {head}: `autoticket run` migrates it",
        )
    return Finding(Mark.GOOD, f"database answers, revision {head}")


async def _as_set_in_slack(client: AsyncWebClient, settings: Settings) -> Settings:
    """The settings with what admins have set in Slack in place of the environment's."""
    with contextlib.suppress(SlackFailure, StorageError):
        identity = await who_am_i(client)
        database = await Database.open(settings.database_url, migrate=False)
        try:
            current, head = await database.schema_revision()
            if current == head:
                set_there = await SettingsOfTeams(database, settings.team).now(identity.team)
                return replace(settings, team=set_there.settings)
        finally:
            await database.close()
    return settings


async def _check_slack(client: AsyncWebClient, settings: Settings) -> AsyncIterator[Finding]:
    try:
        async with sorted_failures():
            answer = await client.auth_test()
    except SlackFailure as failure:
        yield _bot_token(failure)
        return
    yield Finding(Mark.GOOD, f"Slack knows the bot as {answer.get('user')} in {answer.get('team')}")
    headers = {name.lower(): value for name, value in answer.headers.items()}
    yield _scopes(headers.get("x-oauth-scopes", ""))
    yield _clock(headers.get("date"))
    if settings.app_token:
        yield await _check_socket(client, settings.app_token)
    for channel, use in _channels(settings.team):
        yield await _check_channel(client, channel, use)
    for group in sorted(i for i in settings.team.reviewers if i.startswith("S")):
        yield await _check_group(client, group)


def _bot_token(failure: SlackFailure) -> Finding:
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


async def _check_socket(client: AsyncWebClient, app_token: str) -> Finding:
    """Connect once: Slack's hello tells how many connections the app has."""
    try:
        async with sorted_failures(), asyncio.timeout(10):
            opened = await client.apps_connections_open(app_token=app_token)
            async with (
                aiohttp.ClientSession() as session,
                session.ws_connect(opened["url"]) as connection,
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
    others = int(hello.get("num_connections") or 1) - 1
    if others > 0:
        return Finding(
            Mark.WARNING,
            f"{others} other Socket Mode connection(s): each takes a share of the payloads; "
            "stop what is not a replica on the same database",
        )
    return Finding(Mark.GOOD, "Socket Mode connects")


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


def _check_choices(settings: Settings, classifier: Classifier | None) -> list[Finding]:
    """What works without being set, but not as most teams want it."""
    findings = []
    if not settings.team.triage:
        findings.append(
            Finding(Mark.WARNING, "AUTOTICKET_TRIAGE_CHANNELS is unset: only /ticket, mentions, …")
        )
    if settings.team.review_channel is None:
        findings.append(
            Finding(
                Mark.WARNING,
                "AUTOTICKET_REVIEW_CHANNEL is unset: people settle unsure tickets in the threads",
            )
        )
    if not settings.team.reviewers:
        findings.append(
            Finding(Mark.WARNING, "AUTOTICKET_REVIEWERS is unset: nobody may settle a ticket")
        )
    unknown = sorted(
        set(settings.team.queue_channels) - set(classifier.queues if classifier else ())
    )
    if classifier is not None and unknown:
        findings.append(
            Finding(
                Mark.BAD,
                f"AUTOTICKET_QUEUE_CHANNELS names queues that the model does not have: "
                f"{', '.join(unknown)}",
            )
        )
    return findings
