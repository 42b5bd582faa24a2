"""Heads are fitted whatever the texts lack."""

import numpy as np

from core.dataset import Example
from core.fitting import FitData, fit_data, fit_heads
from core.heads import Heads

QUEUES = ("A", "B")


def _data(*labelled: tuple[str, str], to_calibrate: bool = False) -> FitData:
    examples = [Example(text, queue, is_ticket=True) for text, queue in labelled]
    embeddings = np.eye(2, dtype=np.float32)[[QUEUES.index(queue) for _, queue in labelled]]
    return fit_data(examples, QUEUES, embeddings, to_calibrate=to_calibrate)


def _fit(train: FitData, calibrate: FitData) -> Heads:
    return fit_heads(train, calibrate, seed=0, progress=lambda done, total: None)


def test_texts_without_a_single_word_are_told_apart_by_meaning() -> None:
    pairs = [("1", "A"), ("2", "B")] * 10
    heads = _fit(_data(*pairs), _data(*pairs[:4], to_calibrate=True))
    found = heads.predict(["1", "2"], np.eye(2, dtype=np.float32)).queue
    assert found.argmax(axis=1).tolist() == [0, 1]


def test_texts_of_one_queue_alone_say_nothing_about_queues() -> None:
    heads = _fit(_data(*[("disk full", "A")] * 10), _data(("disk full", "A"), to_calibrate=True))
    found = heads.predict(["disk full"], np.eye(2, dtype=np.float32)[:1]).queue
    assert found.tolist() == [[0.5, 0.5]]
