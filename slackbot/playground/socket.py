"""The server side of Socket Mode: connections, envelopes and their acknowledgements."""

from __future__ import annotations

import asyncio
import json
import secrets
import uuid
from contextlib import suppress

from aiohttp import WSMsgType, web

from slackbot.playground.app import Installation
from slackbot.playground.changes import Change, Feed, What
from slackbot.playground.delivery import Parcel
from slackbot.playground.errors import NotAcknowledgedError
from slackbot.playground.records import Json

MAX_CONNECTIONS = 10


class _Connection:
    """One WebSocket with the envelopes that wait for its acknowledgement."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self.socket = socket
        self.deaf = False
        self.answers_pings = True
        self.waiting: dict[str, asyncio.Future[Json]] = {}

    async def send(self, envelope: Json) -> None:
        with suppress(ConnectionError):  # who is gone will not acknowledge either
            await self.socket.send_str(json.dumps(envelope))

    def acknowledge(self, text: str) -> None:
        try:
            answer = json.loads(text)
            future = self.waiting.get(answer["envelope_id"])
        except (ValueError, TypeError, KeyError):
            return  # Slack ignores what it does not understand
        if future is not None and not future.done():
            future.set_result(answer.get("payload") or {})

    def give_up(self) -> None:
        for future in self.waiting.values():
            if not future.done():
                future.set_exception(NotAcknowledgedError("connection_failed"))


class SocketMode:
    """All Socket Mode connections of the app.

    Args:
        app: The app that may connect.
        feed: Hears of connections that come and go.
        ack_timeout: Seconds that the app has for each envelope.
    """

    def __init__(self, app: Installation, feed: Feed, ack_timeout: float) -> None:
        self._app = app
        self._feed = feed
        self._ack_timeout = ack_timeout
        self._tickets: set[str] = set()
        self._connections: list[_Connection] = []
        self._turn = 0
        self._refusing = 0

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._connections)

    def new_url(self, base_url: str) -> str:
        """An address for one connection, as `apps.connections.open` gives it."""
        ticket = secrets.token_urlsafe(18)
        self._tickets.add(ticket)
        return f"ws{base_url.removeprefix('http')}/link/?ticket={ticket}&app_id={self._app.app_id}"

    async def send(self, parcel: Parcel) -> Json:
        """Send an envelope to the next connection in turn; see `delivery.Transport`."""
        connection = self._next()
        envelope_id = str(uuid.uuid4())
        answer: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        connection.waiting[envelope_id] = answer
        try:
            async with asyncio.timeout(self._ack_timeout):
                if not connection.deaf:
                    await connection.send(_envelope(envelope_id, parcel))
                return await answer
        except TimeoutError as error:
            raise NotAcknowledgedError("timeout") from error
        finally:
            del connection.waiting[envelope_id]

    def _next(self) -> _Connection:
        if not self._connections:
            raise NotAcknowledgedError("connection_failed")
        self._turn += 1
        return self._connections[self._turn % len(self._connections)]

    # The app's side -----------------------------------------------------------------------

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection from hello to its end."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=408 if ticket else 400)
        self._tickets.discard(ticket)
        if self._refusing:
            self._refusing -= 1
            return web.Response(status=503)
        socket = web.WebSocketResponse(autoping=False, heartbeat=30)
        await socket.prepare(request)
        connection = _Connection(socket)
        if len(self._connections) >= MAX_CONNECTIONS:
            await connection.send(_goodbye("too_many_websockets"))
            await socket.close()
            return socket
        self._connections.append(connection)
        await connection.send(self._hello())
        self._feed.publish(Change(What.CONNECTED))
        try:
            await self._listen(connection)
        finally:
            self._connections.remove(connection)
            connection.give_up()
            self._feed.publish(Change(What.CONNECTED))
        return socket

    async def _listen(self, connection: _Connection) -> None:
        async for message in connection.socket:
            if message.type is WSMsgType.TEXT:
                connection.acknowledge(message.data)
            elif message.type is WSMsgType.PING and connection.answers_pings:
                await connection.socket.pong(message.data)

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self._connections),
            "debug_info": {
                "host": "playground",
                "build_number": 1,
                "approximate_connection_time": 18060,
            },
            "connection_info": {"app_id": self._app.app_id},
        }

    # What Slack does to connections now and then --------------------------------------------

    def refuse(self, times: int) -> None:
        """Let the next connections fail while they open; their addresses are used up all the same.

        Args:
            times: How many.
        """
        self._refusing = times

    def deafen(self, *, answer_pings: bool = False) -> None:
        """Let all present connections stay open, but bring nothing any more.

        Args:
            answer_pings: Whether they still look alive to a client that pings.
        """
        for connection in self._connections:
            connection.deaf = True
            connection.answers_pings = answer_pings

    async def ask_to_reconnect(self, reason: str = "refresh_requested") -> None:
        """Announce to all present connections that they end soon, as Slack does every few hours."""
        for connection in tuple(self._connections):
            await connection.send(_goodbye(reason))

    async def close(self) -> None:
        """Close all connections."""
        await asyncio.gather(*(connection.socket.close() for connection in self._connections))


def _envelope(envelope_id: str, parcel: Parcel) -> Json:
    envelope: Json = {
        "envelope_id": envelope_id,
        "type": parcel.kind,
        "accepts_response_payload": parcel.kind != "events_api",
        "payload": parcel.payload,
    }
    if parcel.kind == "events_api":
        envelope |= {"retry_attempt": parcel.attempt, "retry_reason": parcel.reason}
    return envelope


def _goodbye(reason: str) -> Json:
    return {"type": "disconnect", "reason": reason, "debug_info": {"host": "playground"}}
