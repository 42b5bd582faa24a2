"""Acknowledgement, throughput, burst, memory and start of a real bot against the local Slack.

The bot is a process of its own with the shipped bundle; Slack and the writers are this process.
Run it with `make bench`; `--long` adds 50,000 messages for the memory figure. Processor times are
given beside times by the clock: they say what the bot costs even where something else runs.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import math
import os
import re
import signal
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import aiohttp
import sqlalchemy as sa
import yaml

from benchmarks.usage import Usage, resident_mb, warning
from slackbot.playground import Playground
from slackbot.playground.person import Person
from slackbot.playground.records import Channel
from storage import deliveries, inbox
from storage.database import Database
from storage.schema import predictions, tickets

ROOT = Path(__file__).parents[1]
CHANNELS = 12
RATE = 50
PROCESSORS = 2
"""What the bars are meant for."""

Row = tuple[str, str]


@dataclass
class Running:
    """A bot under test.

    Attributes:
        slack: The workspace that it serves.
        writer: Who writes there.
        channels: The triage channels.
        database: The bot's record, opened a second time to look on.
        pid: The bot's process.
        url: Its web server.
        started: What it used from its start to a ready `/readyz`.
    """

    slack: Playground
    writer: Person
    channels: list[Channel]
    database: Database
    pid: int
    url: str
    started: Usage

    @property
    def rss_mb(self) -> float:
        """Resident memory in MB."""
        return resident_mb(self.pid)

    async def intake_p99_ms(self) -> float:
        """The bound of the bot's own histogram that 99 % of the commits to the inbox kept."""
        async with aiohttp.ClientSession() as session, session.get(f"{self.url}/metrics") as got:
            text = await got.text()
        found = re.findall(r'autoticket_intake_seconds_bucket\{le="(.*?)"\} (\S+)', text)
        counts = [(float(bound), float(count)) for bound, count in found]
        return next(1000 * bound for bound, count in counts if count >= 0.99 * counts[-1][1])

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
        """How much waits or is in hand, in inbox and outbox."""
        async with self.database.read() as conn:
            depths = [await inbox.depth(conn), await deliveries.depth(conn)]
        return sum(depth.waiting + depth.leased for depth in depths)

    async def came_of_it(self) -> tuple[int, int, int]:
        """How many tickets there are, cards in threads, and messages judged to be no ticket."""
        no_ticket = sa.select(sa.func.count()).where(predictions.c.ticket_id.is_(None))
        async with self.database.read() as conn:
            filed = await conn.scalar(sa.select(sa.func.count()).select_from(tickets))
            ignored = await conn.scalar(no_ticket)
        everything = [m for channel in self.channels for m in channel.messages.values()]
        return filed or 0, sum(message.is_reply for message in everything), ignored or 0


def texts() -> list[str]:
    """Real messages, each a ticket to who wrote it."""
    lines = (ROOT / "models" / "samples.jsonl").read_text(encoding="utf-8").splitlines()
    return [row["text"] for row in map(json.loads, lines) if row["queue"]]


@contextlib.asynccontextmanager
async def running_bot(database_url: str, profile: Path | None = None) -> AsyncIterator[Running]:
    """Start a workspace without pace, and a bot in HTTP mode with 12 triage channels."""
    manifest = yaml.safe_load((ROOT / "manifest.yml").read_text(encoding="utf-8"))
    async with Playground(manifest=manifest, pace=False) as slack:
        writer = slack.add_user("writer")
        channels = [slack.add_channel(f"help-{n}", members=[writer]) for n in range(CHANNELS)]
        url = f"http://127.0.0.1:{_free_port()}"
        env = {
            "PATH": os.environ["PATH"],
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_SIGNING_SECRET": slack.signing_secret,
            "SLACK_API_URL": slack.api_url,
            "AUTOTICKET_PORT": url.rpartition(":")[2],
            "AUTOTICKET_DATABASE_URL": database_url,
            "AUTOTICKET_MODEL_DIR": str(ROOT / "models" / "default"),
            "AUTOTICKET_TRIAGE_CHANNELS": ",".join(channel.id for channel in channels),
            "AUTOTICKET_POSTS_PER_SECOND": "100000",
            "AUTOTICKET_LOG_LEVEL": "ERROR",
            **({"BENCH_PROFILE": str(profile)} if profile else {}),
        }
        module = ["benchmarks.profiled"] if profile else ["slackbot", "run"]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", *module, env=env, cwd=ROOT
        )
        before = Usage.now(process.pid)
        database = None
        try:
            await _until_ready(f"{url}/readyz")
            started = Usage.now(process.pid) - before
            slack.use_http(f"{url}/slack/events")
            database = await Database.open(database_url, migrate=False)
            yield Running(slack, writer, channels, database, process.pid, url, started)
        finally:
            process.send_signal(signal.SIGTERM)
            await process.wait()
            if database is not None:
                await database.close()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


async def _until_ready(url: str) -> None:
    """Ask until the bot says that it takes tickets."""
    async with aiohttp.ClientSession() as session:
        while True:
            with contextlib.suppress(aiohttp.ClientError):
                async with session.get(url) as response:
                    if response.status == 200:
                        return
            await asyncio.sleep(0.01)


