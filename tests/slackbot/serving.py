"""A bot in this process, served as `autoticket run` serves it."""

import asyncio
import contextlib

from slackbot.config import parse_settings
from slackbot.run import serve
from slackbot.server import Front
from storage import deliveries, inbox
from tests.waiting import until


async def listening(front):
    return front.port


async def ready(front):
    return all((await front.readiness()).values())


@contextlib.asynccontextmanager
async def serving(env, when=ready):
    """Yield its front as soon as `when(front)` holds; at the end stop it as SIGTERM would."""
    front, stop = Front(parse_settings(env)), asyncio.Event()
    running = asyncio.create_task(serve(front, stop))

    async def started():
        return running.done() or await when(front)

    try:
        await until(started, 60, f"the bot is {when.__name__}")
        if running.done():
            running.result()
        yield front
    finally:
        stop.set()
        await asyncio.wait_for(running, 30)


async def nothing_under_way(slack, database):
    """Whether all that Slack and the bot had for each other has arrived."""
    in_flight = slack.in_flight  # before the depths: what arrives is recorded first
    async with database.read() as conn:
        depths = [await inbox.depth(conn), await deliveries.depth(conn)]
    return in_flight == 0 and not any(depth.waiting + depth.leased for depth in depths)
