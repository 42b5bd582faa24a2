"""The heads compute what they say, for any text."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.features import RunFeatures, WordFeatures
from core.heads import Constant, Heads, LabelHead, Linear, Novelty, Pool, TextInputs, softmax

BUCKETS = 64


def _inputs(texts: list[str], stripped: list[bool]) -> TextInputs:
    rows = WordFeatures.fit(["x"], buckets=BUCKETS).transform(texts)
    embeddings = np.ones((len(texts), 1), dtype=np.float32)
    return TextInputs(embeddings, rows, rows, np.array(stripped))


@given(st.lists(st.lists(st.floats(-500, 500), min_size=3, max_size=3), min_size=1, max_size=5))
def test_softmax_gives_probabilities(logits: list[list[float]]) -> None:
    probabilities = softmax(np.array(logits))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert (probabilities.argmax(axis=1) == np.array(logits).argmax(axis=1)).all() or np.allclose(
        probabilities.max(axis=1),
        np.take_along_axis(probabilities, np.array(logits).argmax(axis=1)[:, None], 1)[:, 0],
    )


def test_a_label_head_weighs_meaning_and_wording_by_the_kind_of_text() -> None:
    embedding = Linear(np.array([[2.0, 0.0]], dtype=np.float32), np.zeros(2, dtype=np.float32))
    nothing = np.zeros((BUCKETS, 2), dtype=np.float32)
    by_words = Linear(nothing, np.array([0.0, 1.0], dtype=np.float32)).halved()
    by_runs = Linear(nothing, np.array([0.0, -1.0], dtype=np.float32)).halved()
    written = Pool(weights=(0.5, 2.0, 1.0), bias=np.array([0.0, 0.5]))
    stripped = Pool(weights=(1.0, 0.0, 0.0), bias=np.zeros(2))
    head = LabelHead(embedding, by_words, by_runs, written, stripped)
    found = head.predict(_inputs(["Hello!", "hello"], [False, True]))
    np.testing.assert_allclose(found, softmax(np.array([[1.0, 1.5], [2.0, 0.0]])))


def test_wording_alone_makes_no_small_talk_of_what_means_a_ticket() -> None:
    flat = np.zeros(2, dtype=np.float32)
    by_meaning = Linear(np.array([[-1.0, 1.0]], dtype=np.float32), flat)
    by_wording = Linear(np.zeros((BUCKETS, 2), dtype=np.float32), np.float32([9.0, 0.0])).halved()
    pool = Pool(weights=(1.0, 1.0, 0.0), bias=np.zeros(2))
    features = (fit.fit(["x"], buckets=BUCKETS) for fit in (WordFeatures, RunFeatures))
    unknown = Constant(np.full(3, 1 / 3))
    heads = Heads(
        *features,
        queue=unknown,
        ticket=LabelHead(by_meaning, by_wording, by_wording, pool),
        urgency=unknown,
        impact=unknown,
        novelty=Novelty(centres=np.ones((1, 1), dtype=np.float32), distances=np.linspace(0, 2, 3)),
    )
    found = heads.predict(["slow wifi", "lunch?"], np.array([[1.0], [-1.0]], dtype=np.float32))
    assert found.ticket[0] == 0.5
    assert found.ticket[1] < 0.001
    deaf = replace(heads.ticket, written=replace(pool, weights=(0.0, 1.0, 0.0)))
    texts, embeddings = ["slow wifi"], np.ones((1, 1), dtype=np.float32)
    assert replace(heads, ticket=deaf).predict(texts, embeddings).ticket[0] < 0.001


def test_nothing_known_is_the_same_for_every_text() -> None:
    constant = Constant(np.array([0.2, 0.8]))
    found = constant.predict(_inputs(["a", "b"], [False, False]))
    assert found.tolist() == [[0.2, 0.8], [0.2, 0.8]]


def test_novelty_grows_with_the_distance() -> None:
    centres = np.eye(3, dtype=np.float32)[:2]
    novelty = Novelty(centres=centres, distances=np.linspace(0, 0.5, 101))
    texts = np.array([[1, 0, 0], [0.8, 0.0, 0.6], [0, 0, 1]], dtype=np.float32)
    np.testing.assert_allclose(novelty(texts), [0, 0.4, 1], atol=1e-6)