async def acknowledgement(bot: Running, seconds: int) -> list[Row]:
    """Time to the acknowledgement at 50 messages a second."""
    bot.slack.deliveries.clear()
    before = Usage.now(bot.pid)
    await bot.write(RATE * seconds, per_second=RATE)
    await bot.drained()
    used = Usage.now(bot.pid) - before
    first = [delivery.attempts[0] for delivery in bot.slack.deliveries]
    cuts = statistics.quantiles([1000 * attempt.seconds for attempt in first], n=100)
    label = f"acknowledged at {RATE}/s for {seconds} s"
    return [
        (f"{label}, p50", f"{cuts[49]:.1f} ms"),
        (f"{label}, p99", f"{cuts[98]:.1f} ms (bar: 50)"),
        (f"{label}, committed by the bot, p99", f"<= {await bot.intake_p99_ms():g} ms"),
        ("not acknowledged at the first try", str(sum(bool(a.failure) for a in first))),
        *_shares(label, used, RATE * seconds),
    ]


async def throughput(bot: Running, count: int, label: str) -> list[Row]:
    """Messages a second from the first one to the last card, and whether all are there."""
    already = await bot.came_of_it()
    before = Usage.now(bot.pid)
    await bot.write(count)
    await bot.drained()
    used = Usage.now(bot.pid) - before
    filed, shown, ignored = (
        now - then for now, then in zip(await bot.came_of_it(), already, strict=True)
    )
    computed = PROCESSORS * count / (used.bot_s + used.own_s)
    return [
        (f"{label}: {count} messages end to end", f"{count / used.clock_s:.0f}/s (bar: 100)"),
        (f"{label}: tickets, cards for them, judged no ticket", f"{filed}, {shown}, {ignored}"),
        (f"{label}: lost or twice", str(abs(count - filed - ignored) + abs(filed - shown))),
        *_shares(label, used, count),
        (f"{label}: what {PROCESSORS} quiet processors would do at most", f"{computed:.0f}/s"),
    ]


def _shares(label: str, used: Usage, count: int) -> Iterator[Row]:
    """Who used the processors for `count` messages."""
    for who, seconds in (("bot", used.bot_s), ("Slack's stand-in", used.own_s)):
        yield f"{label}: {who}, for a message", f"{1000 * seconds / count:.1f} ms of processor"
    yield f"{label}: processors used by others", f"{100 * used.others:.0f} %"


async def memory(bot: Running) -> list[Row]:
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


async def parts(database_url: str, profile: Path, count: int = 500) -> list[Row]:
    """Which part of the bot computes for how long, for one message of a burst."""
    async with running_bot(database_url, profile) as bot:
        await bot.write(50)
        await bot.drained()
        os.kill(bot.pid, signal.SIGUSR1)  # count from here on
        await bot.write(count)
        await bot.drained()
    return _ranked(json.loads(profile.read_text(encoding="utf-8")), count)  # noqa: ASYNC240


def _ranked(seconds: dict[str, float], count: int) -> list[Row]:
    """Processor time by part, for one message, the largest first."""
    ranked = sorted(seconds.items(), key=lambda item: -item[1])
    shown = [(f"  {part}", f"{1000 * used / count:.2f} ms") for part, used in ranked]
    whole = f"{1000 * sum(seconds.values()) / count:.1f} ms"
    return [(f"processor time for a message of a burst of {count}", whole), *shown]


async def measure(database_url: str, *, seconds: int, long: bool) -> AsyncIterator[Row]:
    """All figures for one database, each as soon as it is known."""
    async with running_bot(database_url) as bot:
        yield "start to ready, first of all", f"{bot.started.clock_s:.2f} s (bar: 2)"
        yield "start to ready, first of all, computing", f"{bot.started.bot_s:.2f} s of processor"
        yield "RSS when ready", f"{bot.rss_mb:.0f} MB (bar: 300)"
        await bot.write(50)
        await bot.drained()
        for row in await acknowledgement(bot, seconds):
            yield row
        for row in await throughput(bot, 2000, "sustained"):
            yield row
        for row in await throughput(bot, 1000, "burst"):
            yield row
        if long:
            for row in await memory(bot):
                yield row
        yield "RSS at the end", f"{bot.rss_mb:.0f} MB (bar: 300)"
    async with running_bot(database_url) as bot:
        yield "start to ready, as a restart", f"{bot.started.clock_s:.2f} s (bar: 2)"
        yield "start to ready, as a restart, computing", f"{bot.started.bot_s:.2f} s of processor"


async def run(options: argparse.Namespace) -> None:
    """Print the table, line by line."""
    busy = warning()
    if busy:
        print(busy)
    with tempfile.TemporaryDirectory() as folder:
        url = options.database_url or f"sqlite:///{folder}/bench.db"
        if not options.parts:
            async for row in measure(url, seconds=options.seconds, long=options.long):
                _print(row)
        for row in await parts(url, Path(folder) / "profile.json"):
            _print(row)
    if busy:
        print(busy)


def _print(row: Row) -> None:
    print(f"{row[0]:<62} {row[1]}", flush=True)


def arguments() -> argparse.ArgumentParser:
    """What the command line takes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database-url", help="an empty database; default: a SQLite file")
    parser.add_argument("--seconds", type=int, default=60, help="of the acknowledgement figure")
    parser.add_argument("--long", action="store_true", help="memory over 50,000 messages")
    parser.add_argument("--parts", action="store_true", help="only what each part costs")
    return parser


def main() -> None:
    """Print a table for SQLite, or for the database that is given."""
    asyncio.run(run(arguments().parse_args()))


if __name__ == "__main__":
    main()
