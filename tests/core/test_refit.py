"""Heads are fitted again on base data and people's answers; what is held out stays held out."""

from dataclasses import asdict, replace
from datetime import UTC, datetime

import numpy as np
import pytest

from core import bundle
from core.bundle import Bundle
from core.classifier import Classifier
from core.encoder import Encoder
from core.errors import BundleError, DataError
from core.refit import refit
from core.replay_refit import replay
from core.settled import Settled, check_learnable, divide, importance
from tests import tiny_bundle

NOW = datetime(2026, 12, 1, tzinfo=UTC)


@pytest.fixture
def current(tmp_path):
    tiny_bundle.save(tmp_path / "default")
    return Bundle.load(tmp_path / "default")


def settled(count, queue, words, start=0):
    """A queue's texts with words that the base data does not have."""
    return [
        Settled(
            f"T-{start + number}",
            f"{words} {tiny_bundle.filler(500 + number)}",
            queue,
            order=start + number,
        )
        for number in range(count)
    ]


def fit(current, texts, tmp_path, **options):
    def quiet(stage, done, total):
        assert 0 <= done <= total

    return refit(current, texts, cache=tmp_path / "cache", now=NOW, progress=quiet, **options)


def load(made, folder):
    bundle.save(folder, made.manifest, made.files)
    return Classifier.load(folder)


def test_people_teach_what_the_base_data_does_not_know(current, tmp_path):
    texts = [
        *settled(60, "Storage", "zebra zebra"),
        *settled(20, "Access", "password", start=100),
        *settled(20, None, "lunch zebra lunch", start=200),
    ]
    learned = load(fit(current, texts, tmp_path), tmp_path / "new")
    [found] = learned.classify(["our zebra is broken"], filed=True)
    assert found.queue_label == "Storage"
    [before] = Classifier.load(tmp_path / "default").classify(["our zebra is broken"], filed=True)
    assert before.confidence < 0.5
    assert learned.manifest.notes["fitted again from"] == current.manifest.version
    assert learned.version != current.manifest.version


def test_after_people_changed_their_minds_only_the_newer_answers_are_learned(current, tmp_path):
    older = settled(80, "Storage", "zebra zebra zebra")
    newer = [
        replace(each, text=f"{each.text} {tiny_bundle.filler(900 + number)}")
        for number, each in enumerate(settled(80, "Access", "zebra zebra zebra", start=200))
    ]
    made = fit(current, [*older, *newer], tmp_path)
    out = made.learned.left_out
    assert 80 <= out.answers < 90  # the first held-out ones of the new time may go with them
    told = made.manifest.notes["contradicted by newer answers"]
    assert told == f"{out.answers} older answers, {out.base} of base data"
    for part in ("train", "calibrate", "test"):
        assert {each.queue for each in getattr(made.learned.settled, part)} == {"Access"}
    learned = load(made, tmp_path / "new")
    [found] = learned.classify(["our zebra is broken"], filed=True)
    assert found.queue_label == "Access"
    compared = replay(
        Classifier.load(tmp_path / "default"), learned, made, progress=lambda *_: None
    )
    assert compared.to_json()["contradicted"] == asdict(out)
    # Once the newer ones are forgotten, everything is as if they had never been.
    assert fit(current, older, tmp_path).learned.left_out.answers == 0


def test_heads_learn_from_every_answer_alike_and_limits_are_weighed(current, tmp_path):
    texts = [*settled(60, "Storage", "zebra"), *settled(60, "Access", "password", start=100)]
    rare = [replace(each, probability=0.1) if each.queue == "Access" else each for each in texts]
    weighed, alike = (fit(current, some, tmp_path) for some in (rare, texts))
    first, second = (Bundle(bundle.seal(m.manifest, m.files), m.files) for m in (weighed, alike))
    assert np.array_equal(
        first.heads().queue.embedding.weights, second.heads().queue.embedding.weights
    )
    assert weighed.manifest.rules != alike.manifest.rules


def test_base_data_is_embedded_once(current, tmp_path, monkeypatch):
    texts = [*settled(5, "Storage", "zebra"), *settled(5, "Access", "password", start=50)]
    first = fit(current, texts, tmp_path)
    embedded = []
    encode = Encoder.encode
    monkeypatch.setattr(
        Encoder, "encode", lambda self, batch: embedded.extend(batch) or encode(self, batch)
    )
    second = fit(current, texts, tmp_path)
    assert set(embedded) <= {each.text for each in texts}
    assert second.files == first.files


