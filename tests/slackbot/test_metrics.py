import asyncio
import contextlib
import sqlite3
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from slackbot.metrics import CONTENT_TYPE, Metrics, Snapshot
from storage.records import Action, QueueDepth
from tests.slackbot.serving import listening, serving
from tests.storage.examples import file_ticket, predict
from tests.waiting import until

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def parsed(text):
    """Every sample by its name and its labels' values, these in the order of the labels' names."""
    return {
        (sample.name.removeprefix("autoticket_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def scraped(port):
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"http://127.0.0.1:{port}/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == CONTENT_TYPE
    return parsed(answer.text)


def of_kind(samples, name):
    """What was counted above zero, by the values of its labels."""
    return {
        labels: value
        for (kind, *rest), value in samples.items()
        for labels in [tuple(rest)]
        if kind == name and value
    }


@pytest.mark.parametrize("mode", ["socket", "http"])
async def test_the_whole_way_is_counted(new_office, mode, classifier):
    async with new_office(mode).open() as office:
        await office.ana.say(office.help_, office.sure())
        await office.ana.say(office.help_, office.unsure())
        await office.ana.say(office.help_, office.chat())
        await office.ana.command("/ticket", office.sure(1), channel=office.random)
        review = await office.card("review", containing=office.unsure())
        await office.rita.click(review, "review_confirm")
        await office.settled()
        samples = await scraped(office.port)
    said = {text: classifier.classify([text])[0] for text in (office.sure(), office.unsure())}
    filed = classifier.classify([office.sure(1)], filed=True)[0]
    assert of_kind(samples, "tickets_total") == {
        ("auto", said[office.sure()].queue_label, "message"): 1,
        ("review", said[office.unsure()].queue_label, "message"): 1,
        ("ignore", "none", "message"): 1,
        (filed.decision.value, filed.queue_label, "command"): 1,
    }
    assert of_kind(samples, "payloads_total") == {("new",): 4}
    assert of_kind(samples, "reviews_total") == {("confirm",): 1}
    assert set(of_kind(samples, "slack_calls_total")) == {("ok",)}
    assert of_kind(samples, "model_info") == {(classifier.version,): 1}
    assert set(of_kind(samples, "up")) == {("model",), ("database",), ("slack",)}
    assert samples["intake_seconds_count",] == 4
    assert 1 <= samples["classify_seconds_count",] <= 4
    assert samples["confidence_count",] == 3
    assert samples["end_to_end_seconds_count",] == len(office.cards())
    assert 0 < samples["end_to_end_seconds_sum",] < 60
    assert samples["backlog", "inbox", "waiting"] == 0


async def test_calls_are_counted_by_what_to_do_about_them(new_office, classifier):
    nowhere = ",".join(f"{queue}=CNOWHERE" for queue in classifier.queues)
    async with new_office(AUTOTICKET_QUEUE_CHANNELS=nowhere).open() as office:
        office.slack.faults.limit("chat.postMessage", times=1, retry_after=0.1)
        office.slack.faults.fail("chat.postMessage", times=2, status=503)
        await office.ana.say(office.help_, office.sure())
        await office.settled()
        # Bolt's copies of the client count too.
        office.slack.faults.fail("views.open", status=200, error="expired_trigger_id")
        await office.ana.command("/ticket", channel=office.random)
        samples = await scraped(office.port)
    calls = of_kind(samples, "slack_calls_total")
    assert calls.pop(("ok",)) > 0
    assert calls == {("rate_limited",): 1, ("unknown",): 2, ("refused",): 2}
    assert samples["backlog", "outbox", "dead"] == 1


@pytest.mark.parametrize("held_by", ["this_process", "another_one"])
async def test_a_repeated_and_a_refused_payload_are_told_apart(new_office, tmp_path, held_by):
    async with new_office("http").open() as office:
        office.slack.faults.repeat("message", 2)
        await office.ana.say(office.help_, office.sure())
        await office.settled()
        writing = {
            "this_process": office.bot.desk.database.write,
            "another_one": lambda: _locked(tmp_path / "autoticket.db"),
        }
        async with writing[held_by]():
            await office.ana.say(office.help_, office.sure(1))

            async def one_failed():
                samples = await scraped(office.port)
                return samples if samples["payloads_total", "failed"] else None

            samples = await until(one_failed)
    assert samples["payloads_total", "new"] == 1
    assert samples["payloads_total", "repeated"] == 1


@contextlib.asynccontextmanager
async def _locked(path):
    with contextlib.closing(sqlite3.connect(path, check_same_thread=False)) as other:
        await asyncio.to_thread(other.execute, "BEGIN IMMEDIATE")
        yield


async def test_a_database_that_hangs_costs_a_scrape_only_its_own_figures(new_office, monkeypatch):
    monkeypatch.setattr("slackbot.bot.SNAPSHOT_S", 0.2)
    async with new_office().open() as office:
        async with contextlib.AsyncExitStack() as held:
            size = office.bot.desk.database._engine.pool.size()
            for _ in range(size):  # all that there are, so that the next one waits 30 s
                await held.enter_async_context(office.bot.desk.database.read())
            started = time.monotonic()
            samples = await scraped(office.port)
            assert time.monotonic() - started < 2
        assert samples["up", "database"] == 0
        assert samples["up", "slack"] == 1
        assert not [key for key in samples if key[0].startswith("backlog")]
        assert samples["payloads_total", "new"] == 0
        samples = await scraped(office.port)
        assert samples["up", "database"] == 1
        assert samples["backlog", "outbox", "dead"] == 0


async def test_a_bot_that_is_starting_says_so(new_office):
    office = new_office()
    office.slack.faults.fail("auth.test", times=3, status=503)
    async with serving(office.env, listening) as front:
        samples = await scraped(front.port)
    assert {samples["up", part] for part in ("model", "database", "slack")} == {0}


async def test_drift_is_measured_beside_scrapes_and_not_in_them(new_office, monkeypatch):
    async with new_office().open() as office:
        bot, database = office.bot, office.bot.desk.database
        async with database.write() as conn:
            ticket = await file_ticket(conn)
            for days, queue, reason, n in (
                (20, "Hardware", "confident", 30),
                (20, "Access", "low_confidence", 10),
                (2, "Access", "low_confidence", 24),
                (2, "Storage", "confident", 16),
            ):
                when = datetime.now(UTC) - timedelta(days=days)
                for _ in range(n):
                    await predict(conn, ticket.id, queue=queue, reason=reason, now=when)
        await bot.drift.measure(datetime.now(UTC))
        monkeypatch.setattr("slackbot.drift.drift_now", None)  # whoever asks now would fail
        samples = await scraped(office.port)
    assert samples["drift_psi",] > 1
    assert 0 < samples["drift_by_chance",] < samples["drift_psi",]
    assert samples["low_confidence_share", "recent"] == 0.6
    assert samples["low_confidence_share", "before"] == 0.25


async def test_without_texts_to_compare_there_is_no_drift(new_office):
    async with new_office().open() as office:
        await office.bot.drift.measure(datetime.now(UTC))
        samples = await scraped(office.port)
    assert ("drift_psi",) not in samples


def test_a_backlog_is_shown_with_its_age():
    waiting = QueueDepth(waiting=3, leased=2, dead=1, oldest_waiting=NOW - timedelta(seconds=90))
    empty = QueueDepth(waiting=0, leased=0, dead=0, oldest_waiting=None)
    snapshot = Snapshot(at=NOW, up={}, depths={"inbox": waiting, "outbox": empty})
    samples = parsed(Metrics().exposition(snapshot).decode())
    assert of_kind(samples, "backlog") == {
        ("inbox", "waiting"): 3,
        ("inbox", "leased"): 2,
        ("inbox", "dead"): 1,
    }
    assert samples["backlog_oldest_seconds", "inbox"] == 90
    assert samples["backlog_oldest_seconds", "outbox"] == 0


def test_two_replicas_in_one_process_count_apart():
    one, other = Metrics(), Metrics()
    one.review(Action.CONFIRM)
    snapshot = Snapshot(at=NOW, up={})
    assert parsed(one.exposition(snapshot).decode())["reviews_total", "confirm"] == 1
    assert parsed(other.exposition(snapshot).decode())["reviews_total", "confirm"] == 0
