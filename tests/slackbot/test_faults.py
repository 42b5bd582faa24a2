"""Many faults at once, and a database that takes nothing: late, but nothing lost or doubled."""

import asyncio
import collections
import sqlite3

import pytest
import yaml
from sqlalchemy import event

from slackbot import delivery
from slackbot.playground import Playground


@pytest.fixture
async def slack(root):
    """A Slack that sends again for as long as a fault of these tests lasts."""
    manifest = yaml.safe_load((root / "manifest.yml").read_text(encoding="utf-8"))
    async with Playground(manifest=manifest, pace=False, retry_delays=(0.2, 0.5, 1, 2, 4)) as slack:
        yield slack


def not_taken(office):
    return any(attempt.failure for sent in office.slack.deliveries for attempt in sent.attempts)


def one_card_for_each(office, messages):
    shown = collections.Counter(card.thread_ts for card in office.cards("thread"))
    assert shown == {message.ts: 1 for message in messages}


async def test_a_storm_of_faults_doubles_and_loses_nothing(new_office, monkeypatch):
    monkeypatch.setattr(delivery, "backoff_s", lambda *_: 0.05)
    async with new_office().open() as office:
        faults = office.slack.faults
        for method in ("chat.postMessage", "conversations.replies", "conversations.history"):
            faults.drop(method, after=True, times=9, probability=0.2)
            faults.drop(method, after=False, times=9, probability=0.2)
            faults.fail(method, times=9, probability=0.2)
            faults.slow(method, 0.2, times=9, probability=0.2)
        faults.limit("chat.postMessage", times=2, probability=0.2)
        faults.repeat("message", 4, times=6, probability=0.5)
        messages = [await office.ana.say(office.help_, office.unsure(n % 3)) for n in range(12)]
        await office.slack.until(lambda: len(office.cards()) >= 24, 60)
        await office.settled()
        one_card_for_each(office, messages)
        assert len(office.cards("review")) == 12


async def test_on_a_full_disk_nothing_is_acknowledged_and_all_is_filed_later(new_office, mode):
    async with new_office(mode).open() as office:
        engine = office.bot.desk.database._engine.sync_engine
        pages = 1  # SQLite makes of this as many as there are

        @event.listens_for(engine, "checkout")
        def _(connection, *_):
            connection.cursor().execute(f"PRAGMA max_page_count = {pages}")

        long = f"{office.sure()}\n{'and it is not getting any better ' * 80}"
        messages = [await office.ana.say(office.help_, long) for _ in range(8)]
        await office.slack.until(lambda: not_taken(office), 10)
        pages = 1_000_000
        await office.slack.until(lambda: len(office.cards("thread")) == 8, 30)
        await office.settled()
        one_card_for_each(office, messages)


async def test_a_locked_database_is_not_acknowledged_and_all_is_filed_later(
    new_office, mode, tmp_path
):
    async with new_office(mode).open() as office:
        other = sqlite3.connect(
            tmp_path / "autoticket.db", isolation_level=None, check_same_thread=False
        )
        await asyncio.to_thread(other.execute, "BEGIN IMMEDIATE")  # the bot may be writing
        messages = [await office.ana.say(office.help_, office.sure()) for _ in range(4)]
        await office.slack.until(lambda: not_taken(office), 10)
        assert office.cards() == []
        other.execute("ROLLBACK")
        other.close()
        await office.slack.until(lambda: len(office.cards("thread")) == 4, 30)
        await office.settled()
        await asyncio.sleep(0.1)
        one_card_for_each(office, messages)
