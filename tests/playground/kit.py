"""A manifest, blocks, and ways to bring a real Bolt app to a playground."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError

from slackbot.playground import Playground

MANIFEST: dict[str, Any] = {
    "features": {
        "bot_user": {"display_name": "helper"},
        "app_home": {"home_tab_enabled": True, "messages_tab_enabled": True},
        "slash_commands": [{"command": "/ticket"}],
        "shortcuts": [
            {"type": "message", "callback_id": "file_ticket"},
            {"type": "global", "callback_id": "new_ticket"},
        ],
    },
    "oauth_config": {
        "scopes": {
            "bot": [
                "app_mentions:read",
                "channels:history",
                "channels:join",
                "channels:read",
                "chat:write",
                "commands",
                "files:read",
                "files:write",
                "groups:history",
                "groups:read",
                "im:history",
                "im:read",
                "im:write",
                "reactions:read",
                "reactions:write",
                "usergroups:read",
                "users:read",
            ]
        }
    },
    "settings": {
        "event_subscriptions": {
            "bot_events": [
                "app_home_opened",
                "app_mention",
                "message.channels",
                "message.groups",
                "message.im",
                "reaction_added",
            ]
        },
        "interactivity": {"is_enabled": True},
        "socket_mode_enabled": True,
    },
}


class Clock:
    """The time, and how much later the playground believes it to be, in seconds."""

    ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


def section(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def button(action_id: str, value: str = "v") -> dict[str, Any]:
    text = {"type": "plain_text", "text": action_id}
    return {"type": "button", "action_id": action_id, "text": text, "value": value}


def menu(action_id: str, *texts: str) -> dict[str, Any]:
    options = [{"text": {"type": "plain_text", "text": t}, "value": f"T-1:{t}"} for t in texts]
    return {"type": "static_select", "action_id": action_id, "options": options}


def actions(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements)}


def field(name: str, **more: Any) -> dict[str, Any]:
    element = {"type": "plain_text_input", "action_id": name}
    label = {"type": "plain_text", "text": name}
    return {
        "type": "input",
        "block_id": f"{name}_block",
        "label": label,
        "element": element,
        **more,
    }


def modal(*blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    def words(text: str) -> dict[str, str]:
        return {"type": "plain_text", "text": text}

    submit = {"submit": words("File")} if any(b["type"] == "input" for b in blocks) else {}
    view = {"type": "modal", "title": words("Ticket"), "callback_id": "ticket_modal"}
    return {**view, **submit, "blocks": list(blocks), **more}


@asynccontextmanager
async def serve(
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
) -> AsyncIterator[str]:
    """An HTTP server for the app's side; gives its request URL."""
    site = web.Application()
    site.router.add_post("/slack/events", handler)
    runner = web.AppRunner(site, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def listening(
    slack: Playground, answer: dict[str, Any] | None = None
) -> AsyncIterator[list[dict[str, Any]]]:
    """An app that acknowledges everything, with `answer`; gives the payloads it got."""
    payloads: list[dict[str, Any]] = []

    async def handle(request: web.Request) -> web.Response:
        if request.content_type == "application/json":
            payloads.append(await request.json())
        else:
            form = dict(await request.post())
            payloads.append(json.loads(form["payload"]) if "payload" in form else form)
        return web.json_response(answer) if answer else web.Response()

    async with serve(handle) as url:
        slack.use_http(url)
        yield payloads


async def sent_by(
    slack: Playground, doing: Awaitable[Any], answer: dict[str, Any] | None = None
) -> dict[str, Any]:
    """What the app gets when a person does something; it acknowledges with `answer`."""
    async with listening(slack, answer) as payloads:
        await doing
    (payload,) = [p for p in payloads if p.get("type") != "event_callback"]
    return payload


@asynccontextmanager
async def over_http(slack: Playground, app: AsyncApp) -> AsyncIterator[None]:
    async def handle(request: web.Request) -> web.Response:
        response = await app.async_dispatch(await to_bolt_request(request))
        return await to_aiohttp_response(response)

    async with serve(handle) as url:
        slack.use_http(url)
        yield


@asynccontextmanager
async def over_socket_mode(
    slack: Playground, app: AsyncApp, ping_interval: float = 10
) -> AsyncIterator[AsyncSocketModeHandler]:
    handler = AsyncSocketModeHandler(app, slack.app_token, ping_interval=ping_interval)
    before = slack.socket.connections
    await handler.connect_async()
    await slack.until(lambda: slack.socket.connections > before)
    try:
        yield handler
    finally:
        await handler.close_async()


async def refusal(call: Awaitable[Any]) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])
