"""Faults that an attack on the bot found, each as the test that would have found it."""

import asyncio
import json
import sqlite3
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from unittest.mock import create_autospec

import httpx
import pytest

from slackbot.delivery import MAX_ATTEMPTS
from slackbot.desk import Step
from slackbot.slack_calls import find_own_message, web_client
from storage import deliveries, inbox
from storage.records import Action, NewInboxItem
from tests.slackbot.signing import signed
from tests.waiting import until


async def post(office, payload):
    """An event as Slack would send it, in whatever order and with whatever fields."""
    body = json.dumps(
        {"type": "event_callback", "team_id": office.slack.team_id} | payload
    ).encode()
    async with httpx.AsyncClient() as client:
        answer = await client.post(
            f"http://127.0.0.1:{office.port}/slack/events",
            content=body,
            headers=signed(office.slack.signing_secret, body),
        )
    return answer.status_code


def written(office, text, ts="5.000001"):
    event = {"type": "message", "channel": office.help_.id, "user": office.ana.id, "ts": ts}
    return {"event": event | {"channel_type": "channel", "text": text}}


def edited(office, text, when, ts="5.000001"):
    message = {"type": "message", "user": office.ana.id, "text": text, "ts": ts}
    message["edited"] = {"user": office.ana.id, "ts": when}
    event = {"type": "message", "subtype": "message_changed", "channel": office.help_.id}
    return {"event": event | {"channel_type": "channel", "ts": when, "message": message}}


def deleted(office, ts="5.000001"):
    event = {"type": "message", "subtype": "message_deleted", "channel": office.help_.id}
    return {"event": event | {"channel_type": "channel", "ts": "9.1", "deleted_ts": ts}}


def tickets_shown(office):
    return {card.metadata["event_payload"]["ticket"] for card in office.cards()}


async def test_a_deletion_that_overtakes_its_message_is_not_forgotten(new_office):
    async with new_office("http").open() as office:
        await post(office, deleted(office))
        await office.settled()
        await post(office, written(office, office.unsure()))
        await office.settled()
        assert office.cards() == []


async def test_of_two_edits_in_the_wrong_order_the_later_one_stays(new_office):
    async with new_office("http").open() as office:
        office.slack.workspace.channels[office.help_.id]
        await post(office, written(office, office.unsure()))
        await office.settled()
        for text, when in ((office.unsure(2), "8.0"), (office.unsure(1), "7.0")):
            await post(office, edited(office, text, when))
            await office.settled()
        history = await office.bot.desk.history(office.slack.team_id, "T-1")
        assert history.ticket.text == office.unsure(2)


async def test_in_a_shared_channel_a_partners_message_is_a_ticket_of_ours(new_office):
    async with new_office("http").open() as office:
        ours = {"team_id": office.slack.team_id, "user_id": office.slack.bot_user_id}
        payload = written(office, office.unsure()) | {"authorizations": [ours]}
        await post(office, payload | {"team_id": "TPARTNER"})
        review = await office.card("review")
        await office.rita.click(review, "review_confirm")
        await office.slack.until(lambda: not review.find("review_confirm"))
        history = await office.bot.desk.history(office.slack.team_id, "T-1")
        assert [step.action for step in history.steps] == [Action.CONFIRM]


async def test_what_answers_a_message_that_is_gone_is_taken_back_once_and_for_all(new_office):
    async with new_office("http").open() as office:
        office.slack.faults.limit("chat.delete", times=1)
        await post(office, written(office, office.sure()))  # no such message stands in the channel
        await office.slack.until(lambda: not office.slack.messages(office.help_), 15)
        await office.settled()
        office.slack.calls.clear()
        await office.bot.desk.settle(
            office.slack.team_id, Step("T-1", Action.CLAIM, office.rita.id)
        )
        await office.settled()
        in_help = [c for c in office.slack.calls if c.args.get("channel") == office.help_.id]
        posts = [
            call
            for call in in_help
            if call.method == "chat.postMessage" and call.args.get("metadata")
        ]
        assert not any("autoticket_ticket" in str(call.args["metadata"]) for call in posts)
        assert office.slack.messages(office.help_) == []


