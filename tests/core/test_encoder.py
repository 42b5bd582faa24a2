import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from core.encoder import Encoder
from core.errors import EncoderError

WORDS = ("laptop", "printer", "password", "account", "disk", "thanks")


@pytest.fixture(scope="module")
def encoder(tiny_files):
    return Encoder(tiny_files["encoder.onnx"], tiny_files["tokenizer.json"], dim=6, max_tokens=16)


def test_embeddings_follow_the_texts_order_and_have_length_one(encoder):
    texts = ["password", "laptop " * 9, "thanks", "laptop laptop password"]
    embeddings = encoder.encode(texts)
    assert embeddings.shape == (4, 6)
    assert embeddings.dtype == np.float32
    assert embeddings.argmax(axis=1).tolist() == [1, 0, 3, 0]
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, rtol=1e-5)


def test_a_text_has_the_same_embedding_alone_and_among_a_hundred_of_any_length(encoder):
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(WORDS, size=rng.integers(0, 30))) for _ in range(100)]
    together = encoder.encode(texts)
    alone = np.concatenate([encoder.encode([text]) for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-6)  # the fixture's padding is not neutral


def test_nothing_gives_no_rows(encoder):
    assert encoder.encode([]).shape == (0, 6)


def test_only_the_beginning_of_a_long_text_counts(encoder):
    beginning = "laptop " * 14  # 16 tokens with the two special ones
    long = beginning + "password " * 5_000
    np.testing.assert_array_equal(encoder.encode([long]), encoder.encode([beginning]))


def test_threads_may_share_an_encoder(encoder):
    texts = [f"{word} {other}" for word in WORDS for other in WORDS]
    expected = encoder.encode(texts)
    with ThreadPoolExecutor(8) as pool:
        for result in pool.map(encoder.encode, [texts] * 32):
            np.testing.assert_allclose(result, expected, atol=1e-6)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a thread has no niceness of its own")
def test_its_threads_let_those_go_first_that_answer_slack(tiny_files):
    def niceness():
        tasks = [int(task.name) for task in Path("/proc/self/task").iterdir()]
        return {task: os.getpriority(os.PRIO_PROCESS, task) for task in tasks}

    before = niceness()
    files = tiny_files["encoder.onnx"], tiny_files["tokenizer.json"]
    encoder = Encoder(*files, dim=6, max_tokens=16, threads=2)
    encoder.encode(["laptop"])
    after = niceness()
    own = before[os.getpid()]
    new = [after[task] for task in after.keys() - before.keys()]
    assert len(new) >= 2
    assert set(new) == {min(19, own + 5)}
    assert after[os.getpid()] == own


def test_it_works_where_no_thread_may_stand_back(tiny_files, monkeypatch):
    def forbidden(_):
        raise PermissionError

    monkeypatch.setattr(os, "nice", forbidden)
    files = tiny_files["encoder.onnx"], tiny_files["tokenizer.json"]
    assert Encoder(*files, dim=6, max_tokens=16).encode(["laptop"]).shape == (1, 6)


@pytest.mark.parametrize(("broken", "named"), [("encoder.onnx",) * 2, ("tokenizer.json",) * 2])
def test_damaged_files_are_named(tiny_files, broken, named):
    files = {**tiny_files, broken: b"\x00garbage"}
    with pytest.raises(EncoderError, match=named):
        Encoder(files["encoder.onnx"], files["tokenizer.json"], dim=6, max_tokens=16)
