import json
import os

import pytest
from click.testing import CliRunner

from core.decision import Decision
from slackbot.cli import main
from slackbot.files import replace_bytes


@pytest.fixture
def run(root, monkeypatch):
    monkeypatch.setenv("AUTOTICKET_MODEL_DIR", str(root / "models" / "default"))

    def run(*arguments, **more):
        return CliRunner().invoke(main, list(arguments), **more)

    return run


def test_json_has_exactly_the_documented_fields(run):
    result = json.loads(run("classify", "--json", "my laptop does not start").stdout)
    assert list(result) == [
        "queue",
        "queue_label",
        "queue_confidence",
        "queue_top3",
        "threshold",
        "decision",
        "reason",
        "priority",
        "urgency",
        "impact",
        "priority_confidence",
        "language",
        "model_version",
    ]
    assert len(result["queue_top3"]) == 3


def test_for_people_it_says_what_happens(run, texts):
    for decision, words in (("auto", "→"), ("review", "a person checks"), ("ignore", "no ticket")):
        assert words in run("classify", texts[decision][0]).stdout


def test_an_outage_that_sounds_like_small_talk_is_put_to_a_person(classifier):
    (outage,) = classifier.classify(["das ganze Büro hat kein Internet"])
    assert outage.decision is not Decision.IGNORE


def test_filed_on_purpose_is_never_ignored(run, texts):
    [text, *_] = texts["ignore"]
    assert json.loads(run("classify", "--json", text).stdout)["queue"] is None
    filed = json.loads(run("classify", "--json", "--filed", text).stdout)
    assert filed["decision"] != "ignore"


def test_a_file_is_judged_line_by_line_in_order(run, texts, tmp_path, classifier):
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    every = [text for of_kind in texts.values() for text in of_kind] * 3
    source.write_text("".join(json.dumps({"text": text, "id": 1}) + "\n" for text in every))
    assert run("classify", "--input", str(source), "--output", str(target)).exit_code == 0
    lines = [json.loads(line) for line in target.read_text().splitlines()]
    expected = [result.to_json()["queue"] for result in classifier.classify(every)]
    assert [line["queue"] for line in lines] == expected


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b'{"text": "a"}\n{"txt": "b"}\n', "line 2"),
        (b'{"text": 7}\n', "line 1"),
        (b"[1]\n", "line 1"),
        (b"\xff\xfe\n", "not UTF-8"),
        (b"[" * 100_000 + b"\n", "line 1"),
    ],
)
def test_a_bad_file_gets_one_line_and_writes_nothing(run, tmp_path, content, complaint):
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_bytes(content)
    target.write_text("untouched")
    result = run("classify", "--input", str(source), "--output", str(target))
    assert result.exit_code == 2
    assert complaint in result.stderr
    assert result.stderr.count("\n") == 1
    assert target.read_text() == "untouched"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", "out.jsonl"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["classify", "--input", "/nowhere/in.jsonl"],
        ["classify", "--model", "/nowhere", "text"],
        ["classify"],
        ["classify", "text", "--input", "x"],
        ["classify", "text", "--output", "x"],
        ["export", "tickets"],
        ["export", "nothing"],
        ["forget"],
        ["run"],
        [
            "train",
            "--data",
            "/nowhere.csv",
            "--text-column",
            "a",
            "--label-column",
            "b",
            "--out",
            "o",
        ],
        ["evaluate", "--data", "/nowhere.csv"],
    ],
)
def test_every_known_error_is_clear_and_ends_with_two(run, arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stderr.strip()
    assert "Traceback" not in result.output + result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_changed_bundle_is_refused(run, root, tmp_path):
    copy = tmp_path / "bundle"
    copy.mkdir()
    for file in (root / "models" / "default").iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    heads = copy / "heads.joblib"
    heads.write_bytes(heads.read_bytes() + b"\0")
    result = run("classify", "--model", str(copy), "text")
    assert result.exit_code == 2
    assert "heads.joblib" in result.stderr


def test_a_pipe_or_device_is_not_replaced_by_a_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="is no ordinary file"):
        replace_bytes(tmp_path / "pipe", b"x")
    assert (tmp_path / "pipe").is_fifo()


def test_a_file_may_begin_with_the_mark_that_some_editors_write(run, tmp_path):
    source = tmp_path / "in.jsonl"
    source.write_bytes(b'\xef\xbb\xbf{"text": "my laptop is dead"}\r\n')
    result = run("classify", "--input", str(source))
    assert (result.exit_code, len(result.stdout.splitlines())) == (0, 1)