async def test_the_bot_never_files_its_own_cards(new_office):
    async with new_office().open() as office:
        await office.ana.say(office.help_, office.unsure())
        review = await office.card("review")
        await office.rita.shortcut("file_ticket", review)
        await office.rita.say(office.review, f"<@{office.slack.bot_user_id}>", thread=review)
        await office.settled()
        assert tickets_shown(office) == {"T-1"}


@pytest.mark.parametrize("number", ["T-abc", "T-", "#x"])
async def test_garbage_for_a_ticket_number_is_no_ticket(new_office, number):
    async with new_office().open() as office:
        await office.ana.command("/ticket", f"status {number}", channel=office.random)
        await office.slack.until(lambda: office.slack.ephemerals(office.ana))
        assert "I know no ticket" in office.slack.ephemerals(office.ana)[0].text
        assert office.cards() == []


async def test_a_ticket_is_told_to_its_reporter_and_reviewers_only(new_office):
    async with new_office().open() as office:
        await office.ana.command("/ticket", office.unsure(), channel=office.random)
        await office.card("thread")
        assert (
            office.unsure()[:20]
            in (await office.rita.command("/ticket", "status T-1", channel=office.random)).shown
        )
        for nosy in (office.ben, office.gus):
            await nosy.command("/ticket", "status T-1", channel=office.random)
            await office.slack.until(lambda n=nosy: office.slack.ephemerals(n))
            assert "I know no ticket" in office.slack.ephemerals(nosy)[0].text


async def test_rate_limits_do_not_use_up_the_attempts(new_office):
    async with new_office().open() as office:
        office.slack.faults.limit("chat.postMessage", times=MAX_ATTEMPTS + 3, retry_after=0)
        office.slack.faults.fail("chat.postMessage", times=1)
        await office.ana.say(office.help_, office.sure())
        await office.card("thread", within=20)
        async with office.bot.desk.database.read() as conn:
            assert await deliveries.dead(conn, 10) == []


async def test_a_rate_limit_does_not_begin_a_search_anew(new_office, slack):
    office = new_office()
    for number in range(500):
        await office.ana.say(office.random, str(number))
    client = web_client(slack.bot_token, slack.api_url)
    page, pages = client.conversations_history, []

    async def limited_at_every_other_page(**window):
        pages.append(window.get("cursor"))
        if len(pages) % 2 == 0:
            slack.faults.limit("conversations.history", retry_after=0)
        return await page(**window)

    client.conversations_history = limited_at_every_other_page
    place = {"channel": office.random.id, "thread_ts": None, "oldest": "0"}
    assert await find_own_message(client, **place, metadata={"event_type": "never"}) is None
    assert len(pages) == 5  # three pages, two of them asked for twice


@pytest.mark.parametrize("method", ["chat.postMessage", "conversations.history"])
async def test_whoever_asks_for_eternal_patience_stops_nobody_else(new_office, method):
    async with new_office().open() as office:
        office.slack.faults.limit(method, times=1, retry_after=10**15)
        message = await office.ana.say(office.random, office.sure())
        await office.ben.react(message, "ticket")
        await office.slack.until(lambda: method in {call.method for call in office.slack.calls})
        await office.ben.say(office.help_, office.sure(1))
        await office.slack.until(lambda: office.cards("thread"))
        assert {card.channel for card in office.cards("thread")} == {office.help_.id}


@pytest.mark.parametrize("answer", [{"messages": "none"}, {"messages": [None]}])
async def test_an_answer_of_no_known_shape_stops_nobody_else(new_office, monkeypatch, answer):
    async with new_office().open() as office:
        client = (await office.bot.workspaces.of(office.slack.team_id)).client
        history = create_autospec(client.conversations_history, return_value=answer)
        monkeypatch.setattr(client, "conversations_history", history)
        message = await office.ana.say(office.random, office.sure())
        await office.ben.react(message, "ticket")
        await until(lambda: history.called, what="the message was asked for")
        await office.ben.say(office.help_, office.sure(1))
        await office.card("thread")
        monkeypatch.undo()
        await office.slack.until(lambda: len(office.cards("thread")) == 2)