def test_a_damaged_cache_is_made_again(current, tmp_path):
    texts = settled(5, "Storage", "zebra")
    first = fit(current, texts, tmp_path)
    for file in (tmp_path / "cache").iterdir():
        file.write_bytes(b"half a fi")
    assert fit(current, texts, tmp_path).files == first.files


def test_a_text_is_in_the_same_part_in_every_version(current):
    data = tiny_bundle.base_data()
    texts = settled(400, "Storage", "zebra")
    divided = divide(texts, data)
    sizes = [len(divided.train), len(divided.calibrate), len(divided.test)]
    assert sum(sizes) == 400
    assert all(size > 30 for size in sizes)
    assert divide(texts[::-1], data).test == divided.test[::-1]
    assert set(divide(texts[:50], data).test) == set(divided.test) & set(texts[:50])


def test_a_text_of_the_base_data_stays_on_its_side(current):
    data = tiny_bundle.base_data()
    same = [Settled("T-1", f"  {data.test.tickets[0].text.upper()}!", "Access")]
    assert divide(same, data).test == tuple(same)
    same = [Settled("T-1", data.train.tickets[0].text, "Access")]
    assert divide(same, data).train == tuple(same)


def test_weights_are_inverse_probabilities_clipped():
    texts = [
        replace(each, probability=p)
        for each, p in zip(settled(3, "Storage", "disk"), (1.0, 0.25, 0.001), strict=True)
    ]
    weights = importance(texts)
    assert weights.mean() == pytest.approx(1)
    assert weights / weights[0] == pytest.approx([1, 4, 10])
    assert importance([]).shape == (0,)


@pytest.mark.parametrize(
    ("answers", "complaint"),
    [
        ([], "nothing to learn from"),
        (["Storage", "Storage"], "2 tickets and all belong to 'Storage'"),
        ([None, None], "all are no tickets"),
    ],
)
def test_nothing_to_learn_from_is_said(answers, complaint):
    texts = [Settled(f"T-{number}", "text", queue) for number, queue in enumerate(answers)]
    with pytest.raises(DataError, match=complaint):
        check_learnable(texts)


def test_a_bundle_without_its_texts_cannot_be_fitted_again(tmp_path):
    tiny_bundle.save(tmp_path / "bare", keep_data=False)
    with pytest.raises(BundleError, match="train"):
        fit(Bundle.load(tmp_path / "bare"), settled(3, "Storage", "disk"), tmp_path)


def test_a_queue_opens_when_its_evidence_is_there(current, tmp_path):
    assert current.manifest.rules.thresholds["Storage"] == 1.0
    texts = [*settled(300, "Storage", "disk"), *settled(300, "Access", "password", start=400)]
    made = fit(current, texts, tmp_path)
    assert made.manifest.rules.thresholds["Storage"] < 1.0


def test_replay_tells_what_became_better_and_worse(current, tmp_path):
    texts = [*settled(80, "Storage", "zebra"), *settled(80, "Access", "password", start=100)]
    made = fit(current, texts, tmp_path)
    before, after = Classifier.load(tmp_path / "default"), load(made, tmp_path / "new")
    found = replay(before, after, made, progress=lambda *_: None)
    people, tickets, messages = found.sets
    assert (found.current, found.candidate) == (before.version, after.version)
    assert people.texts == len(made.learned.settled.test) == found.settled["test"] > 0
    assert people.candidate.accuracy.value > people.current.accuracy.value
    assert people.gain.value == pytest.approx(
        people.candidate.accuracy.value - people.current.accuracy.value
    )
    assert people.gain.low > 0
    assert people.flips["better"] > 0
    assert {flip.text for flip in people.shown} <= {
        each.ticket for each in made.learned.settled.test
    }
    assert tickets.candidate.accuracy.value > 0.95
    assert tickets.texts + messages.texts == len(made.learned.data.test.examples)
    queue = tickets.candidate.queues[1]
    assert queue.name == "Access"
    assert queue.precision.n == queue.routed
    assert np.isfinite(messages.candidate.calibration_error.value)
