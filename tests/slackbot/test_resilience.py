"""What was acknowledged ends as one ticket and one card a place, whatever fails between."""

import asyncio
import gc
import random
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.decision import Decision
from slackbot.delivery import MAX_ATTEMPTS, backoff_s
from slackbot.intake import Intake, Kind
from storage import deliveries, inbox, tickets
from storage.database import Database
from storage.errors import DatabaseUnavailable
from storage.records import NewInboxItem


@pytest.mark.parametrize("method", ["chat.postMessage", "chat.update"])
@pytest.mark.parametrize("fault", ["limit", "fail", "drop"])
async def test_a_call_that_fails_is_made_once_more_and_has_one_effect(new_office, method, fault):
    async with new_office().open() as office:
        office.bot.deliverer.rng = random.Random(0)
        getattr(office.slack.faults, fault)(method, times=2)
        await office.ana.say(office.help_, office.unsure())
        review = await office.card("review", within=15)
        await office.card("thread", within=15)
        await office.rita.click(review, "review_confirm")
        await office.slack.until(lambda: not review.find("review_confirm"), 15)
        await office.settled()
        places = sorted(card.metadata["event_payload"]["place"] for card in office.cards())
        assert places == sorted(set(places))


async def test_an_event_that_comes_four_times_at_once_is_one_ticket(new_office, mode):
    async with new_office(mode).open() as office:
        office.slack.faults.repeat("message", 4)
        await office.ana.say(office.help_, office.sure())
        await office.card("thread")
        await office.settled()
        assert len(office.cards("thread")) == 1


async def test_an_edit_that_comes_with_its_message_is_recorded_with_it(new_office):
    async with new_office().open() as office:
        message = Intake(
            kind=Kind.MENTION,
            key=f"message:{office.random.id}:1.1",
            team=office.slack.team_id,
            channel=office.random.id,
            ts="1.1",
            user=office.ana.id,
            reporter=office.ana.id,
            text=office.sure(),
        )
        edit = replace(message, kind=Kind.EDIT, key="edit:1", only_if_known=True)
        stray = replace(edit, key="edit:2", ts="9.9")
        record = office.bot.desk.record
        known = await asyncio.gather(record(edit), record(message), record(stray))
        assert known == [True, True, False]


async def test_an_edit_right_after_the_shortcut_is_not_lost(new_office):
    async with new_office().open() as office:
        message = await office.ana.say(office.random, office.unsure())
        shortcut = Intake(
            kind=Kind.SHORTCUT,
            key="trigger:1",
            team=office.slack.team_id,
            channel=office.random.id,
            ts=message.ts,
            user=office.ben.id,
            reporter=office.ana.id,
            text=office.unsure(),
        )
        edit = replace(shortcut, kind=Kind.EDIT, key="edit:1", only_if_known=True)
        edit = replace(edit, text=office.unsure(1))
        record = office.bot.desk.record
        assert await asyncio.gather(record(edit), record(shortcut)) == [True, True]
        await office.settled()
        history = await office.bot.desk.history(office.slack.team_id, "T-1")
        assert (history.ticket.text, history.ticket.reporter) == (office.unsure(1), office.ana.id)


async def test_what_a_dead_process_left_behind_is_finished_by_the_next(new_office):
    office = new_office()
    async with office.open():
        pass
    long_ago = datetime.now(UTC) - timedelta(minutes=5)
    left = Intake(
        kind=Kind.COMMAND,
        key="trigger:left",
        team=office.slack.team_id,
        channel=office.help_.id,
        ts=None,
        user=office.ana.id,
        reporter=office.ana.id,
        text=office.sure(),
    )
    database = await Database.open(office.env["AUTOTICKET_DATABASE_URL"])
    async with database.write() as conn:
        item = NewInboxItem(
            team=left.team,
            key=left.key,
            kind=left.kind,
            payload=left.to_payload(),
            correlation="c",
        )
        assert await inbox.record(conn, [item], long_ago) == [True]
        assert await inbox.lease(conn, owner="dead", limit=9, now=long_ago, seconds=30)
    await database.close()
    async with office.open():
        await office.card("thread")
        await office.settled()