async def test_a_payload_of_another_version_is_kept_and_stops_nobody_else(new_office):
    async with new_office().open() as office:
        newer = {"team": office.slack.team_id, "key": "1", "kind": "message", "correlation": "c"}
        item = NewInboxItem(**newer, payload={"kind": "message", "mood": "gloomy"})
        async with office.bot.desk.database.write() as conn:
            await inbox.record(conn, [item], datetime.now(UTC))
        await office.ana.say(office.help_, office.sure())
        await office.card("thread")
        async with office.bot.desk.database.read() as conn:
            assert (await inbox.depth(conn)).waiting == 1


async def test_where_no_card_can_be_posted_the_reporters_offers_the_buttons(new_office):
    office = new_office(AUTOTICKET_REVIEW_CHANNEL="", AUTOTICKET_QUEUE_CHANNELS="")
    secret = office.slack.add_channel("secret", private=True, bot=False)
    async with office.open():
        await office.ana.command("/ticket", office.unsure(), channel=secret)
        own = await office.card("thread")
        await office.settled()
        assert own.find("review_confirm")
        assert office.cards() == [own]


async def test_a_ticket_that_moves_on_leaves_one_card_in_the_review_channel(new_office):
    async with new_office().open() as office:
        await office.ana.say(office.help_, office.unsure())
        review = await office.card("review")
        await office.rita.choose(review, "review_reassign", "Hardware")
        queue = await office.card("queue")
        await office.rita.choose(queue, "review_reassign", "Access")
        await office.settled()
        assert len([card for card in office.cards() if card.channel == office.review.id]) == 1


@pytest.mark.parametrize("slow", ["chat.postMessage", "conversations.history"])
async def test_one_slow_call_delays_nobody_elses_answer(new_office, slow):
    async with new_office().open() as office:
        message = await office.ana.say(office.random, office.sure())
        office.slack.faults.slow(slow, 4, times=1)
        await office.ben.react(message, "ticket")
        await asyncio.sleep(0.3)
        begin = time.monotonic()
        await office.ben.command("/ticket", office.sure(1), channel=office.random)
        await office.slack.until(lambda: office.slack.ephemerals(office.ben), 20)
        assert time.monotonic() - begin < 2


async def test_a_reaction_that_was_given_up_can_be_repeated(new_office):
    async with new_office().open() as office:
        message = await office.ana.say(office.random, office.sure())
        office.slack.faults.fail("conversations.history", status=200, error="missing_scope")
        await office.ben.react(message, "ticket")
        await office.settled()
        assert office.cards() == []
        await office.rita.react(message, "ticket")
        await office.card("thread")


async def test_retention_is_for_closed_tickets(new_office):
    async with new_office(AUTOTICKET_RETENTION_DAYS="1").open() as office:
        for number in range(2):
            await office.ana.say(office.help_, office.unsure(number))
        await office.slack.until(lambda: len(office.cards("review")) == 2)
        first = next(c for c in office.cards("review") if "T-1" in c.text)
        await office.rita.click(first, "review_dismiss")
        await office.settled()
        await office.bot.housekeeping.tidy(datetime.now(UTC) + timedelta(days=3))
        shown = [await office.bot.desk.history(office.slack.team_id, n) for n in ("T-1", "T-2")]
        assert [history.ticket.text for history in shown] == ["", office.unsure(1)]


