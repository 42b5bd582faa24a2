"""Installing the app in a workspace: Bolt's OAuth flow on our record.

The stores here are of slack_sdk's kind, but not its own for SQLAlchemy: those keep tokens in the
open, in columns too narrow for sealed ones, and times without a zone, and write past the one turn
that SQLite's writers take.
"""

from __future__ import annotations

import hashlib
import html
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin

from slack_bolt import BoltResponse
from slack_bolt.error import BoltError
from slack_bolt.oauth.async_callback_options import (
    AsyncCallbackOptions,
    AsyncFailureArgs,
    AsyncSuccessArgs,
)
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_sdk.oauth.installation_store import Installation
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore
from slack_sdk.web.async_client import AsyncWebClient

from slackbot.config import Settings
from slackbot.identity import who_am_i
from slackbot.scopes import BOT_SCOPES
from slackbot.slack_calls import SlackFailure, sorted_failures
from slackbot.vault import Secrets, Vault
from storage import installations
from storage.database import Database
from storage.errors import StorageError
from storage.installations import NewInstallation

log = logging.getLogger(__name__)

STATE_LIFE_S = 600
"""So long may somebody think about it on Slack's page."""

_WHY = {
    "access_denied": "It was cancelled on Slack's page, or an admin must approve the app first.",
    "invalid_browser": (
        "It was not begun in this browser, this page was loaded twice, or its address is not https."
    ),
    "invalid_state": "It took longer than ten minutes, or this page was loaded twice.",
    "invalid_code": "Slack did not confirm it.",
    "missing_code": "Slack did not confirm it.",
}
_OTHERWISE = "Slack refused it."
_NOT_INSTALLED = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>AutoTicket was not installed</title>
<body style="font-family: sans-serif; text-align: center; padding: 2em">
<h1>AutoTicket was not installed</h1>
<p>{why}</p>
<p><a href="{again}">Begin again</a></p>
</body></html>
"""


@dataclass(frozen=True, slots=True)
class InstallationStore(AsyncInstallationStore):
    """Takes an installation that Slack has granted.

    Attributes:
        database: The record.
        vault: Seals its tokens.
        connect: Makes a Web API client for a token.
    """

    database: Database
    vault: Vault
    connect: Callable[[str], AsyncWebClient]

    async def async_save(self, installation: Installation) -> None:
        """Record it, once Slack has said who the bot is there.

        Raises:
            BoltError: It was not recorded; the flow tells who is installing.
        """
        if installation.is_enterprise_install or not installation.team_id:
            raise BoltError(
                "AutoTicket cannot be installed for a whole organisation: "
                "install it in each workspace that shall have it"
            )
        token = installation.bot_token or ""
        try:
            identity = await who_am_i(self.connect(token))
            new = NewInstallation(
                team=identity.team,
                team_name=installation.team_name or identity.team,
                enterprise=installation.enterprise_id,
                bot_user=identity.bot_user,
                bot_id=identity.bot_id,
                workspace_url=identity.workspace_url,
                scopes=",".join(installation.bot_scopes or ()),
                installed_by=installation.user_id,
                secrets=self.vault.seal(
                    identity.team, Secrets(token, installation.bot_refresh_token or "")
                ),
                expires_at=_time(installation.bot_token_expires_at),
            )
            async with self.database.write() as conn:
                await installations.save(conn, new, datetime.now(UTC))
        except (SlackFailure, StorageError) as error:
            raise BoltError(f"the installation could not be recorded: {error}") from error
        log.info("installed", extra={"team": new.team})


@dataclass(frozen=True, slots=True)
class StateStore(AsyncOAuthStateStore):
    """Knows who has begun to install, so that nobody can slip an installation in.

    Attributes:
        database: The record; it keeps a digest of each state.
    """

    database: Database

    async def async_issue(self, *args: Any, **kwargs: Any) -> str:
        """A new state."""
        state = secrets.token_urlsafe(32)
        async with self.database.write() as conn:
            await installations.issue_state(conn, _digest(state), datetime.now(UTC), STATE_LIFE_S)
        return state

    async def async_consume(self, state: str) -> bool:
        """Whether it was issued, has not run out, and comes for the first time."""
        async with self.database.write() as conn:
            return await installations.consume_state(conn, _digest(state), datetime.now(UTC))


class Flow(AsyncOAuthFlow):
    """Bolt's flow, which alone does not expect that Slack does not answer."""

    async def run_installation(self, code: str) -> Installation | None:
        """Redeem the code; None when that failed."""
        try:
            async with sorted_failures():
                return await super().run_installation(code)
        except SlackFailure as failure:
            log.error("code_not_redeemed", extra={"error": str(failure)})
            return None


def oauth_flow(
    settings: Settings, database: Database, vault: Vault, connect: Callable[[str], AsyncWebClient]
) -> AsyncOAuthFlow:
    """The pages `/slack/install` and `/slack/oauth_redirect`."""
    return Flow(
        client=connect(""),
        settings=AsyncOAuthSettings(
            client_id=settings.client_id,
            client_secret=settings.client_secret,
            scopes=sorted(BOT_SCOPES),
            user_scopes=[],
            authorization_url=urljoin(settings.api_url, "../oauth/v2/authorize"),
            installation_store=InstallationStore(database, vault, connect),
            state_store=StateStore(database),
            state_expiration_seconds=STATE_LIFE_S,
            callback_options=AsyncCallbackOptions(success=_as_usual, failure=_saying_why),
        ),
    )


async def _as_usual(args: AsyncSuccessArgs) -> BoltResponse:
    return await args.default.success(args)


async def _saying_why(args: AsyncFailureArgs) -> BoltResponse:
    """A page in our words: the reason in the address is whatever who made the link has written."""
    known = str(args.error) if isinstance(args.error, BoltError) else _WHY.get(args.reason)
    why, again = known or _OTHERWISE, args.settings.install_path
    log.warning("not_installed", extra={"why": why})
    return BoltResponse(
        status=args.suggested_status_code,
        headers={
            "Content-Type": "text/html; charset=utf-8",
            "Set-Cookie": args.settings.state_utils.build_set_cookie_for_deletion(),
        },
        body=_NOT_INSTALLED.format(why=html.escape(why), again=html.escape(again)),
    )


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _digest(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()
