"""`autoticket queues`: a look first, then one edit; bad input changes nothing."""

import json

import pytest
from click.testing import CliRunner

from slackbot.cli import main
from storage import tickets
from storage.records import Action, State
from tests.slackbot.commands_place import in_record, lay_out
from tests.storage.examples import file_ticket, predict, review


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a bundle and a record, as the settings name them."""
    lay_out(tmp_path, monkeypatch)
    monkeypatch.setenv("AUTOTICKET_QUEUE_CHANNELS", "Hardware=C1,Storage=C2")
    return tmp_path


@pytest.fixture
def record(place):
    """Two tickets in Hardware, one of them closed; one waits, and one was settled elsewhere."""

    async def fill(conn):
        for state in (State.ASSIGNED, State.RESOLVED, State.PENDING):
            queue = None if state is State.PENDING else "Hardware"
            ticket = await file_ticket(conn, f"C1:{state}", state=state, queue=queue)
            await predict(conn, ticket.id)
            if queue:
                await review(conn, ticket.id, Action.CONFIRM)
        other = await file_ticket(conn, "C1:other", state=State.ASSIGNED, queue="Access")
        await predict(conn, other.id, queue="Access")

    in_record(place, fill)
    return place


def queues(*arguments):
    return CliRunner().invoke(main, ["queues", *arguments])


def listed():
    return queues("list").stdout.split("\n")[:-1]


def test_a_look_changes_nothing_and_yes_does_it(record):
    said = queues("rename", "Hardware", "Devices")
    assert said.exit_code == 0, said.output
    assert said.stdout.splitlines() == [
        "Hardware -> Devices",
        "This touches 1 open and 1 waiting tickets, 2 answers of people, and 1 channel settings.",
        "Nothing has changed yet; the same with --yes does it.",
    ]
    assert listed() == ["Hardware", "Access", "Storage"]
    said = queues("rename", "Hardware", "Devices", "--yes")
    assert "Done" in said.stdout
    assert listed() == ["Devices", "Access", "Storage"]
    assert "Hardware -> Devices, by " in queues("list").stderr
    label = CliRunner().invoke(main, ["classify", "my laptop is broken", "--json"])
    assert json.loads(label.stdout)["queue_label"] == "Devices"

    async def where(conn):
        return [each.queue for each in await tickets.of_ids(conn, [1, 2, 3, 4])]

    assert in_record(record, where) == ["Devices", "Devices", None, "Access"]
    said = queues("rename", "Devices", "Hardware")  # it counts what was written before the edit
    assert "1 open and 1 waiting tickets, 2 answers of people, and 1 channel" in said.stdout


def test_merge_split_and_add(record):
    assert queues("merge", "Hardware", "Access", "Front desk", "--yes").exit_code == 0
    assert listed() == ["Front desk", "Storage"]
    assert queues("split", "Storage", "Storage", "Backups", "--yes").exit_code == 0
    assert queues("add", "Printers", "--yes").exit_code == 0
    assert listed() == ["Front desk", "Storage", "Backups", "Printers"]
    assert queues("merge", "Backups", "Storage", "--yes").exit_code == 0
    assert listed() == ["Front desk", "Storage", "Printers"]


def test_there_and_back_again(record):
    for old, new in (("Hardware", "X"), ("Access", "Hardware"), ("X", "Access")):
        assert queues("rename", old, new, "--yes").exit_code == 0
    assert listed() == ["Access", "Hardware", "Storage"]
    label = CliRunner().invoke(main, ["classify", "my laptop is broken", "--json"])
    assert json.loads(label.stdout)["queue_label"] == "Access"


@pytest.mark.parametrize(
    "arguments",
    [
        ("rename", "Nope", "X"),
        ("rename", "Hardware", "access"),
        ("rename", "Hardware", "  "),
        ("rename", "Hardware", "REVIEW_QUEUE"),
        ("merge", "Hardware", "Hardware"),
        ("split", "Hardware", "X"),
        ("add", "x" * 76),
    ],
)
def test_what_cannot_be_done_is_one_line_and_changes_nothing(record, arguments):
    said = queues(*arguments, "--yes")
    assert (said.exit_code, said.stderr.count("\n"), said.stdout) == (2, 1, "")
    assert listed() == ["Hardware", "Access", "Storage"]
    assert queues("list").stderr == ""


def test_without_a_record_there_is_nothing_to_look_at(place):
    assert listed() == ["Hardware", "Access", "Storage"]
    said = queues("rename", "Hardware", "Devices")
    assert (said.exit_code, said.stderr.count("\n")) == (2, 1)
    assert not (place / "record.db").exists()