async def test_a_partner_is_no_reviewer_and_a_lost_group_locks_out_nobody(new_office):
    office = new_office()
    partner = office.slack.add_user("partner")
    stranger = replace(partner.account, team_id="TPARTNER")
    office.slack.workspace.users[partner.id] = stranger
    office.env["AUTOTICKET_REVIEWERS"] += f",{partner.id},S00000GONE"
    async with office.open():
        reviewers = (await office.bot.workspaces.of(office.slack.team_id)).reviewers
        assert not await reviewers.includes(partner.id)
        assert await reviewers.includes(office.rita.id)


async def test_a_lost_card_is_posted_anew(new_office):
    async with new_office().open() as office:
        await office.ana.say(office.help_, office.unsure())
        review = await office.card("review")
        await office.settled()
        office.slack.workspace.delete(review, review.user)
        await office.bot.desk.settle(
            office.slack.team_id, Step("T-1", Action.CONFIRM, office.rita.id, queue="Storage")
        )
        await office.settled()
        assert len(office.cards("review")) == 1
        assert office.rita.id in str(office.cards("review")[0].blocks)


async def test_a_card_that_was_posted_unseen_is_not_left_behind_by_a_move(new_office):
    office = new_office()
    office.env["AUTOTICKET_QUEUE_CHANNELS"] += f",Storage={office.random.id}"
    async with office.open():
        await office.ana.say(office.help_, office.unsure())
        review = await office.card("review")
        await office.settled()
        office.slack.faults.drop("chat.postMessage", times=2, after=True)
        await office.rita.choose(review, "review_reassign", "Hardware")
        await office.card("queue")
        await office.bot.desk.settle(
            office.slack.team_id, Step("T-1", Action.REASSIGN, office.rita.id, queue="Storage")
        )
        await office.slack.until(lambda: office.cards("queue")[-1].channel == office.random.id, 15)
        await office.settled()
        assert [card.channel for card in office.cards("queue")] == [office.random.id]


async def test_a_locked_database_is_told_in_time_and_nothing_is_filed_later(new_office, tmp_path):
    async with new_office().open() as office:
        await office.ana.say(office.help_, office.sure())
        await office.settled()
        other = sqlite3.connect(
            tmp_path / "autoticket.db", isolation_level=None, check_same_thread=False
        )
        # On a thread: a transaction of the bot's that is under way must be able to end.
        await asyncio.to_thread(other.execute, "BEGIN IMMEDIATE")
        answer = await office.ben.command("/ticket", office.sure(1), channel=office.random)
        assert "could not be recorded" in answer.text
        other.execute("ROLLBACK")
        other.close()
        await office.settled()
        assert tickets_shown(office) <= {"T-1"}


async def test_a_priority_does_not_freeze_the_text_of_an_undecided_ticket(new_office):
    async with new_office().open() as office:
        message = await office.ana.say(office.help_, office.unsure())
        review = await office.card("review")
        await office.rita.choose(review, "review_priority", "P1")
        await office.settled()
        await office.ana.edit(message, office.unsure(1))
        await office.settled()
        ticket = (await office.bot.desk.history(office.slack.team_id, "T-1")).ticket
        assert (ticket.text, ticket.priority) == (office.unsure(1), "P1")


async def test_a_star_leaves_the_staffs_own_channels_alone(new_office):
    async with new_office(AUTOTICKET_TRIAGE_CHANNELS="*").open() as office:
        await office.rita.say(office.review, office.sure())
        await office.rita.say(office.hardware, office.sure(1))
        await office.settled()
        assert office.cards() == []
        await office.ana.say(office.random, office.sure())
        await office.card("thread")


@pytest.mark.parametrize("body", ["{", "[1]", "null", '"x"'])
async def test_a_malformed_body_is_refused_without_a_crash(new_office, body):
    async with new_office("http").open() as office, httpx.AsyncClient() as client:
        url = f"http://127.0.0.1:{office.port}/slack/events"
        unsigned = await client.post(url, content=body)
        signed_ = await client.post(
            url, content=body, headers=signed(office.slack.signing_secret, body.encode())
        )
        assert 400 <= unsigned.status_code < 500
        assert signed_.status_code < 500
