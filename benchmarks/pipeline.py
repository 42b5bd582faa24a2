"""Acknowledgement, throughput, burst, memory and start of a real bot against the local Slack.

The bot is a process of its own with the shipped bundle; Slack and the writers are this process.
Run it with `make bench`; `--long` adds 50,000 messages for the memory figure.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import math
import os
import signal
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import aiohttp
import yaml

from slackbot.playground import Playground
from slackbot.playground.person import Person
from slackbot.playground.records import Channel
from storage import deliveries, inbox, tickets
from storage.database import Database

ROOT = Path(__file__).parents[1]
CHANNELS = 12
RATE = 50


@dataclass
class Running:
    """A bot under test.

    Attributes:
        slack: The workspace that it serves.
        writer: Who writes there.
        channels: The triage channels.
        database: The bot's record, opened a second time to look on.
        pid: The bot's process.
        started_s: Seconds from its start to a ready `/readyz`.
    """

    slack: Playground
    writer: Person
    channels: list[Channel]
    database: Database
    pid: int
    started_s: float

    @property
    def rss_mb(self) -> float:
        """Resident memory in MB."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    async def write(self, count: int, *, per_second: float = math.inf) -> None:
        """Post so many messages, in turn over the channels."""
        begin = time.perf_counter()
        messages = islice(zip(cycle(self.channels), cycle(texts()), strict=False), count)
        for number, (channel, text) in enumerate(messages):
            await self.writer.say(channel, text)
            early = begin + number / per_second - time.perf_counter()
            await asyncio.sleep(max(0.0, early) if number % 10 == 0 or early > 0 else 0)

    async def drained(self, timeout_s: float = 600) -> None:
        """Wait until everything is acknowledged, judged and delivered."""
        async with asyncio.timeout(timeout_s):
            while self.slack.in_flight or await self._open_work():
                await asyncio.sleep(0.02)

    async def _open_work(self) -> int:
        async with self.database.read() as conn:
            depths = [await inbox.depth(conn), await deliveries.depth(conn)]
        return sum(depth.waiting + depth.leased for depth in depths)

    async def tickets_and_cards(self) -> tuple[int, int]:
        """How many tickets there are, and how many cards stand in threads."""
        async with self.database.read() as conn:
            filed = await tickets.of_reporter(conn, self.slack.team_id, self.writer.id, 10**9)
        everything = [m for channel in self.channels for m in channel.messages.values()]
        return len(filed), sum(message.is_reply for message in everything)


def texts() -> list[str]:
    """Real messages, each a ticket to who wrote it."""
    lines = (ROOT / "models" / "samples.jsonl").read_text(encoding="utf-8").splitlines()
    return [row["text"] for row in map(json.loads, lines) if row["queue"]]


@contextlib.asynccontextmanager
async def running_bot(database_url: str) -> AsyncIterator[Running]:
    """Start a workspace without pace, and a bot in HTTP mode with 12 triage channels."""
    manifest = yaml.safe_load((ROOT / "manifest.yml").read_text(encoding="utf-8"))
    async with Playground(manifest=manifest, pace=False) as slack:
        writer = slack.add_user("writer")
        channels = [slack.add_channel(f"help-{n}", members=[writer]) for n in range(CHANNELS)]
        port = _free_port()
        env = {
            "PATH": os.environ["PATH"],
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_SIGNING_SECRET": slack.signing_secret,
            "SLACK_API_URL": slack.api_url,
            "AUTOTICKET_PORT": str(port),
            "AUTOTICKET_DATABASE_URL": database_url,
            "AUTOTICKET_MODEL_DIR": str(ROOT / "models" / "default"),
            "AUTOTICKET_TRIAGE_CHANNELS": ",".join(channel.id for channel in channels),
            "AUTOTICKET_POSTS_PER_SECOND": "100000",
            "AUTOTICKET_LOG_LEVEL": "ERROR",
        }
        before = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "slackbot", "run", env=env, cwd=ROOT
        )
        database = None
        try:
            await _until_ready(f"http://127.0.0.1:{port}/readyz")
            started_s = time.perf_counter() - before
            slack.use_http(f"http://127.0.0.1:{port}/slack/events")
            database = await Database.open(database_url, migrate=False)
            yield Running(slack, writer, channels, database, process.pid, started_s)
        finally:
            process.send_signal(signal.SIGTERM)
            await process.wait()
            if database is not None:
                await database.close()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


