"""A Socket Mode connection that looks open but is dead."""

import asyncio
import time

from slackbot import socket_mode
from slackbot.playground.socket import SocketMode


async def test_a_deaf_connection_is_noticed_and_replaced(new_office, monkeypatch):
    monkeypatch.setattr(socket_mode, "PING_S", 0.3)
    monkeypatch.setattr(socket_mode, "DEAF_AFTER_S", 1.2)
    async with new_office().open() as office:
        office.slack.socket.deafen()
        message = await office.ana.say(office.help_, office.sure())
        seen_deaf = False
        async with asyncio.timeout(20):
            while not office.cards("thread"):
                seen_deaf = seen_deaf or not (await office.bot.ready())["slack"]
                await asyncio.sleep(0.01)
        assert seen_deaf
        assert office.cards("thread")[0].thread_ts == message.ts


async def test_what_failed_while_it_opened_is_tried_with_another_address(new_office, monkeypatch):
    monkeypatch.setattr(socket_mode, "PING_S", 0.1)
    office = new_office()
    office.slack.socket.refuse(2)
    async with office.open():  # returns when the bot is connected
        asked = [c for c in office.slack.calls if c.method == "apps.connections.open"]
        assert len(asked) == 3


async def test_slack_may_ask_for_a_new_connection_at_any_time(new_office):
    async with new_office().open() as office:
        messages = []
        for number in range(3):
            await office.slack.socket.ask_to_reconnect()
            messages.append(await office.ana.say(office.help_, office.sure(number)))
        await office.slack.until(lambda: len(office.cards("thread")) == 3, 20)
        assert {card.thread_ts for card in office.cards("thread")} == {m.ts for m in messages}


async def test_a_dead_connection_does_not_hold_up_the_end(new_office, monkeypatch):
    listen, died = SocketMode._listen, asyncio.Event()

    async def listen_until_it_died(self, connection):
        listening = asyncio.create_task(listen(self, connection))
        await died.wait()
        listening.cancel()
        await asyncio.sleep(60)

    monkeypatch.setattr(SocketMode, "_listen", listen_until_it_died)
    async with new_office().open():
        died.set()
        await asyncio.sleep(0)
        begin = time.monotonic()
    assert time.monotonic() - begin < 2 * socket_mode.GOODBYE_S
