"""No text may be on two sides, whatever the order of the rows."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from core.splits import Shares, near_duplicates, split, text_key

_ROWS = st.lists(
    st.tuples(st.sampled_from("abcdefghijklmnop"), st.sampled_from(["x", "y"])), min_size=1
)


@given(rows=_ROWS, seed=st.integers(0, 5))
def test_the_parts_share_no_text_and_leave_none_out(rows: list, seed: int) -> None:
    texts, labels = [text for text, _ in rows], [label for _, label in rows]
    parts = split(texts, labels, seed=seed)
    rows_of = [parts.train.tolist(), parts.calibrate.tolist(), parts.test.tolist()]
    assert sorted(itertools.chain(*rows_of)) == list(range(len(rows)))
    keys = [{text_key(texts[row]) for row in part} for part in rows_of]
    assert not keys[0] & keys[1]
    assert not keys[1] & keys[2]
    assert not keys[0] & keys[2]


@settings(max_examples=20)
@given(order=st.permutations(range(60)))
def test_a_text_stays_in_its_part_when_the_rows_are_shuffled(order: list[int]) -> None:
    texts = [f"text {number} of the table" for number in range(60)]
    labels = ["odd" if number % 2 else "even" for number in range(60)]
    first = {texts[row] for row in split(texts, labels).test}
    shuffled = [texts[row] for row in order]
    again = split(shuffled, [labels[row] for row in order])
    assert {shuffled[row] for row in again.test} == first


def test_every_label_is_in_every_part_in_its_share() -> None:
    labels = ["big"] * 900 + ["small"] * 100
    parts = split([f"text {n}" for n in range(1000)], labels, shares=Shares(0.8, 0.1, 0.1))
    in_test = [labels[row] for row in parts.test]
    assert (in_test.count("big"), in_test.count("small")) == (90, 10)


def test_the_same_words_in_other_case_and_punctuation_are_one_text() -> None:
    texts = ["Printer jams!", "printer JAMS"] * 20 + [f"other {n}" for n in range(40)]
    parts = split(texts, ["q"] * 80)
    places = [row < 40 for part in (parts.train, parts.calibrate, parts.test) for row in part]
    assert sum(places) == 40
    homes = [np.any(part < 40) for part in (parts.train, parts.calibrate, parts.test)]
    assert sum(homes) == 1


def test_near_duplicates_share_half_their_runs_of_words() -> None:
    known = ["please reset the password of my account today thanks", "vpn"]
    texts = [
        "please reset the password of my account today regards",
        "please order a new monitor for my desk today thanks",
        "VPN",
        "",
    ]
    assert near_duplicates(texts, known).tolist() == [True, False, True, False]
