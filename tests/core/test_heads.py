"""The heads compute what they say, for any text."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.heads import (
    Constant,
    LabelHead,
    Linear,
    Novelty,
    Pool,
    WordFeatures,
    is_stripped,
    softmax,
    words,
)

BUCKETS = 64


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


@given(st.lists(st.text(max_size=40), max_size=6))
def test_sparse_rows_multiply_as_a_dense_matrix_would(texts: list[str]) -> None:
    features = WordFeatures.fit(["vpn down", "laptop down"], buckets=BUCKETS).transform(texts)
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


@given(st.lists(st.lists(st.floats(-500, 500), min_size=3, max_size=3), min_size=1, max_size=5))
def test_softmax_gives_probabilities(logits: list[list[float]]) -> None:
    probabilities = softmax(np.array(logits))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert (probabilities.argmax(axis=1) == np.array(logits).argmax(axis=1)).all() or np.allclose(
        probabilities.max(axis=1),
        np.take_along_axis(probabilities, np.array(logits).argmax(axis=1)[:, None], 1)[:, 0],
    )


def test_a_label_head_weighs_meaning_and_words_by_the_kind_of_text() -> None:
    embedding = Linear(np.array([[2.0, 0.0]], dtype=np.float32), np.zeros(2, dtype=np.float32))
    by_words = Linear(
        np.zeros((BUCKETS, 2), dtype=np.float32), np.array([0.0, 1.0], dtype=np.float32)
    )
    stripped = Pool(weights=(1.0, 0.0), bias=np.zeros(2))
    head = LabelHead(embedding, by_words, (0.5, 2.0), np.array([0.0, 0.5]), stripped)
    features = WordFeatures.fit(["x"], buckets=BUCKETS).transform(["Hello!", "hello"])
    found = head.predict(np.ones((2, 1), dtype=np.float32), features, np.array([False, True]))
    np.testing.assert_allclose(found, softmax(np.array([[1.0, 2.5], [2.0, 0.0]])))


def test_nothing_known_is_the_same_for_every_text() -> None:
    features = WordFeatures.fit([], buckets=BUCKETS).transform(["a", "b"])
    constant = Constant(np.array([0.2, 0.8]))
    found = constant.predict(np.zeros((2, 1), dtype=np.float32), features, np.zeros(2, dtype=bool))
    assert found.tolist() == [[0.2, 0.8], [0.2, 0.8]]


@pytest.mark.parametrize(
    ("text", "stripped"),
    [
        ("dear please reset password thanks", True),
        ("straße größe", True),
        ("Reset password", False),
        ("reset password!", False),
        ("floor 3", False),
        ("host_name down", False),
    ],
)
def test_stripped_texts_have_lower_case_words_alone(text: str, stripped: bool) -> None:
    assert is_stripped(text) is stripped


def test_novelty_grows_with_the_distance() -> None:
    centres = np.eye(3, dtype=np.float32)[:2]
    novelty = Novelty(centres=centres, distances=np.linspace(0, 0.5, 101))
    texts = np.array([[1, 0, 0], [0.8, 0.0, 0.6], [0, 0, 1]], dtype=np.float32)
    np.testing.assert_allclose(novelty(texts), [0, 0.4, 1], atol=1e-6)
