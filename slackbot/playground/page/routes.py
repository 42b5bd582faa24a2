"""The page's addresses: files, state, changes as they come, and acts; for this machine only."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from slackbot.playground.changes import Change
from slackbot.playground.errors import NotPossibleError
from slackbot.playground.page import wire
from slackbot.playground.page.acts import ACTS, Wish
from slackbot.playground.page.morning import FASTEST, SLOWEST, Morning
from slackbot.playground.person import Person
from slackbot.playground.playground import Playground
from slackbot.playground.records import Json

STATIC = Path(__file__).parent / "static"
_PNG = b"\x89PNG\r\n\x1a\n"
_OURS = re.compile(r"(?:127\.0\.0\.1|localhost)(?::\d+)?")
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src 'self' data:; font-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

Tally = Callable[[], Awaitable[Mapping[str, int]]]
"""Counts what the app has decided so far, by decision."""


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody whose place the visitor can take.

    Attributes:
        person: Who.
        role: What they are here, in a word or two.
    """

    person: Person
    role: str


@dataclass(frozen=True, slots=True)
class Scene:
    """What the page shows of a furnished playground.

    Attributes:
        cast: Whom the visitor can be; the first one to begin with.
        topics: What each channel is for, by channel id.
        morning: The busy morning.
        tally: Counts decisions, for the busy morning.
    """

    cast: Sequence[Member]
    topics: Mapping[str, str]
    morning: Morning
    tally: Tally

    def person(self, user: str | None) -> Person:
        """The member of that id, the first one without an id.

        Raises:
            web.HTTPNotFound: Nobody in the cast has it.
        """
        for member in self.cast:
            if user in (None, member.person.id):
                return member.person
        raise web.HTTPNotFound(text="nobody of that id can be played")


class Page:
    """Shows a playground in the browser; make it before the playground starts.

    Args:
        slack: The playground.
    """

    def __init__(self, slack: Playground) -> None:
        self._slack = slack
        self._shown: Scene | None = None
        self._before: Mapping[str, int] = {}
        self._streams: set[asyncio.Queue[Json | None]] = set()
        slack.web_app.middlewares.append(_guard)
        slack.web_app.on_response_prepare.append(_harden)
        slack.web_app.on_shutdown.append(self._close)
        slack.web_app.add_routes(
            [
                web.get("/", _index),
                web.static("/static", STATIC),
                web.get("/page/state", self._state),
                web.get("/page/changes", self._changes),
                web.get("/page/files/{file}", self._file),
                web.post("/page/act", self._act),
                web.get("/page/morning", self._show_morning),
                web.post("/page/morning", self._play_morning),
            ]
        )

    def show(self, scene: Scene) -> None:
        """Let visitors in; before, they are told to come again."""
        for member in scene.cast:
            self._slack.workspace.open_dm(member.person.id, self._slack.bot_user_id)
        self._shown = scene

    @property
    def _scene(self) -> Scene:
        if self._shown is None:
            raise web.HTTPServiceUnavailable(text="not ready yet")
        return self._shown

    async def _close(self, _: web.Application) -> None:
        if self._shown is not None:
            await self._shown.morning.stop()
        for stream in self._streams:
            stream.put_nowait(None)

    # What one person sees -----------------------------------------------------------------------

    def _viewer(self, request: web.Request) -> Person:
        return self._scene.person(request.query.get("as"))

    def _snapshot(self, viewer: Person) -> Json:
        cast = [
            {"id": member.person.id, "name": member.person.account.real_name, "role": member.role}
            for member in self._scene.cast
        ]
        topics = dict(self._scene.topics)
        return {**wire.snapshot(self._slack, viewer), "cast": cast, "topics": topics}

    async def _state(self, request: web.Request) -> web.Response:
        return web.json_response(self._snapshot(self._viewer(request)))

    async def _changes(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events: everything at first, then every change, in order."""
        viewer = self._viewer(request)
        stream: asyncio.Queue[Json | None] = asyncio.Queue()

        def hear(change: Change) -> None:
            if (news := wire.told(self._slack, viewer, change)) is not None:
                stream.put_nowait(news)

        unsubscribe = self._slack.feed.subscribe(hear)
        stream.put_nowait(self._snapshot(viewer))
        self._streams.add(stream)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        try:
            await response.prepare(request)
            with suppress(ConnectionResetError):  # the browser has gone away
                while (news := await stream.get()) is not None:
                    await response.write(f"data: {json.dumps(news)}\n\n".encode())
        finally:
            self._streams.discard(stream)
            unsubscribe()
        return response

    async def _file(self, request: web.Request) -> web.Response:
        """A picture in a message that this person sees; anything else is not shown."""
        file = wire.file_seen(self._slack, self._viewer(request), request.match_info["file"])
        if file is None or not (file.content or b"").startswith(_PNG):
            raise web.HTTPNotFound(text="there is no such picture")
        return web.Response(body=file.content, content_type="image/png")

    # What one person does -----------------------------------------------------------------------

    async def _act(self, request: web.Request) -> web.Response:
        asked = await _read(request)
        act = ACTS.get(str(asked.get("act")))
        if act is None:
            raise web.HTTPBadRequest(text="there is no such act")
        try:
            took = await act(Wish(self._slack, self._viewer(request), asked))
        except NotPossibleError as error:
            return web.json_response({"error": str(error)}, status=409)
        return web.json_response({"took": took})

    # The busy morning ---------------------------------------------------------------------------

    async def _show_morning(self, _: web.Request) -> web.Response:
        morning = self._scene.morning
        decided = await self._scene.tally() if morning.sent else self._before
        return web.json_response(
            {
                "playing": morning.playing,
                "sent": morning.sent,
                "total": morning.total,
                "per_minute": morning.per_minute,
                "tally": {name: n - self._before.get(name, 0) for name, n in decided.items()},
            }
        )

    async def _play_morning(self, request: web.Request) -> web.Response:
        asked, morning = await _read(request), self._scene.morning
        pace = asked.get("per_minute", morning.per_minute)
        if not isinstance(pace, int) or not SLOWEST <= pace <= FASTEST:
            raise web.HTTPBadRequest(text=f"per_minute must be {SLOWEST} to {FASTEST}")
        morning.per_minute = pace
        if asked.get("play") is True and not morning.playing:
            self._before = await self._scene.tally()
            morning.play()
        elif asked.get("play") is False:
            await morning.stop()
        return await self._show_morning(request)


async def _index(_: web.Request) -> web.FileResponse:
    return web.FileResponse(STATIC / "index.html")


async def _read(request: web.Request) -> dict[str, Any]:
    """The JSON object in a request; no form of another site can send this content type."""
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="send application/json")
    try:
        asked = await request.json()
    except ValueError as error:
        raise web.HTTPBadRequest(text="this is no JSON") from error
    if not isinstance(asked, dict):
        raise web.HTTPBadRequest(text="send a JSON object")
    return asked


@web.middleware
async def _guard(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Refuse other sites: by their Origin, and those whose name was rebound here by their Host."""
    origin = request.headers.get("Origin")
    if not _OURS.fullmatch(request.host) or origin not in (None, f"http://{request.host}"):
        raise web.HTTPForbidden(text="only from this machine")
    return await handler(request)


async def _harden(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)
