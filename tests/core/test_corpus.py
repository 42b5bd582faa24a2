import json

import pytest

from core.corpus import Message, main, read, second_reading, shared_skeletons
from core.errors import DataError


def message(text, queue="Hardware", **changes):
    labels = {"alt_queue": None, "urgency": "low", "impact": "user", "lang": "en"}
    return Message(
        **{"text": text, "queue": queue, "kind": "request", "batch": "a"} | labels | changes
    )


def test_variants_of_one_sentence_are_found_and_others_are_not():
    messages = [
        message("my laptop does not start since this morning, please help"),
        message("hey, my laptop does not start since the update"),
        message("printer jam on floor 3"),
        message("printer jam on floor 4"),
        message("badge lost"),
    ]
    assert {(a, b) for a, b, _ in shared_skeletons(messages)} == {(0, 1), (2, 3)}


@pytest.mark.parametrize(
    "change",
    [
        {"text": " "},
        {"queue": "Hardwear"},
        {"queue": None},
        {"kind": "chat"},
        {"urgency": "urgent"},
        {"alt_queue": "Hardware"},
        {"lang": "xx"},
        {"extra": 1},
    ],
)
def test_a_wrong_row_is_named(tmp_path, change):
    row = {"text": "x", "queue": "Hardware", "alt_queue": None, "urgency": "low", "impact": "user"}
    row |= {"lang": "en", "kind": "request", "batch": "a"}
    path = tmp_path / "messages.jsonl"
    path.write_text(json.dumps(row) + "\n" + json.dumps(row | change) + "\n")
    with pytest.raises(ValueError, match=r"messages\.jsonl:2"):
        read(path)


def test_the_second_reading_is_counted(tmp_path):
    labels = (
        ({"queue": "Hardware", "impact": "user"}, {"queue": "Hardware", "impact": "team"}),
        ({"queue": "Access", "impact": "user"}, {"queue": "Storage", "impact": "user"}),
        ({"queue": None, "impact": None}, {"queue": "Storage", "impact": "user"}),
    )
    path = tmp_path / "messages.jsonl"
    for file, reader in ((path, 0), (path.with_name("second_reading.jsonl"), 1)):
        assert second_reading(path) is None
        rows = [json.dumps({"urgency": "low"} | each[reader]) for each in labels]
        file.write_text("\n".join(rows))
    text = second_reading(path)
    assert "ticket or not 1 of 3 (33.3%)" in text
    assert "queue 1 of 2 (50.0%)" in text
    assert "impact 1 of 2" in text
    path.with_name("second_reading.jsonl").write_text(rows[0])
    assert "ticket or not 0 of 1" in second_reading(path)


@pytest.mark.parametrize("reading", ["{}\n", "[1]\n", "no\n", "\n".join(['{"queue": null}'] * 9)])
def test_what_is_no_second_reading_of_these_messages_is_refused(tmp_path, reading):
    path = tmp_path / "messages.jsonl"
    label = json.dumps({"queue": "Access", "urgency": "low", "impact": "user"})
    path.write_text(label)
    other = path.with_name("second_reading.jsonl")
    other.write_text(reading.replace('{"queue": null}', label))
    with pytest.raises(DataError, match=r"second_reading\.jsonl"):
        second_reading(path)


def test_the_shipped_messages_are_what_they_claim_to_be(root, capsys):
    path = root / "models" / "training" / "messages.jsonl"
    assert main([str(path)]) == 0
    messages = read(path)
    split = json.loads((root / "models" / "training" / "SPLIT.json").read_text())
    assert {m.batch for m in messages} == {batch for part in split.values() for batch in part}
    assert len([m for m in messages if m.batch in split["test"]]) >= 400
    assert len([m for m in messages if m.queue is None]) >= 500
    for queue in {m.queue for m in messages if m.queue}:
        assert len([m for m in messages if m.queue == queue and m.lang == "en"]) >= 200
        assert len([m for m in messages if m.queue == queue and m.lang != "en"]) >= 60
