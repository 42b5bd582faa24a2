import asyncio
import csv
import io
import json
import os

import pytest
from click.testing import CliRunner

from core.decision import Decision
from slackbot.cli import main


@pytest.fixture
def unsure(texts, classifier):
    """A formula that the bot is unsure about, and a queue that it does not mean."""
    formulas = ["=cmd|' /C calc'!A0 " + text for text in texts[Decision.REVIEW]]
    pairs = zip(formulas, classifier.classify(formulas), strict=True)
    text, said = next(pair for pair in pairs if pair[1].decision is Decision.REVIEW)
    return text, next(queue for queue in classifier.queues if queue != said.queue_label)


@pytest.fixture
async def used(new_office, unsure, monkeypatch):
    """The database of an office in which one ticket was settled and one could not be shown."""
    text, queue = unsure
    office = new_office(AUTOTICKET_QUEUE_CHANNELS=f"{queue}=CNOWHERE")
    async with office.open():
        await office.ana.say(office.help_, text)
        review = await office.card("review")
        await office.rita.choose(review, "review_reassign", queue)
        await office.settled()
    monkeypatch.setenv("AUTOTICKET_DATABASE_URL", office.env["AUTOTICKET_DATABASE_URL"])
    return office


async def run(*arguments):
    """The command line has an event loop of its own."""
    return await asyncio.to_thread(CliRunner().invoke, main, list(arguments))


async def test_the_whole_record_is_exported(used, unsure, tmp_path):
    columns = {
        "tickets": "ticket team channel ts source reporter text state queue priority created_at",
        "predictions": "ticket model_version queue confidence probabilities threshold decision "
        "reason urgency impact priority created_at",
        "reviews": "ticket reviewer action queue_before queue_after created_at",
        "labels": "text queue source weight",
    }
    for dataset, names in columns.items():
        lines = (await run("export", dataset)).stdout.splitlines()
        assert [list(json.loads(line)) for line in lines] == [names.split()]
    [label] = [json.loads((await run("export", "labels")).stdout)]
    assert (label["queue"], label["source"]) == (unsure[1], "reassign")
    target = tmp_path / "tickets.csv"
    await run("export", "tickets", "--format", "csv", "--out", str(target))
    [row] = csv.DictReader(io.StringIO(target.read_text()))
    assert row["ticket"] == "T-1"
    assert row["text"].startswith("'=cmd")
    assert target.stat().st_mode & 0o777 == 0o600


async def test_an_export_is_there_completely_or_not_at_all(used, tmp_path, monkeypatch):
    def full_disk(_):
        raise OSError(28, "No space left on device")

    folder = tmp_path / "out"
    folder.mkdir()
    path = folder / "tickets.csv"
    path.write_text("of yesterday")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full_disk)
        failed = await run("export", "tickets", "--out", str(path))
    assert failed.exit_code == 2
    assert "No space left" in failed.stderr
    assert path.read_text() == "of yesterday"
    assert list(folder.iterdir()) == [path]
    os.mkfifo(folder / "pipe")
    for place in ("missing/tickets.csv", ".", "pipe"):
        failed = await run("export", "tickets", "--out", str(folder / place))
        assert failed.exit_code == 2
        assert str(folder / place) in failed.stderr
    assert (folder / "pipe").is_fifo()


async def test_forgetting_erases_the_text_and_keeps_the_counts(used, tmp_path):
    assert (await run("forget", "--ticket", "T-9")).stdout.startswith("the text of 0")
    assert (await run("forget", "--ticket", "nine")).exit_code == 2
    assert (await run("forget", "--user", used.ana.id)).stdout.startswith("the text of 1")
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("autoticket.db*"))
    assert b"=cmd" not in stored
    assert json.loads((await run("export", "tickets")).stdout)["text"] == ""
    assert (await run("export", "reviews")).stdout.count("reassign") == 1


async def test_what_was_given_up_is_listed_and_delivered_after_the_remedy(used):
    listed = (await run("outbox", "list")).stdout
    assert "CNOWHERE T-1 channel_not_found" in listed
    assert (await run("outbox", "retry")).stdout.startswith("1 put back")
    assert (await run("outbox", "list")).stdout.startswith("0 given up")
