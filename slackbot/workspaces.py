"""The workspaces that the bot serves: one by its token, or all that have installed it."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from slack_sdk.web.async_client import AsyncWebClient

from slackbot.identity import Identity
from slackbot.people import Reviewers
from slackbot.slack_calls import Refused

log = logging.getLogger(__name__)


class NotInstalled(Refused):
    """The workspace does not have the app, or not any more."""

    def __init__(self, team: str) -> None:
        super().__init__(f"the app is not installed in {team}")


@dataclass(frozen=True, slots=True)
class Workspace:
    """One workspace, as the bot acts in it.

    Attributes:
        identity: Who the bot is there.
        client: Slack's Web API with the token of that workspace.
        reviewers: Who may settle tickets there.
        direct: Direct messages that were opened there, by user.
    """

    identity: Identity
    client: AsyncWebClient
    reviewers: Reviewers
    direct: dict[str, str] = field(default_factory=dict)


class Workspaces(Protocol):
    """Finds the workspace that something belongs to."""

    async def of(self, team: str) -> Workspace:
        """The workspace of that id.

        Raises:
            NotInstalled: The bot does not serve it.
            OutcomeUnknown: Its token cannot be read.
            DatabaseUnavailable: Nobody can say.
        """

    async def of_payload(self, team: str | None) -> Workspace:
        """The workspace whose installation a payload is for, by the team that Slack names.

        Raises:
            As `of`.
        """

    def url_of(self, team: str) -> str:
        """`https://team.slack.com/`; empty as long as it is not known."""

    async def remove(self, team: str, *, before: datetime) -> bool:
        """Forget a workspace that has removed the app; False when there is nothing to forget.

        Args:
            team: The workspace.
            before: What was installed later stays.

        Raises:
            DatabaseUnavailable: Nothing was forgotten.
        """

    async def run(self, stop: asyncio.Event) -> None:
        """Do what must be done now and then, until `stop` is set."""


@dataclass(frozen=True, slots=True)
class OneWorkspace:
    """The one workspace whose token is in the settings.

    Attributes:
        only: That workspace.
    """

    only: Workspace

    async def of(self, team: str) -> Workspace:
        """The one; NotInstalled for any other."""
        if team != self.only.identity.team:
            raise NotInstalled(team)
        return self.only

    async def of_payload(self, team: str | None) -> Workspace:
        """The one: in shared channels payloads may name other teams."""
        return self.only

    def url_of(self, team: str) -> str:
        """Its address."""
        return self.only.identity.workspace_url if team == self.only.identity.team else ""

    async def remove(self, team: str, *, before: datetime) -> bool:
        """Only tell the operator, whose settings have the token."""
        log.error("app_removed", extra={"team": team})
        return False

    async def run(self, stop: asyncio.Event) -> None:
        """Its token never ends."""
        await stop.wait()
