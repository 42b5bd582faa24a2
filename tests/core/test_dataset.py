"""Reading training data: what is usable is read, what is not is refused in one line."""

import csv
import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.dataset import Example, read_messages, read_tickets
from core.decision import Impact, Urgency
from core.errors import DataError

ROWS = [("laptop broken", "Hardware")] * 10 + [("locked out", "Access")] * 10


def _write(path: Path, rows: list[tuple[str, str]], *, zipped: bool = False) -> Path:
    lines = "text,queue\n" + "".join(f'"{text}",{queue}\n' for text, queue in rows)
    path.write_bytes(gzip.compress(lines.encode()) if zipped else lines.encode())
    return path


def _read(path: Path) -> tuple[Example, ...]:
    return read_tickets(path, text_column="text", label_column="queue").examples


@pytest.mark.parametrize("zipped", [False, True])
def test_rows_are_read_and_blank_ones_counted(tmp_path: Path, zipped: bool) -> None:
    rows = [*ROWS, ("  ", "Access"), ("no queue", "")]
    table = read_tickets(
        _write(tmp_path / "t.csv", rows, zipped=zipped), text_column="text", label_column="queue"
    )
    assert table.queues == ("Access", "Hardware")
    assert table.blank == 2
    assert table.examples[0] == Example("laptop broken", queue="Hardware", is_ticket=True)
    assert len(table.examples) == 20


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (ROWS[:10], "needs at least two queues to tell apart, found 1"),
        ([*ROWS, ("x", "access")], "queues 'Access' and 'access' differ only in case"),
        ([*ROWS, ("x", "q" * 76)], "is over 75 letters"),
        ([*ROWS, ("x", "a\tb")], "contains control characters"),
    ],
)
def test_queues_that_cannot_be_trained_on_are_refused(
    tmp_path: Path, rows: list[tuple[str, str]], message: str
) -> None:
    with pytest.raises(DataError, match=message) as caught:
        _read(_write(tmp_path / "t.csv", rows))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"body,queue\na,b\n", "no column 'text'; its columns are: body, queue"),
        (b"", "no column 'text'; its columns are: none"),
        (b"text,queue\n\xff\xfe\xe9,b\n", "is not UTF-8 text"),
        (b"text;queue\na;b\n", "Columns are separated by commas"),
        (b'text,queue\n"never closed,a\nb,c\n', "line 2 is not CSV"),
        (b"text,queue\nno sound, no picture,Hardware\n", "line 2 has more fields than there are"),
        (b'"text,queue\na,b\n', "line 1 is not CSV"),
        (b"text,queue,text\na,b,c\n", "has several columns 'text'"),
        (b"\x1f\x8bbroken", "cannot be read"),
        (gzip.compress(b"", mtime=0)[:10] + b"\xff" * 20, "cannot be read"),
        (gzip.compress(b"text,queue\n" * 50, mtime=0)[:-9], "cannot be read"),
    ],
)
def test_unreadable_files_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        _read(path)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"t\.csv: no such file"):
        _read(tmp_path / "t.csv")
    with pytest.raises(DataError, match="cannot be read"):
        _read(tmp_path)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=10))
def test_any_text_survives_csv(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([("text", "queue"), *((text, "A") for text in texts), *[("b", "B")] * 10])
    said = [text.strip() for text in texts if text.strip()]
    if said:
        assert [example.text for example in _read(path)][:-10] == said


MESSAGE = {
    "text": " vpn down ",
    "queue": "Hardware",
    "alt_queue": "Access",
    "urgency": "high",
    "impact": "team",
    "lang": "en",
    "kind": "incident",
    "batch": "a",
}


def _messages(path: Path, *messages: object) -> tuple[Example, ...]:
    path.write_text("".join(f"{json.dumps(message)}\n" for message in messages) + "\n")
    return read_messages(path, ("Access", "Hardware"))


def test_messages_are_read(tmp_path: Path) -> None:
    chat = {**MESSAGE, "queue": None, "alt_queue": None, "urgency": None, "impact": None}
    ticket, small_talk = _messages(tmp_path / "m.jsonl", MESSAGE, chat)
    assert ticket == Example(
        text="vpn down",
        queue="Hardware",
        alt_queue="Access",
        is_ticket=True,
        urgency=Urgency.HIGH,
        impact=Impact.TEAM,
        language="en",
        batch="a",
    )
    assert (small_talk.queue, small_talk.is_ticket, small_talk.urgency) == (None, False, None)


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ({**MESSAGE, "queue": "Printers"}, "line 2 names an unknown queue 'Printers'"),
        ({**MESSAGE, "urgency": "soon"}, "line 2 is not a labelled message"),
        ({**MESSAGE, "alt_queue": "Hardware"}, "line 2 .* alt_queue repeats queue"),
        ({**MESSAGE, "batch": ""}, "line 2 .* batch is blank"),
        ({**MESSAGE, "batch": None}, "line 2 .* batch is blank"),
        ({"text": "x"}, "line 2 is not a labelled message"),
        (["x"], "line 2 is not a labelled message"),
    ],
)
def test_a_bad_message_is_named_by_its_line(tmp_path: Path, message: object, error: str) -> None:
    with pytest.raises(DataError, match=error):
        _messages(tmp_path / "m.jsonl", MESSAGE, message)


def test_a_text_may_hold_any_line_end_but_a_line_feed(tmp_path: Path) -> None:
    text = "vpn\u2028down\x85again\x0cand"
    path = tmp_path / "m.jsonl"
    path.write_text(json.dumps({**MESSAGE, "text": text}, ensure_ascii=False), encoding="utf-8")
    assert read_messages(path, ("Access", "Hardware"))[0].text == text
