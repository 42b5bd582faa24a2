"""The web server: Slack's payloads in HTTP mode, and health in both modes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY = 1_000_000
"""Bytes; Slack's own payloads stay far below."""

Readiness = Callable[[], Awaitable[dict[str, bool]]]


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
                await Response("body too large", status_code=413)(scope, receive, send)
                return
            if not message.get("more_body"):
                break
        parts = iter([{"type": "http.request", "body": bytes(body), "more_body": False}])

        async def replay() -> Message:
            return next(parts, None) or await receive()

        await self._app(scope, replay, send)


def build_server(readiness: Readiness, app: AsyncApp | None) -> FastAPI:
    """Put the web server together.

    Args:
        readiness: What must be true for tickets to be taken, by name.
        app: The Bolt app in HTTP mode; None in Socket Mode, which takes no payloads here.
    """
    server = FastAPI(title="AutoTicket", docs_url=None, redoc_url=None, openapi_url=None)
    server.add_middleware(RefuseLargeBodies)

    @server.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @server.get("/readyz")
    async def readyz() -> JSONResponse:
        checks = await readiness()
        return JSONResponse(checks, status_code=200 if all(checks.values()) else 503)

    if app is not None:
        handler = AsyncSlackRequestHandler(app)

        @server.post("/slack/events")
        async def slack_events(request: Request) -> Response:
            try:
                return await handler.handle(request)
            except UnicodeDecodeError:
                return Response("body is no UTF-8", status_code=400)

    return server
