"""Socket Mode: connected, watched, and counted as connected only while pongs come back."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any

import aiohttp
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.web.async_client import AsyncWebClient

PING_S = 5.0
"""The client pings this often and reconnects by itself when four pings go unanswered."""
DEAF_AFTER_S = 4 * PING_S
GOODBYE_S = 1.0
"""How long Slack may take to close; aiohttp would wait for 10 s, and a stop may take no longer."""


@dataclass(slots=True)
class SocketMode:
    """One Socket Mode connection.

    Attributes:
        handler: Bolt's adapter.
    """

    handler: AsyncSocketModeHandler

    @classmethod
    def of(cls, app: AsyncApp, app_token: str, client: AsyncWebClient) -> SocketMode:
        """Prepare a connection; must be called on the event loop."""
        handler = AsyncSocketModeHandler(app, app_token, web_client=client, ping_interval=PING_S)
        _forget_used_addresses(handler.client)
        return cls(handler)

    async def connect(self) -> None:
        """Connect; tries again until it succeeds."""
        await self.handler.connect_async()  # type: ignore[no-untyped-call]

    async def close(self) -> None:
        """Stop receiving; a connection that is dead does not get long to say goodbye."""
        try:
            async with asyncio.timeout(GOODBYE_S):
                await self.handler.close_async()  # type: ignore[no-untyped-call]
        except TimeoutError:  # the socket is cut off by now; the rest is still open
            await self.handler.close_async()  # type: ignore[no-untyped-call]

    def pong_age_s(self) -> float | None:
        """Seconds since Slack last answered a ping; None before the first answer."""
        last = self.handler.client.last_ping_pong_time
        return None if last is None else time.time() - last

    async def connected(self) -> bool:
        """Whether payloads can arrive: an open socket that answers pings."""
        age = self.pong_age_s()
        return await self.handler.client.is_connected() and age is not None and age < DEAF_AFTER_S


def _forget_used_addresses(client: SocketModeClient) -> None:
    """Let every attempt ask Slack for an address: one opens one connection.

    By itself the client (slack_sdk 3.48) tries again with the address that it has, so a connection
    that breaks while it opens would be tried in vain for ever.
    """

    async def forget(*_: Any) -> None:
        client.wss_uri = None

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(forget)  # its HTTP session opens sockets and nothing else
    trace.freeze()
    client.aiohttp_client_session.trace_configs.append(trace)
