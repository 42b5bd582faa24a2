"""Real processes killed with SIGKILL in mid-work: nothing is lost and nothing is there twice."""

import asyncio
import collections
import contextlib
import os
import signal
import sys

import pytest
import yaml

from slackbot.playground import Playground


@pytest.fixture
async def slack(root):
    """A Slack that sends events again while the next bot is starting, as the real one does."""
    manifest = yaml.safe_load((root / "manifest.yml").read_text(encoding="utf-8"))
    async with Playground(manifest=manifest, pace=False, retry_delays=(2, 4, 8)) as slack:
        yield slack


@contextlib.asynccontextmanager
async def process(office, log):
    """A bot of its own; whatever is left of it is killed at the end."""
    env = {"PATH": os.environ["PATH"], **office.env}
    connected = office.slack.socket.connections
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "slackbot", "run", env=env, stdout=log, stderr=log
    )
    try:
        await office.slack.until(lambda: office.slack.socket.connections > connected, 30)
        yield running
    finally:
        if running.returncode is None:
            running.kill()
        await running.wait()


def places(office):
    """How many cards each ticket has at each place."""
    return collections.Counter(
        (card.metadata["event_payload"]["ticket"], card.metadata["event_payload"]["place"])
        for card in office.cards()
    )


def acknowledged(office):
    return lambda: any(delivery.acknowledged for delivery in office.slack.deliveries)


def posted(office):
    return office.cards


def many_posted(office):
    return lambda: len(office.cards()) >= 8


@pytest.mark.parametrize("moment", [acknowledged, posted, many_posted])
async def test_a_killed_bot_is_finished_by_the_next(new_office, tmp_path, moment):
    office = new_office()
    with (tmp_path / "log").open("wb") as log:
        async with process(office, log) as first:
            office.slack.faults.slow("chat.postMessage", 0.1, times=1000)
            messages = [await office.ana.say(office.help_, office.unsure(i % 3)) for i in range(10)]
            await office.slack.until(moment(office), 20)
            first.send_signal(signal.SIGKILL)
            await first.wait()
        office.slack.faults.clear()
        async with process(office, log):
            await office.slack.until(lambda: len(office.cards()) >= 20, 60)
            await office.slack.until(lambda: office.slack.in_flight == 0, 20)
            await asyncio.sleep(1)
    assert sorted(card.thread_ts for card in office.cards("thread")) == [m.ts for m in messages]
    assert set(places(office).values()) == {1}
    assert len(places(office)) == 20
    assert b"Traceback" not in (tmp_path / "log").read_bytes()


async def test_of_two_replicas_the_survivor_finishes_what_the_dead_one_held(new_office, tmp_path):
    office = new_office()
    with (tmp_path / "log").open("wb") as log:
        async with process(office, log) as first, process(office, log):
            messages = [await office.ana.say(office.help_, office.unsure(i % 3)) for i in range(20)]
            await office.slack.until(posted(office), 20)
            first.send_signal(signal.SIGKILL)
            await office.slack.until(lambda: len(office.cards()) >= 40, 60)
            await office.slack.until(lambda: office.slack.in_flight == 0, 20)
            await asyncio.sleep(1)
    assert sorted(card.thread_ts for card in office.cards("thread")) == [m.ts for m in messages]
    assert set(places(office).values()) == {1}


async def test_sigterm_ends_within_ten_seconds_and_leaves_nothing_leased(new_office, tmp_path):
    office = new_office()
    with (tmp_path / "log").open("wb") as log:
        async with process(office, log) as first:
            for i in range(10):
                await office.ana.say(office.help_, office.unsure(i % 3))
            await office.slack.until(posted(office), 20)
            first.send_signal(signal.SIGTERM)
            async with asyncio.timeout(10):
                assert await first.wait() == 0
        # Nothing has to wait for a lease to run out.
        async with process(office, log):
            await office.slack.until(lambda: len(office.cards()) >= 20, 10)
    assert set(places(office).values()) == {1}


async def test_a_decision_survives_the_process_that_took_it(new_office, tmp_path):
    office = new_office()
    with (tmp_path / "log").open("wb") as log:
        async with process(office, log) as first:
            message = await office.ana.say(office.help_, office.unsure())
            review = await office.card("review")
            assert await office.rita.click(review, "review_confirm")
            first.send_signal(signal.SIGKILL)
            await first.wait()
        async with process(office, log):
            await office.slack.until(lambda: not review.find("review_confirm"), 60)
            await office.slack.until(lambda: len(office.slack.thread(message)) >= 2, 60)
            await asyncio.sleep(1)
    notices = [m for m in office.slack.thread(message) if m not in office.cards()]
    assert len(notices) == 1
    assert office.rita.id in str(review.blocks)
    assert set(places(office).values()) == {1}
