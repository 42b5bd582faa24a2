import csv
import gzip
import json

import pytest
from click.testing import CliRunner

from slackbot.cli import main
from tests import tiny_bundle


def write(path, rows):
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)
    return str(path)


def run(*arguments):
    return CliRunner().invoke(main, list(arguments))


def test_however_few_tickets_there_are_they_are_measured(tmp_path, monkeypatch, root):
    monkeypatch.setenv("AUTOTICKET_MODEL_DIR", str(root / "models" / "default"))
    data = write(tmp_path / "data.csv", [["text", "queue"], ["my mouse is dead", "Hardware"]])
    pictures = ["--pictures", str(tmp_path / "pictures")]
    found = json.loads(run("evaluate", "--data", data, "--json", *pictures).stdout)
    assert found["queues"]["accuracy"]["n"] == 1
    rows = [" ".join(row.split()) for row in run("evaluate", "--data", data).stdout.splitlines()]
    assert "│ Storage │ 0 │ - │ - │ - │ 0 │ - │" in rows


def test_a_table_without_a_single_ticket_is_refused(tmp_path, monkeypatch, root):
    monkeypatch.setenv("AUTOTICKET_MODEL_DIR", str(root / "models" / "default"))
    data = write(tmp_path / "data.csv", [["text", "queue"], ["", "Hardware"]])
    result = run("evaluate", "--data", data)
    assert (result.exit_code, "has no row with a text and a queue" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ([["text", "queue"]], "two queues"),
        ([["text", "label"], ["a", "Hardware"]], "queue"),
        ([["text", "queue"], *[["a", "Hardware"]] * 20], "two queues"),
        ([["text", "queue"], *[["a", "Hardware"]] * 20, ["b", "Access"]], "has 1 different texts"),
        ([["text", "queue"], *[["a", "Hardware"], ["b", "x" * 80]] * 20], "over 75"),
    ],
)
def test_unusable_data_is_one_clear_line_and_nothing_is_written(
    tmp_path, monkeypatch, rows, complaint, root
):
    monkeypatch.setenv("AUTOTICKET_MODEL_DIR", str(root / "models" / "default"))
    data = write(tmp_path / "data.csv", rows)
    out = ["--out", str(tmp_path / "bundle")]
    result = run("train", "--data", data, "--text-column", "text", "--label-column", "queue", *out)
    assert result.exit_code == 2
    assert complaint in result.stderr
    assert result.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["data.csv"]


def test_evaluation_prints_figures_with_intervals_and_draws_pictures(tmp_path, monkeypatch, root):
    monkeypatch.setenv("AUTOTICKET_MODEL_DIR", str(root / "models" / "default"))
    lines = (root / "models" / "samples.jsonl").read_text(encoding="utf-8").splitlines()
    tickets = [row for row in map(json.loads, lines) if row["queue"]]
    rows = [[row["text"], row["queue"]] for row in tickets] * 3
    data = write(tmp_path / "data.csv", [["text", "queue"], *rows])
    printed = run("evaluate", "--data", data).stdout
    assert "accuracy" in printed
    assert "95 % interval" in printed
    assert "without near duplicates" in " ".join(printed.split())
    pictures = tmp_path / "pictures"
    result = run("evaluate", "--data", data, "--json", "--pictures", str(pictures))
    figures = json.loads(result.stdout)["queues"]
    assert figures["accuracy"]["low"] <= figures["accuracy"]["value"] <= figures["accuracy"]["high"]
    assert len(list(pictures.glob("*.png"))) == 3


def test_tickets_that_the_bundle_learned_from_are_measured_apart(tmp_path, monkeypatch, root):
    folder = root / "models" / "default"
    monkeypatch.setenv("AUTOTICKET_MODEL_DIR", str(folder))
    lines = gzip.decompress((folder / "base_data.jsonl.gz").read_bytes()).splitlines()
    tickets = (row for row in map(json.loads, lines) if row["part"] == "train")
    learned = [row for row in tickets if row.get("queue") in ("Hardware", "Miscellaneous")][:20]
    new = [["the lift plays the same song since Easter", "Miscellaneous"]] * 12
    rows = [[row["text"], row["queue"]] for row in learned] + new
    data = write(tmp_path / "data.csv", [["text", "queue"], *rows])
    found = json.loads(run("evaluate", "--data", data, "--json").stdout)
    assert found["queues"]["accuracy"]["n"] == 32
    assert found["unseen"]["accuracy"]["n"] == 12


def test_a_table_of_other_queues_cannot_be_measured_with_this_bundle(tmp_path, monkeypatch, root):
    monkeypatch.setenv("AUTOTICKET_MODEL_DIR", str(root / "models" / "default"))
    data = write(tmp_path / "data.csv", [["text", "queue"], *[["a", "Cats"], ["b", "Dogs"]] * 20])
    result = run("evaluate", "--data", data)
    assert result.exit_code == 2
    assert "does not know the queue 'Cats'" in result.stderr


def test_a_queues_name_is_printed_as_it_is(tmp_path, monkeypatch):
    tiny_bundle.save(tmp_path / "base")
    rows = [[f"my laptop {tiny_bundle.filler(n)}", "[/x] y"] for n in range(10)]
    rows += [[f"my disk {tiny_bundle.filler(n)}", "$5 [red]"] for n in range(10)]
    data = write(tmp_path / "data.csv", [["text", "queue"], *rows, ["", "$5 [red]"]])
    monkeypatch.chdir(tmp_path)
    columns = ["--text-column", "text", "--label-column", "queue"]
    out = ["--out", "own", "--encoder", "base"]
    assert run("train", "--data", data, *columns, *out).exit_code == 0
    result = run("evaluate", "--data", data, "--model", "own")
    assert "[/x] y" in result.stdout
    assert "$5 [red]" in result.stdout
    assert "1 rows without text or queue are left out" in result.stderr
