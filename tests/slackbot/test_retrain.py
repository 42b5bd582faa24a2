"""`autoticket retrain` and `autoticket models`: on a real record, beside the version in force."""

import fcntl
import json
import os

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from sqlalchemy.exc import DBAPIError

from core.bundle import Bundle
from core.classifier import Classifier
from slackbot.cli import main
from storage import forget, settled
from storage.records import Action, State
from storage.schema import model_changes
from tests import tiny_bundle
from tests.slackbot.commands_place import in_record, lay_out
from tests.storage.examples import NOW, TEAM, file_ticket, review

SPLIT_TEXTS = ("the laptop of kaka", "the password of kaka", "the disk of kaka")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a bundle and a record, as the settings name them."""
    lay_out(tmp_path, monkeypatch)
    in_record(tmp_path, nothing)
    return tmp_path


async def nothing(conn):
    return None


def settle(place, queue, words, count, *, start=0):
    """File tickets and have a person say where they belong."""

    async def work(conn):
        for number in range(count):
            text = f"{words} {tiny_bundle.filler(500 + number)}"
            state = State.ASSIGNED if queue else State.DISMISSED
            key = f"{queue}:{start + number}"
            ticket = await file_ticket(conn, key, text=text, state=state, queue=queue)
            action = Action.REASSIGN if queue else Action.DISMISS
            await review(conn, ticket.id, action=action, queue_after=queue)

    in_record(place, work)


def run(*arguments):
    return CliRunner().invoke(main, list(arguments))


def versions(place):
    return sorted(p.name for p in (place / "models").iterdir() if not p.name.startswith("."))


def label(text):
    return json.loads(run("classify", text, "--json", "--filed").stdout)["queue_label"]


def test_learn_compare_promote_and_roll_back(place):
    settle(place, "Storage", "zebra zebra", 60)
    settle(place, "Access", "password", 20)
    result = run("retrain")
    assert result.exit_code == 0, result.output
    [new] = set(versions(place)) - {"default"}
    assert f"autoticket models promote {new}" in result.stdout
    assert "settled by people and held out" in result.stdout
    replay = json.loads((place / "models" / new / "replay.json").read_text())
    assert replay["candidate"] == new
    assert replay["sets"][0]["gain"]["value"] > 0
    assert Bundle.load(place / "models" / new).manifest.version == new
    assert label("zebra is broken") != "Storage"  # nothing changes before somebody says so

    assert "in force" in run("models", "promote", new).stdout
    assert label("zebra is broken") == "Storage"
    listed = run("models", "list").stdout
    assert [new in line for line in listed.splitlines() if "in force" in line] == [True]
    assert run("models", "promote", new).exit_code == 2
    assert "again" in run("models", "rollback").stdout
    assert label("zebra is broken") != "Storage"
    result = run("models", "rollback")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)


def test_answers_that_newer_ones_contradict_are_left_out_and_counted(place):
    settle(place, "Storage", "zebra zebra zebra", 40)
    settle(place, "Access", "zebra zebra zebra please", 40, start=100)
    result = run("retrain")
    assert result.exit_code == 0, result.output
    [new] = set(versions(place)) - {"default"}
    counted = json.loads((place / "models" / new / "replay.json").read_text())["contradicted"]
    assert 40 <= counted["answers"] < 50
    line = f"Left out {counted['answers']} older answers and {counted['base']} labels"
    assert line in result.stdout
    run("models", "promote", new)
    assert label("our zebra is broken") == "Access"


def test_a_second_generation_is_made_from_the_promoted_one(place):
    settle(place, "Storage", "zebra zebra", 30)
    settle(place, "Access", "password", 10)
    run("retrain")
    [first] = set(versions(place)) - {"default"}
    run("models", "promote", first)
    settle(place, "Hardware", "laptop", 10, start=50)
    assert run("retrain").exit_code == 0
    [second] = set(versions(place)) - {"default", first}
    notes = Bundle.load(place / "models" / second).manifest.notes
    assert notes["fitted again from"] == first
    run("models", "promote", second)
    run("models", "rollback")
    assert first in run("models", "rollback").stdout  # from the first back to the configured one


def test_what_was_forgotten_leaves_no_trace_in_the_next_version(place):
    settle(place, "Storage", "zebra zebra", 60)
    settle(place, "Access", "password", 20)

    async def forget_storage(conn):
        for each in await settled.everything(conn):
            if each.queue == "Storage":
                await settled.keep_vectors(conn, TEAM, "e", {each.ticket_id: b"v"})
                await forget.ticket(conn, team=TEAM, ticket_id=each.ticket_id)
        assert await settled.stand(conn, TEAM, "e") != (0, 0)
        assert (await settled.stand(conn, TEAM, "e"))[1] == 0

    settle(place, None, "lunch", 10)
    in_record(place, forget_storage)
    assert run("retrain").exit_code == 0
    [with_forgetting] = set(versions(place)) - {"default"}

    other = place / "other"
    other.mkdir()
    (place / "record.db").rename(place / "forgotten.db")
    for side in ("record.db-wal", "record.db-shm"):
        (place / side).unlink(missing_ok=True)
    settle(place, "Access", "password", 20)
    settle(place, None, "lunch", 10)
    bytes_of = {}
    for name in versions(place):
        bytes_of[name] = (place / "models" / name / "heads.joblib").read_bytes()
    # The same answers in a record that never held the forgotten ones make the same heads.
    (place / "models" / with_forgetting).rename(other / with_forgetting)
    assert run("retrain").exit_code == 0
    [never_known] = set(versions(place)) - {"default"}
    never = (place / "models" / never_known / "heads.joblib").read_bytes()
    assert never == bytes_of[with_forgetting]


def test_nobody_settled_anything(place):
    result = run("retrain")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "no person has settled" in result.stderr
    assert versions(place) == ["default"]


def test_one_answer_only(place):
    settle(place, "Storage", "disk", 5)
    result = run("retrain")
    assert result.exit_code == 2
    assert "all belong to 'Storage'" in result.stderr
    assert versions(place) == ["default"]


def test_a_bundle_without_its_texts(place):
    tiny_bundle.save(place / "models" / "default", keep_data=False)
    settle(place, "Storage", "disk", 5)
    settle(place, "Access", "password", 5)
    result = run("retrain")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "autoticket train" in result.stderr


def test_two_at_once(place):
    with (place / "models" / ".retrain.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = run("retrain")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "already" in result.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(place):
    (place / "models").chmod(0o555)
    try:
        result = run("retrain")
    finally:
        (place / "models").chmod(0o755)
    assert "cannot be written" in result.stderr


def test_there_is_no_record(place, monkeypatch):
    monkeypatch.setenv("AUTOTICKET_DATABASE_URL", f"sqlite:///{place / 'none.db'}")
    assert run("retrain").exit_code == 2
    assert label("laptop broken") == "Hardware"
    assert "in force" in run("models", "list").stdout
    assert not (place / "none.db").exists()


def test_a_version_that_is_not_there(place):
    result = run("models", "promote", "../../etc")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "no version '../../etc'" in result.stderr


def test_promotions_can_only_be_added(place):
    settle(place, "Storage", "zebra zebra", 20)
    settle(place, "Access", "password", 10)
    run("retrain")
    [new] = set(versions(place)) - {"default"}
    run("models", "promote", new)

    async def tamper(conn):
        await conn.execute(sa.update(model_changes).values(by="nobody"))

    with pytest.raises(DBAPIError, match="append-only"):
        in_record(place, tamper)


def test_the_promoted_version_is_gone(place):
    settle(place, "Storage", "zebra zebra", 20)
    settle(place, "Access", "password", 10)
    run("retrain")
    [new] = set(versions(place)) - {"default"}
    run("models", "promote", new)
    (place / "models" / new).rename(place / "elsewhere")
    result = run("classify", "laptop")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert f"no version {new!r}" in result.stderr
    assert run("classify", "laptop", "--model", str(place / "models" / "default")).exit_code == 0
    assert Classifier.load(place / "elsewhere").version == new
    assert NOW


def test_nothing_is_rolled_back_to_a_version_that_is_gone(place):
    settle(place, "Storage", "zebra zebra", 20)
    settle(place, "Access", "password", 10)
    run("retrain")
    [new] = set(versions(place)) - {"default"}
    run("models", "promote", new)
    before = Bundle.load(place / "models" / "default").manifest.version
    (place / "models" / "default").rename(place / "elsewhere")
    copy = place / "models" / new
    copy.rename(place / "models" / "default")  # so the configured one is the promoted one
    result = run("models", "rollback")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert f"no version {before!r}" in result.stderr
    assert "in force  " + new in run("models", "list").stdout


def test_a_split_queue_is_learned_from_what_people_settled_since(place):
    assert run("queues", "merge", "Hardware", "Access", "Desk", "--yes").exit_code == 0
    settle(place, "Desk", "laptop", 12)  # one of the two, and nobody will know which
    settle(place, "Storage", "disk", 12)
    assert run("queues", "split", "Desk", "Devices", "Rights", "--yes").exit_code == 0
    assert "queue_not_proven" in run("classify", "laptop printer", "--json").stdout
    settle(place, "Devices", "laptop", 30, start=100)
    settle(place, "Rights", "password", 30, start=200)
    assert run("retrain").exit_code == 0
    [new] = set(versions(place)) - {"default"}
    assert Bundle.load(place / "models" / new).manifest.queues == ("Devices", "Rights", "Storage")
    run("models", "promote", new)
    assert [label(text) for text in SPLIT_TEXTS] == ["Devices", "Rights", "Storage"]
    assert run("queues", "rename", "Devices", "Machines", "--yes").exit_code == 0
    assert [label(text) for text in SPLIT_TEXTS] == ["Machines", "Rights", "Storage"]
    run("models", "rollback")  # made before all of that, and carried through it
    assert label("the disk of kaka") == "Storage"
    assert label("the laptop of kaka") in ("Machines", "Rights")

    exported = [json.loads(line) for line in run("export", "labels").stdout.splitlines()]
    assert {row["queue"] for row in exported} == {"Machines", "Rights", "Storage"}
    assert len(exported) == 12 + 30 + 30  # what was in Desk says no more than "one of these"


def test_an_added_and_a_merged_queue_are_in_the_next_version(place):
    settle(place, "Storage", "disk", 20)
    settle(place, "Access", "password", 20)
    run("queues", "merge", "Storage", "Hardware", "Machines", "--yes")
    run("queues", "add", "Zoo", "--yes")
    settle(place, "Zoo", "zebra zebra", 60)
    assert run("retrain").exit_code == 0
    [new] = set(versions(place)) - {"default"}
    assert Bundle.load(place / "models" / new).manifest.queues == ("Machines", "Access", "Zoo")
    assert label("zebra is broken") != "Zoo"
    run("models", "promote", new)
    assert label("zebra is broken") == "Zoo"
    assert label("the disk of kaka") == label("the laptop of kaka") == "Machines"


def test_a_candidate_of_before_an_edit_can_still_be_promoted(place):
    settle(place, "Storage", "zebra zebra", 60)
    settle(place, "Access", "password", 20)
    run("retrain")
    [new] = set(versions(place)) - {"default"}
    run("queues", "rename", "Storage", "Zoo", "--yes")
    run("models", "promote", new)
    assert label("zebra is broken") == "Zoo"
