"""The same way on PostgreSQL, and two replicas of which one dies."""

import asyncio
import collections
import itertools
import os
import signal
import sys

import asyncpg
import pytest
import yaml

from slackbot.playground import Playground

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


async def test_two_replicas_start_together_and_the_survivor_finishes_the_burst(
    new_office, url, tmp_path
):
    office = new_office(AUTOTICKET_DATABASE_URL=url)
    env = {"PATH": os.environ["PATH"], **office.env}
    command = [sys.executable, "-m", "slackbot", "run"]
    with (tmp_path / "log").open("wb") as log:
        both = [
            await asyncio.create_subprocess_exec(*command, env=env, stdout=log, stderr=log)
            for _ in range(2)
        ]
        try:
            await office.slack.until(lambda: office.slack.socket.connections == 2, 30)
            messages = [await office.ana.say(office.help_, office.unsure(i % 3)) for i in range(20)]
            await office.slack.until(office.cards, 20)
            both[0].send_signal(signal.SIGKILL)
            await office.slack.until(lambda: len(office.cards()) >= 40, 60)
            await office.slack.until(lambda: office.slack.in_flight == 0, 20)
            await asyncio.sleep(1)
        finally:
            for process in both:
                if process.returncode is None:
                    process.kill()
                await process.wait()
    assert b"Traceback" not in (tmp_path / "log").read_bytes()
    assert sorted(card.thread_ts for card in office.cards("thread")) == [m.ts for m in messages]
    places = collections.Counter(str(card.metadata["event_payload"]) for card in office.cards())
    assert set(places.values()) == {1}
