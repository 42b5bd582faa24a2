"""The HTTP side of Slack: Web API, Socket Mode, `response_url`s, uploads and downloads."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from slackbot.playground import answers, api
from slackbot.playground.arguments import Arguments, read
from slackbot.playground.changes import Change, What
from slackbot.playground.errors import ApiError
from slackbot.playground.faults import CUT, Faults
from slackbot.playground.methods.call import Call, check_scopes
from slackbot.playground.records import Json
from slackbot.playground.site import Site
from slackbot.playground.socket import SocketMode

UPLOAD_BYTES = 64 * 1024 * 1024
_FORMS = ("application/x-www-form-urlencoded", "application/json")


@dataclass(frozen=True, slots=True)
class WebCall:
    """One call of the Web API that the app made.

    Attributes:
        method: `chat.postMessage` for example.
        args: The arguments.
        status: The HTTP status of the answer, 0 when the connection was cut.
        error: Slack's name for what was wrong, empty when it went well.
    """

    method: str
    args: Mapping[str, object]
    status: int
    error: str


class Server:
    """The routes, and what stands behind each.

    Attributes:
        web_app: Takes further routes until it is started.
        calls: Calls of the Web API, oldest first.
    """

    def __init__(self, site: Site, socket: SocketMode, faults: Faults) -> None:
        self.calls: list[WebCall] = []
        self.web_app = web.Application(client_max_size=UPLOAD_BYTES)
        self._site = site
        self._app = site.workspace.app
        self._socket = socket
        self._faults = faults
        self.web_app.add_routes(
            [
                web.route("*", "/api/{method}", self._api),
                web.get("/link/", socket.handle),
                web.post("/actions/{team}/{secret}", self._respond),
                web.post("/upload/{file}", self._upload),
                web.get("/files/{file}", self._download),
            ]
        )

    # The Web API -----------------------------------------------------------------------------

    async def _api(self, request: web.Request) -> web.Response:
        name = request.match_info["method"]
        fault = self._faults.strike_call(name)
        await asyncio.sleep(fault.delay)
        args, error, body = Arguments({}), None, {}
        try:
            args = await _read(request)
            if fault.after:
                body = self._run(name, request, args)
            if fault.error:
                raise ApiError(fault.error, status=fault.status, retry_after=fault.retry_after)
        except ApiError as failed:
            error, body = failed, failed.body()
        self._record(name, args, error)
        if error is not None and error.status == CUT and request.transport is not None:
            request.transport.abort()
        return self._reply(body, error)

    def _run(self, name: str, request: web.Request, args: Arguments) -> Json:
        token = _token(request, args)
        base_url = str(request.url.origin())
        if name == "apps.connections.open":
            api.check_token(token, right=self._app.app_token, wrong=self._app.bot_token)
            return {"ok": True, "url": self._socket.new_url(base_url)}
        return api.run(name, token, Call(args, self._site, base_url))

    def _record(self, name: str, args: Arguments, error: ApiError | None) -> None:
        status, word = (error.status, error.error) if error else (200, "")
        self.calls.append(WebCall(name, args.values, status, word))
        self._site.workspace.feed.publish(Change(What.CALLED))

    def _reply(self, body: Json, error: ApiError | None) -> web.Response:
        headers = {"X-OAuth-Scopes": ",".join(self._app.manifest.scopes)}
        if error is not None and error.retry_after is not None:
            headers["Retry-After"] = str(error.retry_after)
        status = (error.status or 500) if error else 200
        return web.json_response(body, status=status, headers=headers)

    # What is not the Web API -------------------------------------------------------------------

    async def _respond(self, request: web.Request) -> web.Response:
        try:
            args = await _read(request)
            answers.respond(self._site, request.match_info["secret"], args)
        except ApiError as error:
            status = error.status if error.status != 200 else 400
            return web.Response(text=error.error, status=status)
        return web.Response(text="ok")

    async def _upload(self, request: web.Request) -> web.Response:
        file = self._site.workspace.files.get(request.match_info["file"])
        content = await request.read()
        if file is None or file.content is not None or len(content) != file.length:
            return web.Response(status=400, text="invalid upload")
        file.content = content
        return web.Response(text=f"OK - {file.length}")

    async def _download(self, request: web.Request) -> web.Response:
        file = self._site.workspace.files.get(request.match_info["file"])
        try:
            token = _token(request, Arguments({}))
            api.check_token(token, right=self._app.bot_token, wrong=self._app.app_token)
            check_scopes(self._app, ("files:read",))
        except ApiError:
            return web.Response(status=403)
        if file is None or file.content is None:
            return web.Response(status=404)
        return web.Response(body=file.content)


async def _read(request: web.Request) -> Arguments:
    body = await request.read()
    if body and request.content_type not in _FORMS:
        raise ApiError("invalid_post_type")
    return read(request.content_type, body, request.rel_url.raw_query_string)


def _token(request: web.Request, args: Arguments) -> str | None:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if kind == "Bearer" else args.text("token")
