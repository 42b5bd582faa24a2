"""A Socket Mode connection that looks open but is dead."""

import asyncio

from slackbot import socket_mode


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


async def test_slack_may_ask_for_a_new_connection_at_any_time(new_office):
    async with new_office().open() as office:
        for number in range(3):
            await office.slack.socket.ask_to_reconnect()
            await office.ana.say(office.help_, office.sure(number))
        await office.slack.until(lambda: len(office.cards("thread")) == 3, 20)
