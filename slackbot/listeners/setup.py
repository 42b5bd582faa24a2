"""`/ticket setup`: the settings of the workspace, for its admins and owners only."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping
from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient

from slackbot.channels import FoundChannel, find_channel
from slackbot.desk.settings import SettingsChanged
from slackbot.errors import AutoTicketError
from slackbot.identity import team_of
from slackbot.listeners.services import Services
from slackbot.slack_calls import Refused, SlackFailure, sorted_failures
from slackbot.views import answers, setup
from slackbot.views.blocks import Option
from storage.errors import DatabaseUnavailable

log = logging.getLogger(__name__)

CHECK_WITHIN_S = 2.0
"""A trigger, and Slack's patience with a submission, last 3 s."""


class NotAnAdmin(AutoTicketError):
    """The person may not see or change the settings, or Slack did not say so in time."""

    def __init__(self) -> None:
        super().__init__(answers.admins_only().text)


class Setup:
    """Shows and changes the settings."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._desk = services.desk

    async def open(
        self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext, client: AsyncWebClient
    ) -> None:
        """Open the form for who gave the command or pressed the button.

        Raises:
            NotAnAdmin: Nothing was opened.
        """
        # Not acknowledged before: Bolt may lose an acknowledgement that an error follows at once.
        await self._require_admin(team_of(context), _user(body))
        async with sorted_failures():
            opened = await client.views_open(trigger_id=body["trigger_id"], view=setup.loading())
        await ack()
        await self._show(client, str(opened["view"]["id"]), team_of(context), page=0)

    async def turn_page(
        self,
        ack: AsyncAck,
        body: dict[str, Any],
        action: dict[str, Any],
        context: AsyncBoltContext,
        client: AsyncWebClient,
    ) -> None:
        """Show the channels of other queues."""
        await self._require_admin(team_of(context), _user(body))
        await ack()
        value = str(action.get("value"))
        page = int(value) if value.isdecimal() else 0
        await self._show(client, body["view"]["id"], team_of(context), page)

    async def submit(
        self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext, client: AsyncWebClient
    ) -> None:
        """Save what was chosen, or say below each field what is wrong with it."""
        view, team = body["view"], team_of(context)
        try:
            problems = await self._save(view, team, _user(body), client)
        except (NotAnAdmin, SettingsChanged) as error:
            problems = {setup.first_field(view): str(error)}
        except DatabaseUnavailable:
            problems = {setup.first_field(view): answers.not_recorded().text}
        except (SlackFailure, TimeoutError) as failure:
            log.warning("channels_not_checked", extra={"error": str(failure)})
            problems = {setup.first_field(view): answers.channels_not_checked().text}
        await (ack(response_action="errors", errors=problems) if problems else ack())

    async def _save(
        self, view: Mapping[str, Any], team: str, user: str, client: AsyncWebClient
    ) -> dict[str, str]:
        async with asyncio.timeout(CHECK_WITHIN_S):
            await self._require_admin(team, user)
            before = (await self._desk.teams.now(team)).settings
            wanted = setup.read(view, before, self._desk.classifier.queues)
            if wanted.edits != len(self._desk.names.edits):
                raise SettingsChanged  # a name may be another queue's by now
            ids = {channel for channels in wanted.chosen.values() for channel in channels}
            problems = _problems(wanted, await _find(client, ids))
        if not problems:
            await self._desk.change_settings(team, wanted.settings, seen=wanted.seen, by=user)
        return problems

    async def _require_admin(self, team: str, user: str) -> None:
        if not await self._services.is_admin(team, user):
            raise NotAnAdmin

    async def _show(self, client: AsyncWebClient, view_id: str, team: str, page: int) -> None:
        try:
            groups, now = await asyncio.gather(_groups(client), self._desk.teams.now(team))
        except DatabaseUnavailable as error:
            log.error("settings_not_readable", extra={"error": str(error)})
            view = setup.not_readable()
        else:
            form = setup.SetupForm(
                settings=now.settings,
                version=now.version,
                edits=len(self._desk.names.edits),
                queues=tuple(self._desk.classifier.queues),
                groups=groups,
                page=page,
            )
            view = setup.setup_modal(form)
        try:
            async with sorted_failures():
                await client.views_update(view_id=view_id, view=view)
        except SlackFailure as failure:  # closed meanwhile, for example
            log.warning("settings_not_shown", extra={"error": str(failure)})


def _user(body: Mapping[str, Any]) -> str:
    return str(body.get("user_id") or (body.get("user") or {}).get("id") or "")


async def _groups(client: AsyncWebClient) -> tuple[Option, ...]:
    """The workspace's user groups; none when Slack does not tell."""
    try:
        async with asyncio.timeout(CHECK_WITHIN_S), sorted_failures():
            answer = await client.usergroups_list()
    except (SlackFailure, TimeoutError) as failure:
        log.warning("groups_not_listed", extra={"error": str(failure)})
        return ()
    found = ((f"@{g.get('handle') or g['id']}", str(g["id"])) for g in answer["usergroups"])
    return tuple(sorted(found))


async def _find(client: AsyncWebClient, ids: Collection[str]) -> dict[str, FoundChannel | None]:
    """Ask about channels, all at once; None for what the bot cannot see."""
    known = await asyncio.gather(*(_find_or_none(client, channel) for channel in ids))
    return dict(zip(ids, known, strict=True))


async def _find_or_none(client: AsyncWebClient, channel: str) -> FoundChannel | None:
    try:
        return await find_channel(client, channel)
    except Refused as refused:
        if refused.error != "channel_not_found":
            raise
        return None


def _problems(wanted: setup.Submitted, found: Mapping[str, FoundChannel | None]) -> dict[str, str]:
    """What must be mended before anything is saved, by block_id; empty when nothing."""
    problems: dict[str, str] = {}
    for block in wanted.lost_queues:
        problems[block] = "This queue does not exist any more. Please open the settings again."
    for block in wanted.twice:
        problems[block] = "A channel has one mode: it is chosen in another one too."
    if wanted.settings.review_channel in wanted.settings.triage:
        problems[setup.REVIEW] = (
            "This is a channel whose messages are read: what reviewers write there would become "
            "tickets. Please pick another one."
        )
    for block, channels in wanted.chosen.items():
        faults = [fault for channel in channels if (fault := _fault(found[channel]))]
        if faults:
            problems[block] = " ".join(faults)
    return problems


def _fault(channel: FoundChannel | None) -> str:
    if channel is None:
        return "I am not in this private channel: type /invite @AutoTicket there first."
    if channel.archived:
        return f"#{channel.name} is archived."
    if not channel.joined:
        return f"I am not in #{channel.name}: type /invite @AutoTicket there first."
    return ""
