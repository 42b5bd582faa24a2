"""Every text has one place, and a queue has enough of them to be divided."""

from pathlib import Path

import pytest

from core.dataset import Example
from core.errors import DataError
from core.training_data import PARTS, Part, TrainingData, one_place, read_training_data


def _data(**texts: tuple[list[str], list[str]]) -> TrainingData:
    """Tickets and messages by part."""
    parts = {
        part: Part(
            tuple(Example(text, "A") for text in tickets),
            tuple(Example(text, "A", batch="hand") for text in messages),
        )
        for part, (tickets, messages) in texts.items()
    }
    return TrainingData(queues=("A", "B"), blank=0, **parts)


def _texts(data: TrainingData, part: str) -> tuple[list[str], list[str]]:
    found = getattr(data, part)
    return [each.text for each in found.tickets], [each.text for each in found.messages]


def test_a_message_and_a_ticket_of_the_same_words_are_held_out_together() -> None:
    data = _data(
        train=(["vpn down", "disk full"], ["screen black"]),
        calibrate=(["Screen, black!"], []),
        test=([], ["VPN down!"]),
    )
    found = one_place(data)
    assert _texts(found, "train") == (["disk full"], [])
    assert _texts(found, "calibrate") == (["Screen, black!"], ["screen black"])
    assert _texts(found, "test") == (["vpn down"], ["VPN down!"])


def test_a_text_stays_where_the_encoder_had_it() -> None:
    data = _data(train=(["a", "b"], []), calibrate=(["c"], []), test=(["d"], []))
    known = _data(train=(["d", "c"], []), calibrate=([], []), test=(["a"], []))
    found = one_place(data, known)
    assert [_texts(found, part)[0] for part in PARTS] == [["b", "c", "d"], [], ["a"]]


def test_what_has_one_place_already_is_left_as_it_is() -> None:
    data = _data(train=(["b", "a"], ["m"]), calibrate=(["c"], ["n"]), test=(["d"], ["o"]))
    assert one_place(data) == data
    assert one_place(data, data) == data


@pytest.mark.parametrize("text", ["the same words", "???"])
def test_only_different_texts_of_which_something_is_left_count(tmp_path: Path, text: str) -> None:
    rows = [f"disk {number} full,Storage" for number in range(12)] + [f"{text},Access"] * 12
    path = tmp_path / "t.csv"
    path.write_text("\n".join(["text,queue", *rows]))
    left = 0 if text == "???" else 1
    with pytest.raises(DataError, match=f"queue 'Access' has {left} different texts, needs at"):
        read_training_data(path, text_column="text", label_column="queue", messages=None, seed=0)
