"""Socket Mode: hello, envelopes in turn, acknowledgements, redelivery, and what goes wrong."""

import asyncio
from contextlib import asynccontextmanager

import aiohttp
import pytest

from slackbot.playground import Playground
from tests.playground.kit import MANIFEST, over_socket_mode


class Peer:
    """A bare Socket Mode client."""

    def __init__(self, socket):
        self.socket = socket

    async def receive(self):
        return await self.socket.receive_json(timeout=2)

    async def acknowledge(self, envelope, payload=None):
        answer = {"envelope_id": envelope["envelope_id"]}
        await self.socket.send_json({**answer, "payload": payload} if payload else answer)


@asynccontextmanager
async def peer(slack, client):
    url = (await client.apps_connections_open(app_token=slack.app_token))["url"]
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        yield Peer(socket)


@pytest.fixture
async def slack():
    async with Playground(
        manifest=MANIFEST, ack_timeout=0.5, retry_delays=(0, 0.2, 1)
    ) as playground:
        yield playground


@pytest.fixture
def ana(slack):
    return slack.add_user("ana")


@pytest.fixture
def channel(slack, ana):
    return slack.add_channel("it-help")


async def test_hello_counts_the_connections_and_a_ticket_works_once(slack, client):
    async with peer(slack, client) as first, peer(slack, client) as second:
        assert (await first.receive())["num_connections"] == 1
        hello = await second.receive()
        assert (hello["type"], hello["num_connections"]) == ("hello", 2)
        assert hello["connection_info"]["app_id"] == slack.app.app_id
    url = (await client.apps_connections_open(app_token=slack.app_token))["url"]
    async with aiohttp.ClientSession() as session:
        await (await session.ws_connect(url)).close()
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(url)


async def test_each_envelope_goes_to_one_connection_in_turn(slack, client, ana, channel):
    async with peer(slack, client) as first, peer(slack, client) as second:
        peers = [first, second]
        for each in peers:
            await each.receive()
        texts = set()
        for _ in range(2):
            await ana.say(channel, "one")
            await ana.say(channel, "two")
            for each in peers:
                envelope = await each.receive()
                await each.acknowledge(envelope)
                texts.add((peers.index(each), envelope["payload"]["event"]["text"]))
        await slack.until(lambda: slack.in_flight == 0)
        assert len(texts) == 2
        assert all(len(delivery.attempts) == 1 for delivery in slack.deliveries)


async def test_what_is_not_acknowledged_comes_again_on_another_connection(
    slack, client, ana, channel
):
    async with peer(slack, client) as first, peer(slack, client) as second:
        await first.receive()
        await second.receive()
        await ana.say(channel, "vpn down")
        ignored = await second.receive()
        again = await first.receive()
        await first.acknowledge(again)
        await slack.until(lambda: slack.in_flight == 0)
    assert (ignored["retry_attempt"], ignored["type"]) == (0, "events_api")
    assert (again["retry_attempt"], again["retry_reason"]) == (1, "timeout")
    assert again["envelope_id"] != ignored["envelope_id"]
    assert again["payload"] == ignored["payload"]
    assert slack.deliveries[0].acknowledged


async def test_a_connection_that_ends_hands_its_envelopes_on_at_once(slack, client, ana, channel):
    async with peer(slack, client) as survivor:
        await survivor.receive()
        async with peer(slack, client) as dying:
            await dying.receive()
            await ana.say(channel, "vpn down")
            assert await dying.receive()
        envelope = await survivor.receive()
        assert envelope["retry_reason"] == "connection_failed"
        await survivor.acknowledge(envelope)


async def test_an_acknowledgement_may_carry_an_answer(slack, client, ana, channel):
    async with peer(slack, client) as app:
        await app.receive()
        typing = asyncio.create_task(ana.command("/ticket", "vpn", channel=channel))
        envelope = await app.receive()
        assert envelope["type"] == "slash_commands"
        assert envelope["accepts_response_payload"] is True
        assert (envelope["payload"]["command"], envelope["payload"]["text"]) == ("/ticket", "vpn")
        await app.acknowledge(envelope, {"text": "filed"})
        assert (await typing).text == "filed"
        assert (await ana.command("/ticket", "again", channel=channel)).text.endswith(
            'the error "operation_timeout"'
        )


async def test_nonsense_is_ignored(slack, client, ana, channel):
    async with peer(slack, client) as app:
        await app.receive()
        await app.socket.send_str("nonsense")
        await app.socket.send_str("[1]")
        await app.socket.send_json({"envelope_id": "unknown"})
        await ana.say(channel, "still there?")
        await app.acknowledge(await app.receive())
        await slack.until(lambda: slack.in_flight == 0)
        assert slack.deliveries[0].acknowledged


async def test_pings_are_answered_unless_the_socket_is_deaf(slack, client, ana, channel):
    url = (await client.apps_connections_open(app_token=slack.app_token))["url"]
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(url, autoping=False) as socket,
    ):
        await socket.receive(2)
        await socket.ping(b"hello?")
        pong = await socket.receive(1)
        assert (pong.type, pong.data) == (aiohttp.WSMsgType.PONG, b"hello?")
        slack.socket.deafen(answer_pings=True)
        await ana.say(channel, "anybody there?")
        await socket.ping(b"hello?")
        assert (await socket.receive(1)).type is aiohttp.WSMsgType.PONG
        slack.socket.deafen()
        await socket.ping(b"hello?")
        with pytest.raises(TimeoutError):
            await socket.receive(0.1)


async def test_the_eleventh_connection_is_sent_away(slack, client):
    async with aiohttp.ClientSession() as session:
        sockets, messages = [], []
        for _ in range(11):
            url = (await client.apps_connections_open(app_token=slack.app_token))["url"]
            sockets.append(await session.ws_connect(url))
            messages.append(await sockets[-1].receive_json(timeout=2))
        assert [message["type"] for message in messages] == ["hello"] * 10 + ["disconnect"]
        assert messages[-1]["reason"] == "too_many_websockets"
        assert slack.socket.connections == 10


async def test_the_sdk_comes_back_from_a_deaf_socket_and_from_a_refresh(slack, app, ana, channel):
    heard = []

    @app.event("message")
    async def said(event):
        heard.append(event["text"])

    async with over_socket_mode(slack, app, ping_interval=0.3):
        slack.socket.deafen()
        await slack.until(lambda: slack.socket.connections == 0)
        await slack.until(lambda: slack.socket.connections == 1)
        await ana.say(channel, "back?")
        await slack.until(lambda: "back?" in heard)

        slack.calls.clear()
        await slack.socket.ask_to_reconnect()
        await slack.until(lambda: slack.calls and slack.socket.connections == 1)
        await ana.say(channel, "again?")
        await slack.until(lambda: "again?" in heard)
    assert heard == ["back?", "again?"]
    assert [call.method for call in slack.calls] == ["apps.connections.open"]
