"""A replica ends within 10 s, also when its database does not answer."""

import asyncio
import contextlib
import os
import signal
import sys

import asyncpg

from storage.migrate import _LOCK
from tests.slackbot.test_postgresql import slack, url  # noqa: F401 - fixtures

STOP_S = 12
"""The 10 s that are promised, on a machine that is busy with other tests."""


@contextlib.asynccontextmanager
async def process(office, log):
    """A bot in a process of its own; killed at the end if it has not ended."""
    env = {"PATH": os.environ["PATH"], **office.env}
    with log.open("wb") as stream:
        bot = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "slackbot", "run", env=env, stdout=stream, stderr=stream
        )
        try:
            yield bot
        finally:
            if bot.returncode is None:
                bot.kill()
            await bot.wait()


@contextlib.contextmanager
def stopped(processes):
    for each in processes:
        os.kill(each, signal.SIGSTOP)
    try:
        yield
    finally:
        for each in processes:
            os.kill(each, signal.SIGCONT)


async def test_a_database_that_has_vanished_does_not_hold_up_the_end(new_office, url, tmp_path):  # noqa: F811
    office = new_office(AUTOTICKET_DATABASE_URL=url)
    async with process(office, tmp_path / "log") as bot:
        await office.ana.say(office.help_, office.unsure())
        await office.slack.until(office.cards, 30)
        connection = await asyncpg.connect(url)
        backends = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
        others = f"{backends} AND pid <> pg_backend_pid()"
        vanished = [row["pid"] for row in await connection.fetch(others)]
        await connection.close()
        with stopped(vanished):
            await office.ana.say(office.help_, office.unsure(1))
            await asyncio.sleep(1)
            bot.send_signal(signal.SIGTERM)
            async with asyncio.timeout(STOP_S):
                assert await bot.wait() == 0


async def test_a_stop_does_not_wait_for_another_replicas_migration(new_office, url, tmp_path):  # noqa: F811
    migrating = await asyncpg.connect(url)
    await migrating.execute("SELECT pg_advisory_lock($1)", _LOCK)
    office = new_office(AUTOTICKET_DATABASE_URL=url)
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    async with process(office, tmp_path / "log") as bot:
        async with asyncio.timeout(30):
            while not await migrating.fetchval(waiting):
                await asyncio.sleep(0.05)
        bot.send_signal(signal.SIGTERM)
        async with asyncio.timeout(STOP_S):
            assert await bot.wait() == 0
    await migrating.close()
    assert b"Traceback" not in (tmp_path / "log").read_bytes()
