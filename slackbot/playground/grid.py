"""Several workspaces behind one Web API, told apart by the token, each installed by OAuth."""

from __future__ import annotations

import base64
import itertools
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlencode

import aiohttp
from aiohttp import web

from slackbot.playground.playground import Playground
from slackbot.playground.records import Json

CLIENT_ID = "1234567890.1234567890"
CLIENT_SECRET = "the-client-secret-of-the-playground"  # noqa: S105  opens nothing but this
_PASSED_ON = ("Content-Type", "Retry-After", "X-OAuth-Scopes")


@dataclass(slots=True)
class _Grant:
    """What one token opens."""

    workspace: Playground
    ends_at: float | None = None
    refresh_token: str = ""
    revoked: bool = False


@dataclass(slots=True)
class Grid:
    """The Web API of several playgrounds; an async context manager.

    Attributes:
        workspaces: Each has one app installed, all with one signing secret; started by the caller.
        token_life_s: Seconds after which a bot token ends; None when tokens never do.
        organisation_wide: Who installs next does it for the whole organisation.
        refused: Calls with a token that opens nothing, by method.
    """

    workspaces: tuple[Playground, ...]
    token_life_s: float | None = None
    organisation_wide: bool = False
    refused: list[str] = field(default_factory=list)
    _codes: dict[str, Playground] = field(default_factory=dict)
    _grants: dict[str, _Grant] = field(default_factory=dict)
    _serial: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _runner: web.AppRunner | None = None
    _session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/api/oauth.v2.access", self._access)
        app.router.add_route("*", "/api/{method}", self._pass_on)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._session = aiohttp.ClientSession()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()
        await self.go_away()

    async def go_away(self) -> None:
        """Answer nobody any more."""
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def api_url(self) -> str:
        """The base URL of the Web API.

        Raises:
            RuntimeError: It was not started.
        """
        if self._runner is None or not self._runner.addresses:
            raise RuntimeError("start the grid first")
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}/api/"

    def approve(self, authorize_url: str, workspace: Playground) -> str:
        """Somebody says yes on Slack's page: the query with which Slack sends them back.

        Args:
            authorize_url: Where the app's page has sent them.
            workspace: In which they install the app.
        """
        asked = parse_qs(authorize_url.partition("?")[2])
        code = f"code-{next(self._serial)}"
        self._codes[code] = workspace
        return urlencode({"code": code, "state": asked["state"][0]})

    def expire(self) -> None:
        """End all tokens that end at all, now."""
        for grant in self._grants.values():
            grant.ends_at = time.time() if grant.ends_at is not None else None

    def uninstall(self, workspace: Playground) -> None:
        """Remove the app from a workspace: its tokens open nothing, and the app is told."""
        for grant in self._grants.values():
            grant.revoked = grant.revoked or grant.workspace is workspace
        workspace.tell_app("app_uninstalled")

    def revoke(self, workspace: Playground) -> None:
        """End the tokens of a workspace that keeps the app; the app is told."""
        for grant in self._grants.values():
            grant.revoked = grant.revoked or grant.workspace is workspace
        bots = [workspace.bot_user_id]
        workspace.tell_app("tokens_revoked", tokens={"oauth": [], "bot": bots})

    # OAuth ------------------------------------------------------------------------------------

    def _installed_by_the_organisation(self) -> Json:
        """What Slack says when an organisation's admin installs the app for all of it."""
        return {
            "enterprise": {"id": "E0000000001", "name": "Everybody"},
            "is_enterprise_install": True,
            "team": None,
        }

    async def _access(self, request: web.Request) -> web.Response:
        form = await request.post()
        if not _knows_the_secret(request):
            return _refusal("bad_client_secret")
        if form.get("grant_type") == "refresh_token":
            return self._renewed(str(form.get("refresh_token")))
        workspace = self._codes.pop(str(form.get("code")), None)
        if workspace is None:
            return _refusal("invalid_code")
        return web.json_response(self._granted(workspace))

    def _renewed(self, refresh_token: str) -> web.Response:
        for grant in self._grants.values():
            if refresh_token and grant.refresh_token == refresh_token:
                grant.refresh_token = ""  # works once
                return web.json_response(self._granted(grant.workspace))
        return _refusal("invalid_refresh_token")

    def _granted(self, workspace: Playground) -> Json:
        number = next(self._serial)
        app, life = workspace.app, self.token_life_s
        grant = _Grant(workspace)
        rotating: Json = {}
        if life is not None:
            grant.ends_at, grant.refresh_token = time.time() + life, f"xoxe-1-{number}"
            rotating = {"expires_in": int(life), "refresh_token": grant.refresh_token}
        token = f"xoxb-of-the-grid-{number}"
        self._grants[token] = grant
        return {
            "ok": True,
            "app_id": app.app_id,
            "authed_user": {"id": "U0000000001"},
            "scope": ",".join(app.manifest.scopes),
            "token_type": "bot",
            "access_token": token,
            "bot_user_id": app.bot_user_id,
            "team": {"id": app.team_id, "name": app.team},
            "enterprise": None,
            "is_enterprise_install": False,
            **rotating,
            **(self._installed_by_the_organisation() if self.organisation_wide else {}),
        }

    # Everything else -----------------------------------------------------------------------------

    async def _pass_on(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        grant = self._grants.get(request.headers.get("Authorization", "").removeprefix("Bearer "))
        error = _wrong_with(grant)
        if grant is None or error:
            self.refused.append(method)
            return _refusal(error)
        return await self._answer_of(grant.workspace, method, request)

    async def _answer_of(
        self, workspace: Playground, method: str, request: web.Request
    ) -> web.Response:
        assert self._session is not None
        headers = {"Authorization": f"Bearer {workspace.bot_token}"}
        if "Content-Type" in request.headers:
            headers["Content-Type"] = request.headers["Content-Type"]
        async with self._session.request(
            request.method,
            f"{workspace.api_url}{method}?{request.query_string}",
            data=await request.read(),
            headers=headers,
        ) as answer:
            kept = {name: answer.headers[name] for name in _PASSED_ON if name in answer.headers}
            return web.Response(body=await answer.read(), status=answer.status, headers=kept)


def _knows_the_secret(request: web.Request) -> bool:
    shown = request.headers.get("Authorization", "").removeprefix("Basic ")
    return shown == base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()


def _wrong_with(grant: _Grant | None) -> str:
    """Slack's word for why a token opens nothing; empty when it does."""
    if grant is None:
        return "invalid_auth"
    if grant.revoked:
        return "token_revoked"
    return "token_expired" if grant.ends_at is not None and grant.ends_at <= time.time() else ""


def _refusal(error: str) -> web.Response:
    return web.json_response({"ok": False, "error": error})
