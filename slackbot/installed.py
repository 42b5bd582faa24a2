"""All workspaces that have installed the app; their tokens are renewed before they end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from slack_sdk.web.async_client import AsyncWebClient

from slackbot.desk.settings import SettingsOfTeams
from slackbot.identity import Identity
from slackbot.people import Reviewers
from slackbot.slack_calls import TIMEOUT_S, OutcomeUnknown, SlackFailure, sorted_failures
from slackbot.vault import CannotUnseal, Secrets, Vault
from slackbot.workspaces import NotInstalled, Workspace
from storage import installations
from storage.database import Database
from storage.errors import DatabaseUnavailable
from storage.installations import Installation

log = logging.getLogger(__name__)

LIFE_S = 2.0
"""How long what was read holds: so late at most does a replica hear of another one's changes."""
RENEW_EVERY_S = 60.0
RENEW_BEFORE = timedelta(hours=2)
"""Slack's tokens that end at all live for 12 hours."""


@dataclass(frozen=True, slots=True)
class _Known:
    """A workspace as last read; what is sealed tells an installation from one before a removal."""

    until: float
    sealed: str
    workspace: Workspace


@dataclass(frozen=True, slots=True)
class _Fetched:
    """New tokens that are not recorded yet."""

    secrets: Secrets
    expires_at: datetime


@dataclass(slots=True)
class InstalledWorkspaces:
    """All workspaces that have installed the app.

    Attributes:
        database: Holds the installations.
        vault: Opens their tokens.
        connect: Makes a Web API client for a token; for none with the empty one.
        teams: The settings of teams.
        client_id: The app's, to renew tokens.
        client_secret: Likewise.
        clock: Seconds that only grow.
    """

    database: Database
    vault: Vault
    connect: Callable[[str], AsyncWebClient]
    teams: SettingsOfTeams
    client_id: str
    client_secret: str = field(repr=False)
    clock: Callable[[], float] = time.monotonic
    _known: dict[str, _Known] = field(default_factory=dict)
    _fetched: dict[str, _Fetched] = field(default_factory=dict, repr=False)
    """By the sealed tokens whose place they take."""

    async def of(self, team: str) -> Workspace:
        """See `Workspaces`; while the database is down, what was last read holds."""
        known = self._known.get(team)
        if known is not None and self.clock() < known.until:
            return known.workspace
        try:
            async with self.database.read() as conn:
                found = await installations.get(conn, team)
        except DatabaseUnavailable:
            if known is None:
                raise
            return known.workspace
        if found is None:
            self._known.pop(team, None)
            raise NotInstalled(team)
        try:
            return self._remember(found)
        except CannotUnseal as error:
            raise OutcomeUnknown(str(error)) from error

    async def of_payload(self, team: str | None) -> Workspace:
        """The workspace that Slack names; it names the one that has the app."""
        return await self.of(team or "")

    def url_of(self, team: str) -> str:
        """See `Workspaces`."""
        known = self._known.get(team)
        return known.workspace.identity.workspace_url if known else ""

    async def remove(self, team: str, *, before: datetime) -> bool:
        """See `Workspaces`."""
        async with self.database.write() as conn:
            removed = await installations.remove(conn, team, before=before)
        self._known.pop(team, None)
        if removed:
            log.info("app_removed", extra={"team": team})
        return removed

    async def run(self, stop: asyncio.Event) -> None:
        """Renew tokens before they end, also when nobody writes; seal with the newest key."""
        while not stop.is_set():
            try:
                await self.renew_all(datetime.now(UTC))
            except DatabaseUnavailable as error:
                log.warning("renewal_postponed", extra={"error": str(error)})
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), RENEW_EVERY_S)

    async def renew_all(self, now: datetime) -> None:
        """Do it once; what is wrong with one workspace does not stop the others.

        Raises:
            DatabaseUnavailable: The rest waits; tokens that were fetched are kept until then.
        """
        async with self.database.read() as conn:
            everywhere = await installations.everywhere(conn)
        for found in everywhere:
            try:
                self._remember(found)
                await self._renew(found, now)
            except CannotUnseal as error:
                log.error("tokens_unreadable", extra={"team": found.team, "error": str(error)})
            except DatabaseUnavailable:
                raise
            except Exception:
                # Whatever Slack answers for one workspace must not stop the bot for all.
                log.exception("token_not_renewed", extra={"team": found.team})

    async def _renew(self, found: Installation, now: datetime) -> None:
        fetched = self._fetched.get(found.secrets)
        if fetched is not None:
            await self._seal(found, fetched.secrets, fetched.expires_at)
            return
        secrets = self.vault.unseal(found.team, found.secrets)
        if found.expires_at is not None and found.expires_at <= now + RENEW_BEFORE:
            await self._renew_token(found, secrets, now)
        elif not self.vault.is_current(found.secrets):
            await self._seal(found, secrets, found.expires_at)

    async def _renew_token(self, found: Installation, secrets: Secrets, now: datetime) -> None:
        """Fetch the next token; only one replica may, because a refresh token works once."""
        async with self.database.write() as conn:
            if not await installations.begin_renewal(
                conn, found.team, found.version, now=now, seconds=2 * TIMEOUT_S
            ):
                return
        try:
            async with sorted_failures():
                answer = await self.connect("").oauth_v2_access(
                    client_id=self.client_id,
                    client_secret=self.client_secret,
                    grant_type="refresh_token",
                    refresh_token=secrets.refresh_token,
                )
        except SlackFailure as failure:
            log.error("token_not_renewed", extra={"team": found.team, "error": str(failure)})
            return
        fresh = Secrets(answer["access_token"], answer.get("refresh_token") or "")
        ends = now + timedelta(seconds=int(answer["expires_in"]))
        self._fetched[found.secrets] = _Fetched(fresh, ends)  # the refresh token works no more
        await self._seal(found, fresh, ends)
        log.info("token_renewed", extra={"team": found.team})

    async def _seal(
        self, found: Installation, secrets: Secrets, expires_at: datetime | None
    ) -> None:
        sealed = self.vault.seal(found.team, secrets)
        async with self.database.write() as conn:
            await installations.seal_anew(conn, found.team, found.version, sealed, expires_at)
        self._fetched.pop(found.secrets, None)
        self._known.pop(found.team, None)

    def _remember(self, found: Installation) -> Workspace:
        """Keep the workspace as it is known, with its caches, while nothing has changed in it."""
        known = self._known.get(found.team)
        if known is None or known.sealed != found.secrets:
            known = _Known(0.0, found.secrets, self._workspace(found))
        self._known[found.team] = replace(known, until=self.clock() + LIFE_S)
        return known.workspace

    def _workspace(self, found: Installation) -> Workspace:
        secrets = self.vault.unseal(found.team, found.secrets)
        client = self.connect(secrets.bot_token)
        identity = Identity(
            team=found.team,
            bot_user=found.bot_user,
            bot_id=found.bot_id,
            workspace_url=found.workspace_url,
        )
        return Workspace(identity, client, Reviewers(client, self.teams, found.team))
