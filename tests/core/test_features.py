"""Sparse features are what they say, for any text."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.features import RunFeatures, WordFeatures, words

BUCKETS = 64
Kind = type[WordFeatures] | type[RunFeatures]


def test_words_are_lower_case_pairs_included_digits_left_out() -> None:
    assert words("VPN down, 3rd floor!") == [
        "vpn",
        "down",
        "rd",
        "floor",
        "vpn down",
        "down rd",
        "rd floor",
    ]
    assert words("a 12 !") == []


@pytest.mark.parametrize("kind", [WordFeatures, RunFeatures])
@given(texts=st.lists(st.text(max_size=40), max_size=6))
def test_sparse_rows_multiply_as_a_dense_matrix_would(kind: Kind, texts: list[str]) -> None:
    features = kind.fit(["vpn down", "laptop down"], buckets=BUCKETS).transform(texts)
    dense = np.zeros((len(texts), BUCKETS), dtype=np.float32)
    for row in range(len(texts)):
        part = slice(features.offsets[row], features.offsets[row + 1])
        dense[row, features.buckets[part]] = features.values[part]
    weights = np.random.default_rng(0).normal(size=(BUCKETS, 3)).astype(np.float32)
    np.testing.assert_allclose(features @ weights, dense @ weights, atol=1e-5)
    lengths = np.linalg.norm(dense, axis=1)
    assert all(length == pytest.approx(1, abs=1e-5) or length == 0 for length in lengths)


def test_rare_words_weigh_more() -> None:
    model = WordFeatures.fit(["please vpn"] + ["please"] * 50, buckets=2**12)
    row = model.transform(["please vpn"])
    weight = dict(zip(row.buckets.tolist(), row.values.tolist(), strict=True))
    rare, common = model.transform(["vpn"]).buckets[0], model.transform(["please"]).buckets[0]
    assert weight[rare] > 2 * weight[common]


def test_runs_of_characters_stay_within_a_word_and_its_spaces() -> None:
    def found(text: str) -> set[int]:
        return set(RunFeatures.hashed(text, 2**20).tolist())

    assert found("VPN") == found("vpn")
    assert len(found("vpn")) == 6  # " vp", "vpn", "pn ", " vpn", "vpn ", " vpn "
    assert found("vpn down") == found("vpn") | found("down")
    assert found("floor 3") == found("floor 7")
    assert found("printers") & found("printer")
    assert found("") == found("a") - found("a")