async def _until_ready(url: str) -> None:
    async with aiohttp.ClientSession() as session:
        while True:
            with contextlib.suppress(aiohttp.ClientError):
                async with session.get(url) as response:
                    if response.status == 200:
                        return
            await asyncio.sleep(0.01)


async def acknowledgement(bot: Running, seconds: int) -> list[tuple[str, str]]:
    """Time to the acknowledgement at 50 messages a second."""
    bot.slack.deliveries.clear()
    await bot.write(RATE * seconds, per_second=RATE)
    await bot.drained()
    first = [delivery.attempts[0] for delivery in bot.slack.deliveries]
    cuts = statistics.quantiles([1000 * attempt.seconds for attempt in first], n=100)
    return [
        (f"acknowledged at {RATE}/s for {seconds} s, p50", f"{cuts[49]:.1f} ms"),
        (f"acknowledged at {RATE}/s for {seconds} s, p99", f"{cuts[98]:.1f} ms (bar: 50)"),
        ("not acknowledged at the first try", str(sum(bool(a.failure) for a in first))),
    ]


async def throughput(bot: Running, count: int, label: str) -> list[tuple[str, str]]:
    """Messages a second from the first one to the last card, and whether all are there."""
    tickets_before, cards_before = await bot.tickets_and_cards()
    begin = time.perf_counter()
    await bot.write(count)
    await bot.drained()
    seconds = time.perf_counter() - begin
    filed, shown = await bot.tickets_and_cards()
    return [
        (f"{label}: {count} messages end to end", f"{count / seconds:.0f}/s (bar: 100)"),
        (
            f"{label}: tickets filed, cards posted for them",
            f"{filed - tickets_before}, {shown - cards_before}",
        ),
    ]


async def memory(bot: Running) -> list[tuple[str, str]]:
    """Resident memory over 50,000 messages."""
    figures = [bot.rss_mb]
    for _ in range(2):
        for _ in range(25):
            await bot.write(1000)
            await bot.drained()
            bot.slack.deliveries.clear()
            bot.slack.calls.clear()
        figures.append(bot.rss_mb)
    shown = " / ".join(f"{figure:.0f}" for figure in figures)
    return [("RSS at the start, middle and end of 50,000 messages", f"{shown} MB")]


async def measure(database_url: str, *, seconds: int, long: bool) -> list[tuple[str, str]]:
    """All figures for one database."""
    rows = []
    async with running_bot(database_url) as bot:
        rows += [
            ("start to ready", f"{bot.started_s:.2f} s (bar: 2)"),
            ("RSS when ready", f"{bot.rss_mb:.0f} MB (bar: 300)"),
        ]
        await bot.write(50)
        await bot.drained()
        rows += await acknowledgement(bot, seconds)
        rows += await throughput(bot, 2000, "sustained")
        rows += await throughput(bot, 1000, "burst")
        if long:
            rows += await memory(bot)
        rows.append(("RSS at the end", f"{bot.rss_mb:.0f} MB"))
    return rows


def main() -> None:
    """Print a table for SQLite, or for the database that is given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database-url", help="an empty database; default: a SQLite file")
    parser.add_argument("--seconds", type=int, default=60, help="of the acknowledgement figure")
    parser.add_argument("--long", action="store_true", help="memory over 50,000 messages")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = options.database_url or f"sqlite:///{folder}/bench.db"
        rows = asyncio.run(measure(url, seconds=options.seconds, long=options.long))
    for name, figure in rows:
        print(f"{name:<58} {figure}")


if __name__ == "__main__":
    main()
