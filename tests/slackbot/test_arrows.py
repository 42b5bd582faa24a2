"""SIGKILL at every arrow of a message's way: one ticket, one card a place, whatever dies when."""

import asyncio
import collections
import contextlib
import json
import os
import signal
import subprocess
import sys
from functools import partial

import pytest
import yaml

from slackbot.playground import Playground
from slackbot.playground.errors import PlaygroundError
from storage import reviews
from storage.database import Database
from storage.records import Action
from tests.slackbot.mortal import ARROWS
from tests.slackbot.serving import nothing_under_way
from tests.waiting import until

ORDER = list(ARROWS)
FETCH = [arrow for arrow in ORDER if "fetched" in arrow]
COMMAND = [arrow for arrow in ORDER if "answer" in arrow]
CLICK = ORDER[ORDER.index("click received -> settled") :]
MESSAGE = [arrow for arrow in ORDER if arrow not in {*FETCH, *COMMAND, *CLICK}]


@pytest.fixture(scope="module")
def nursery(root):
    """Starts bots, each within a moment."""
    program = subprocess.Popen(
        [sys.executable, "-m", "tests.slackbot.mortal"],
        cwd=root,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert program.stdout.readline() == "ready\n"
    yield program
    program.stdin.close()
    program.wait(10)
    program.stdout.close()


@pytest.fixture
async def slack(root):
    """A Slack that sends again what nobody took while the next bot is starting."""
    manifest = yaml.safe_load((root / "manifest.yml").read_text(encoding="utf-8"))
    async with Playground(manifest=manifest, pace=False, retry_delays=(0.5, 1, 2, 4, 8)) as slack:
        yield slack


@pytest.fixture
def bot(nursery, tmp_path):
    """Runs a bot that serves an office, until the block ends or it dies."""

    @contextlib.asynccontextmanager
    async def running(office, dies_at=None):
        before = office.slack.socket.connections
        env = {"PATH": os.environ["PATH"], **office.env}
        order = {"env": env, "log": str(tmp_path / "log"), "dies_at": dies_at}
        nursery.stdin.write(json.dumps(order) + "\n")
        nursery.stdin.flush()
        process = int(await asyncio.to_thread(nursery.stdout.readline))
        try:
            await office.slack.until(lambda: office.slack.socket.connections > before, 30)
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
            await dead(office, process)

    return running


def lives(process):
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, 0)
        return True
    return False


async def dead(office, process):
    await until(lambda: not lives(process) and not office.slack.socket.connections, 60)


async def settled(office):
    """Wait until nothing is under way between Slack and the bot."""
    database = await Database.open(office.env["AUTOTICKET_DATABASE_URL"], migrate=False)
    try:
        here = partial(nothing_under_way, office.slack, database)
        await until(here, 60, "inbox and outbox are empty")
    finally:
        await database.close()


def places(office):
    """How many cards each ticket has at each place."""
    return collections.Counter(
        (card.metadata["event_payload"]["ticket"], card.metadata["event_payload"]["place"])
        for card in office.cards()
    )


@pytest.mark.parametrize("arrow", MESSAGE)
async def test_messages(new_office, bot, arrow):
    office = new_office()
    async with bot(office, dies_at=arrow) as process:
        messages = [await office.ana.say(office.help_, office.unsure(n)) for n in range(3)]
        await dead(office, process)
    async with bot(office):
        await settled(office)
    assert all(delivery.acknowledged for delivery in office.slack.deliveries)
    assert sorted(card.thread_ts for card in office.cards("thread")) == [m.ts for m in messages]
    assert len(office.cards("review")) == 3
    assert set(places(office).values()) == {1}


@pytest.mark.parametrize("arrow", FETCH)
async def test_a_message_that_somebody_points_at(new_office, bot, arrow):
    office = new_office()
    message = await office.ana.say(office.random, office.unsure())
    async with bot(office, dies_at=arrow) as process:
        await office.ben.react(message, "ticket")
        await dead(office, process)
    async with bot(office):
        await settled(office)
    assert [card.thread_ts for card in office.cards("thread")] == [message.ts]
    assert set(places(office).values()) == {1}


@pytest.mark.parametrize("arrow", COMMAND)
async def test_a_command(new_office, bot, arrow):
    office = new_office()
    async with bot(office, dies_at=arrow) as process:
        await office.ana.command("/ticket", office.unsure(), channel=office.random)
        await dead(office, process)
    async with bot(office):
        await settled(office)
    assert len(office.cards("review")) == 1
    assert set(places(office).values()) == {1}
    assert "T-1" in str([told.blocks for told in office.slack.ephemerals(office.ana)])


@pytest.mark.parametrize("arrow", CLICK)
async def test_a_click(new_office, bot, arrow):
    office = new_office()
    async with bot(office, dies_at=arrow) as process:
        message = await office.ana.say(office.help_, office.unsure())
        review = await office.card("review", within=20)
        await settled(office)
        with contextlib.suppress(PlaygroundError):  # nobody is there to acknowledge it
            await office.rita.click(review, "review_confirm")
        await dead(office, process)
    async with bot(office):
        await settled(office)
        if review.find("review_confirm"):  # not acknowledged: it has not happened
            assert arrow in ("click received -> settled", "settled -> committed")
            assert await office.rita.click(review, "review_confirm")
            await settled(office)
    assert not review.find("review_confirm")
    assert set(places(office).values()) == {1}
    assert len([m for m in office.slack.thread(message) if m not in office.cards()]) == 1
    database = await Database.open(office.env["AUTOTICKET_DATABASE_URL"], migrate=False)
    async with database.read() as conn:
        steps = await reviews.of_tickets(conn, [1])
    await database.close()
    assert [step.action for step in steps] == [Action.CONFIRM]
