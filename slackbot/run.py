"""`autoticket run`: the web server first, then the bot behind it, until SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import logging
import os
import signal

from slackbot.bot import first_of, open_bot
from slackbot.config import Settings
from slackbot.server import Front, listening

log = logging.getLogger(__name__)

END_S = 9.5
"""Who is told to stop has ended by then, whatever still waits for a database that has vanished."""


async def run_bot(settings: Settings) -> None:
    """Start a replica and serve until the process is told to stop.

    Raises:
        ConfigError: A token is missing, or the port is taken.
        SlackRefused: Slack does not accept the bot token.
        CoreError: The model bundle cannot be used.
        StorageError: The database cannot be used.
    """
    settings.require_slack()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def end() -> None:
        stop.set()
        loop.call_later(END_S, _end_now)

    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, end)
    await serve(Front(settings), stop)


def _end_now() -> None:
    """End like a process that was killed, which costs nothing but the time until leases run out."""
    log.warning("ended_by_force", extra={"after_s": END_S})
    logging.shutdown()
    os._exit(0)


async def serve(front: Front, stop: asyncio.Event) -> None:
    """Serve until `stop` is set; health can be asked for while Slack is still awaited."""
    async with listening(front) as server:
        log.info("listening", extra={"port": front.port})
        serving = asyncio.create_task(_serve_bot(front, stop), name="bot")
        try:
            await first_of(stop, server, serving)
        finally:
            stop.set()
            await serving


async def _serve_bot(front: Front, stop: asyncio.Event) -> None:
    async with open_bot(front.settings, stop, front.metrics) as bot:
        if bot is None:
            return
        front.bot = bot
        try:
            await bot.run(stop)
        finally:
            front.bot = None
