"""The web server: Slack's payloads in HTTP mode; health, metrics and the web API in both."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

import uvicorn
from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from slackbot.bot import Bot
from slackbot.config import Settings
from slackbot.desk.judging import TextJudge
from slackbot.errors import ConfigError
from slackbot.metrics import CONTENT_TYPE, Metrics, Snapshot
from storage.errors import DatabaseUnavailable

log = logging.getLogger(__name__)

MAX_BODY = 1_000_000
"""Bytes; Slack's own payloads stay far below."""

_STARTING = {"model": False, "database": False, "slack": False}


@dataclass(slots=True)
class Front:
    """The web server of a bot that may still be starting.

    Attributes:
        settings: Address, port, and the mode: HTTP when there is no app token.
        metrics: What Prometheus is told.
        bot: The bot once it is there.
        port: Where the server listens, once it does.
    """

    settings: Settings
    metrics: Metrics = field(default_factory=Metrics)
    bot: Bot | None = None
    port: int = 0

    async def readiness(self) -> dict[str, bool]:
        """What must be true for tickets to be taken, by name."""
        return dict(_STARTING) if self.bot is None else await self.bot.ready()

    def judge(self) -> TextJudge | None:
        """Judges texts as the bot would judge them now; None while the bot is starting."""
        if self.bot is None:
            return None
        return partial(self.bot.desk.judge, team=self.bot.team)

    async def slack_events(self, request: Request) -> Response:
        """Hand Slack's payload to Bolt; what cannot be taken yet, Slack sends again."""
        if self.bot is None:
            return Response("starting", status_code=503)
        try:
            return await AsyncSlackRequestHandler(self.bot.app).handle(request)
        except (ValueError, TypeError, AttributeError, LookupError, RecursionError):
            # Bolt reads the body before it checks the signature: anybody may send anything.
            return Response("not a payload of Slack's", status_code=400)
        except DatabaseUnavailable as error:
            log.error("database_unavailable", extra={"error": str(error)})
            return Response("try again in a minute", status_code=503)

    async def exposition(self) -> bytes:
        """What Prometheus is told now."""
        if self.bot is None:
            return self.metrics.exposition(Snapshot(at=datetime.now(UTC), up=_STARTING))
        return self.metrics.exposition(await self.bot.snapshot())


class RefuseLargeBodies:
    """ASGI middleware: a body over `MAX_BODY` is refused with 413 before anything reads it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Buffer the body up to the limit and hand it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = bytearray()
        while True:
            message = await receive()
            body += message.get("body", b"")
            if len(body) > MAX_BODY:
                refusal = JSONResponse({"detail": "the body is over 1 MB"}, status_code=413)
                await refusal(scope, receive, send)
                return
            if not message.get("more_body"):
                break
        parts = iter([{"type": "http.request", "body": bytes(body), "more_body": False}])

        async def replay() -> Message:
            return next(parts, None) or await receive()

        await self._app(scope, replay, send)


def build_server(front: Front) -> Starlette:
    """Put the web server together; Slack's payloads are taken in HTTP mode only."""
    server = Starlette()
    server.add_middleware(RefuseLargeBodies)

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def readyz(_: Request) -> Response:
        checks = await front.readiness()
        return JSONResponse(checks, status_code=200 if all(checks.values()) else 503)

    async def metrics(_: Request) -> Response:
        return Response(await front.exposition(), media_type=CONTENT_TYPE)

    for path, answer in (("/healthz", healthz), ("/readyz", readyz), ("/metrics", metrics)):
        server.add_route(path, answer)

    if not front.settings.app_token:
        server.add_route("/slack/events", front.slack_events, methods=["POST"])

    if front.settings.client_id:
        for page in ("/slack/install", "/slack/oauth_redirect"):
            server.add_route(page, front.slack_events, methods=["GET"])

    if front.settings.api_token:
        # Loaded here because FastAPI costs a fifth of a start that seldom needs it.
        from slackbot import api  # noqa: PLC0415

        server.mount("/", api.application(front.settings.api_token, front.judge))

    return server


@contextlib.asynccontextmanager
async def listening(front: Front) -> AsyncIterator[asyncio.Task[None]]:
    """Serve until the block ends; the port is bound before anything else starts.

    Yields:
        The server's task, which also ends when uvicorn takes SIGTERM or SIGINT.

    Raises:
        ConfigError: The address cannot be listened on.
    """
    host, port = front.settings.host, front.settings.port
    try:
        listener = socket.create_server((host, port))
    except OSError as error:
        raise ConfigError(
            [f"AUTOTICKET_HOST, AUTOTICKET_PORT: cannot listen on {host}:{port}: {error.strerror}"]
        ) from error
    front.port = listener.getsockname()[1]
    server = uvicorn.Server(
        uvicorn.Config(
            build_server(front),
            log_config=None,
            access_log=False,
            proxy_headers=False,  # nothing here asks who the client is
            lifespan="off",
            timeout_graceful_shutdown=5,
        )
    )
    task = asyncio.create_task(server.serve(sockets=[listener]), name="web server")
    try:
        yield task
    finally:
        server.should_exit = True
        await task
        listener.close()