async def test_a_card_whose_answer_was_lost_in_a_crash_is_found_and_not_posted_again(new_office):
    office = new_office()
    async with office.open():
        office.slack.faults.drop("chat.postMessage", times=2, after=True)
        await office.ana.say(office.help_, office.unsure())
        await office.slack.until(lambda: len(office.cards()) == 2)
    async with office.open():
        await office.settled()
        review = await office.card("review")
        await office.rita.click(review, "review_confirm")
        await office.slack.until(lambda: not review.find("review_confirm"))
        await office.settled()
    places = sorted(card.metadata["event_payload"]["place"] for card in office.cards())
    assert places == sorted(set(places))


async def test_an_unreachable_channel_is_kept_for_the_operator_and_holds_up_nobody(new_office):
    async with new_office(AUTOTICKET_REVIEW_CHANNEL="CNOWHERE").open() as office:
        await office.ana.say(office.help_, office.unsure())
        await office.card("thread")
        await office.settled()
        async with office.bot.desk.database.read() as conn:
            [dead] = await deliveries.dead(conn, 10)
        assert dead.error == "channel_not_found"


async def test_a_card_under_a_deleted_message_is_taken_back(new_office):
    async with new_office().open() as office:
        office.slack.faults.limit("chat.postMessage", times=1, retry_after=1)
        message = await office.ana.say(office.random, f"<@{office.slack.bot_user_id}> hello there")
        office.slack.workspace.delete(message, office.ana.id)
        await office.settled()
        await asyncio.sleep(1.2)
        await office.settled()
        assert office.cards("thread") == []
        assert [m for m in office.slack.messages(office.random) if not m.deleted] == []


async def test_a_database_that_is_down_is_never_acknowledged(new_office, mode):
    async with new_office(mode).open() as office:
        desk = office.bot.desk
        working = desk.database.write

        def down():
            raise DatabaseUnavailable("the database is unavailable: disk full")

        desk.database.write = down
        try:
            message = await office.ana.say(office.help_, office.sure())
            answer = await office.ben.command("/ticket", office.sure(), channel=office.random)
            assert "could not be recorded" in answer.text
            await asyncio.sleep(0.02)
        finally:
            desk.database.write = working
        # Slack sends the message again; the command's sender was told to.
        own = await office.card("thread", within=15)
        assert own.thread_ts == message.ts


async def test_classifying_a_burst_does_not_block_the_event_loop(new_office):
    """The stall is what the loop's own thread computes between two turns.

    By the clock it would be a measure of whatever else this machine is doing.
    """
    async with new_office().open() as office:
        longest = 0.0
        done = False
        gc.freeze()  # what all the tests before have left is none of the bot's business

        async def watch():
            nonlocal longest
            while not done:
                before = time.thread_time()
                await asyncio.sleep(0.005)
                longest = max(longest, time.thread_time() - before)

        watching = asyncio.create_task(watch())
        texts = (office.texts[Decision.AUTO] * 100)[:100]
        for text in texts:
            await office.ana.say(office.help_, text)
        await office.slack.until(lambda: len(office.cards("thread")) == 100, 60)
        done = True
        await watching
        gc.unfreeze()
        await office.settled()
        async with office.bot.desk.database.read() as conn:
            assert (
                len(await tickets.of_reporter(conn, office.slack.team_id, office.ana.id, 200))
                == 100
            )
        assert longest < 0.4


def test_backoff_doubles_with_jitter_up_to_five_minutes():
    rng = random.Random(1)
    for attempts in range(1, 40):
        assert 0.5 <= backoff_s(attempts, rng) <= 300
    assert backoff_s(20, rng) >= 150


def test_a_call_is_given_up_after_half_an_hour_of_attempts():
    rng = random.Random(1)
    waits = [sum(backoff_s(n, rng) for n in range(1, MAX_ATTEMPTS)) for _ in range(100)]
    assert 28 * 60 < sum(waits) / len(waits) < 32 * 60
