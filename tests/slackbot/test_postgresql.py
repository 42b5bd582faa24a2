"""The same way on PostgreSQL, and two replicas of which one dies."""

import asyncio
import collections
import contextlib
import itertools
import os
import signal
import sys

import asyncpg
import pytest
import yaml

from core.queue_edits import rename
from slackbot.desk.edit_queues import carry_out
from slackbot.playground import Playground
from slackbot.team_settings import TeamSettings
from storage import tickets
from storage.database import Database
from tests import tiny_bundle

_count = itertools.count()


@pytest.fixture
async def url(postgres):
    """The URL of a database that nobody has used yet."""
    name = f"bot_{os.getpid()}_{next(_count)}"
    connection = await asyncpg.connect(postgres.format("postgres"))
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    return postgres.format(name)


@pytest.fixture
async def slack(root):
    manifest = yaml.safe_load((root / "manifest.yml").read_text(encoding="utf-8"))
    async with Playground(manifest=manifest, pace=False, retry_delays=(2, 4, 8)) as slack:
        yield slack


async def test_a_ticket_is_filed_settled_and_shown(new_office, url):
    async with new_office(AUTOTICKET_DATABASE_URL=url).open() as office:
        await office.ana.say(office.help_, office.unsure())
        review = await office.card("review")
        await asyncio.gather(
            office.rita.click(review, "review_confirm"), office.rob.click(review, "review_dismiss")
        )
        await office.slack.until(lambda: not review.find("review_confirm"))
        await office.settled()
        history = await office.bot.desk.history(office.slack.team_id, "T-1")
        assert len(history.steps) == 1


@contextlib.asynccontextmanager
async def two_replicas(office, log):
    """Two bots in processes of their own, both connected; killed at the end."""
    env = {"PATH": os.environ["PATH"], **office.env}
    command = [sys.executable, "-m", "slackbot", "run"]
    with log.open("wb") as stream:
        both = [
            await asyncio.create_subprocess_exec(*command, env=env, stdout=stream, stderr=stream)
            for _ in range(2)
        ]
        try:
            await office.slack.until(lambda: office.slack.socket.connections == 2, 30)
            yield both
        finally:
            for process in both:
                if process.returncode is None:
                    process.kill()
                await process.wait()


async def test_two_replicas_start_together_and_the_survivor_finishes_the_burst(
    new_office, url, tmp_path
):
    office = new_office(AUTOTICKET_DATABASE_URL=url)
    async with two_replicas(office, tmp_path / "log") as both:
        messages = [await office.ana.say(office.help_, office.unsure(i % 3)) for i in range(20)]
        await office.slack.until(office.cards, 20)
        both[0].send_signal(signal.SIGKILL)
        await office.slack.until(lambda: len(office.cards()) >= 40, 60)
        await office.slack.until(lambda: office.slack.in_flight == 0, 20)
        await asyncio.sleep(1)
    assert b"Traceback" not in (tmp_path / "log").read_bytes()
    assert sorted(card.thread_ts for card in office.cards("thread")) == [m.ts for m in messages]
    places = collections.Counter(str(card.metadata["event_payload"]) for card in office.cards())
    assert set(places.values()) == {1}


async def test_a_queue_is_renamed_while_two_replicas_file_into_it(new_office, url, tmp_path):
    tiny_bundle.save(tmp_path / "bundle")
    office = new_office(AUTOTICKET_DATABASE_URL=url, AUTOTICKET_MODEL_DIR=str(tmp_path / "bundle"))

    def showing(queue):
        return sum(queue in str(card.blocks) for card in office.cards("thread"))

    async with two_replicas(office, tmp_path / "log"), contextlib.AsyncExitStack() as stack:
        database = await Database.open(url, migrate=False)
        stack.push_async_callback(database.close)
        for number in range(40):
            await office.ana.say(office.help_, "laptop printer laptop")
            if number == 20:
                await office.slack.until(lambda: showing("Hardware"), 20)
                await carry_out(
                    database,
                    TeamSettings(),
                    lambda names: rename(("Access", "Hardware"), "Hardware", "Devices"),
                    by="ops",
                )
        await office.slack.until(lambda: showing("Devices") == 40, 60)
        async with database.read() as conn:
            filed = [await tickets.get(conn, office.slack.team_id, f"T-{n + 1}") for n in range(40)]
    assert {ticket.queue for ticket in filed} == {"Devices"}
    assert showing("Hardware") == 0
    assert b"Traceback" not in (tmp_path / "log").read_bytes()
