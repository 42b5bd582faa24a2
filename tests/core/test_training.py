"""One command makes a bundle that serves; stopped, it leaves the old bundle and continues."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core import tuning
from core.base_data import BASE_DATA, unpack
from core.bundle import ENCODER, Bundle
from core.classifier import Classifier
from core.decision import Decision
from core.errors import BundleError, DataError
from core.training import TrainingConfig, train
from tests.core.tiny_encoders import save_bert, save_xlm_roberta

_WORDS = {
    "Hardware": ["laptop", "morning", "start", "does"],
    "Access": ["password", "reset", "account", "please"],
    "Storage": ["folder", "shared", "full", "project"],
}
_CHAT = ["thanks", "lunch", "funny", "great"]


def _text(random: np.random.Generator, words: list[str], number: int) -> str:
    mark = "abcdefghij"[number % 10] + "xyzvw"[number // 10 % 5]
    return f"what about the {' '.join(random.choice(words, 5))} of this {mark}"


def _table(path: Path, rows: int) -> Path:
    random = np.random.default_rng(0)
    lines = [
        f"{_text(random, words, number)},{queue}"
        for queue, words in _WORDS.items()
        for number in range(rows)
    ]
    path.write_text("\n".join(["Document,Topic_group", *lines]))
    return path


def _messages(path: Path) -> Path:
    random = np.random.default_rng(1)
    lines = []
    for number in range(240):
        queue = [*_WORDS, None][number % 4]
        wide = number % 8 < 4
        lines.append(
            {
                "text": _text(random, _WORDS[queue] if queue else _CHAT, number)
                + (" everybody now" if wide else " alone later"),
                "queue": queue,
                "alt_queue": None,
                "urgency": ("high" if wide else "low") if queue else None,
                "impact": ("company" if wide else "user") if queue else None,
                "lang": "en",
                "kind": "request" if queue else "chat",
                "batch": "abc"[number // 80],
            }
        )
    path.write_text("\n".join(json.dumps(line) for line in lines))
    split = {"train": ["a"], "calibrate": ["b"], "test": ["c"]}
    path.with_name("SPLIT.json").write_text(json.dumps(split))
    return path


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_bert(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def config(tmp_path: Path, encoder: Path) -> TrainingConfig:
    return TrainingConfig(
        data=_table(tmp_path / "tickets.csv", 300),
        text_column="Document",
        label_column="Topic_group",
        out=tmp_path / "bundle",
        encoder=str(encoder),
        work=tmp_path / "work",
    )


def _quiet(stage: str, done: int, total: int) -> None:
    assert 0 < done <= total


def test_tickets_alone_make_a_cautious_bundle(config: TrainingConfig) -> None:
    classifier = Classifier.load(train(config, _quiet))
    (found,) = classifier.classify(["please reset the password of my account"])
    assert found.queue_label == "Access"
    assert found.ticket_probability == 1.0
    assert found.priority_confidence < 0.5
    card = (config.out / "README.md").read_text()
    assert "no messages were trained on" in card
    (figures,) = json.loads((config.out / "evaluation.json").read_text())
    assert figures["queues"]["accuracy"]["value"] > 0.9


def test_messages_teach_priority_and_what_is_no_ticket(
    config: TrainingConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuning, "MIN_FINE_TUNED", 0)
    with_messages = replace(config, messages=_messages(config.data.with_name("messages.jsonl")))
    stages: list[str] = []
    train(with_messages, lambda stage, done, total: stages.append(stage))
    assert list(dict.fromkeys(stages)) == ["fine-tune", "embeddings", "heads", "evaluation"]
    classifier = Classifier.load(config.out)
    outage, request, chat = classifier.classify(
        [
            "what about the laptop does start morning laptop of this everybody now",
            "what about the folder full shared project folder of this alone later",
            "what about the thanks great lunch funny great of this alone later",
        ]
    )
    assert outage.priority_why
    assert (outage.queue_label, outage.urgency, outage.impact) == ("Hardware", "high", "company")
    assert (request.queue_label, request.urgency, request.impact) == ("Storage", "low", "user")
    assert chat.ticket_probability < 0.5 < request.ticket_probability
    assert chat.decision is Decision.REVIEW  # so few tickets cannot tell what ignoring would lose
    assert classifier.manifest.notes["tested on"] == "54 tickets, 80 messages"
    card = (config.out / "README.md").read_text()
    assert "Small talk is ignored in: no language." in card


def test_the_encoder_does_not_learn_what_is_for_the_heads_alone(
    config: TrainingConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    learned: list[str] = []
    monkeypatch.setattr(tuning, "MIN_FINE_TUNED", 0)
    monkeypatch.setattr(
        tuning, "fine_tune", lambda _, corpus, *__, **___: learned.extend(corpus.texts)
    )
    messages = _messages(config.data.with_name("messages.jsonl"))
    split = {"train": ["a"], "heads": ["b"], "calibrate": ["c"], "test": []}
    messages.with_name("SPLIT.json").write_text(json.dumps(split))
    made = Bundle.load(train(replace(config, messages=messages), _quiet))
    known = unpack(made.contents[BASE_DATA], made.manifest.queues).train.messages
    by_batch = {batch: {each.text for each in known if each.batch == batch} for batch in "ab"}
    assert by_batch["a"] <= set(learned)
    assert by_batch["b"]
    assert by_batch["b"].isdisjoint(learned)


@pytest.mark.parametrize("stopped_in", ["heads", "evaluation"])
def test_a_stopped_run_leaves_the_old_bundle_and_continues(
    config: TrainingConfig, stopped_in: str
) -> None:
    train(config, _quiet)
    before = Classifier.load(config.out).version

    def stop(stage: str, done: int, total: int) -> None:
        if stage == stopped_in:
            raise KeyboardInterrupt

    other = replace(config, promised_precision=0.9)
    with pytest.raises(KeyboardInterrupt):
        train(other, stop)
    assert Classifier.load(config.out).version == before
    assert before in (config.out / "README.md").read_text()
    kept = _embedded(config)
    train(other, _quiet)
    assert kept
    assert _embedded(config) == kept
    assert Classifier.load(config.out).manifest.rules.promised_precision == 0.9
    assert not [path for path in config.out.parent.iterdir() if path.name.startswith(".")]


def _embedded(config: TrainingConfig) -> dict[str, int]:
    """When each file of embeddings was written."""
    return {path.name: path.stat().st_mtime_ns for path in config.work.glob("embeddings-*.npy")}


def test_the_same_command_makes_the_same_bundle(config: TrainingConfig) -> None:
    train(config, _quiet)
    again = replace(config, out=config.out.with_name("again"), work=config.work.with_name("w2"))
    train(again, _quiet)
    first, second = (Classifier.load(path).manifest for path in (config.out, again.out))
    assert first.files == second.files
    assert first.version == second.version


def test_a_multilingual_encoder_goes_the_same_way(config: TrainingConfig, tmp_path: Path) -> None:
    other = replace(config, encoder=str(save_xlm_roberta(tmp_path / "xlmr")))
    (found,) = Classifier.load(train(other, _quiet)).classify(["folder full"], filed=True)
    assert found.queue_label == "Storage"


def test_the_bundle_holds_its_texts_unless_that_is_refused(config: TrainingConfig) -> None:
    loaded = Bundle.load(train(config, _quiet))
    data = unpack(loaded.contents[BASE_DATA], loaded.manifest.queues)
    counts = [len(part.tickets) for part in (data.train, data.calibrate, data.test)]
    assert counts == [792, 54, 54]
    train(replace(config, keep_data=False), _quiet)
    assert BASE_DATA not in Bundle.load(config.out).contents


def test_a_bundles_encoder_serves_other_queues_without_torch(
    config: TrainingConfig, tmp_path: Path
) -> None:
    first = replace(config, messages=_messages(config.data.with_name("messages.jsonl")))
    train(first, _quiet)
    table = tmp_path / "others.csv"
    table.write_text(config.data.read_text().replace("Hardware", "Field service"))
    script = f"""
import sys
from pathlib import Path
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "sentence_transformers", "transformers", "onnx"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Missing())
from core.training import TrainingConfig, train
train(TrainingConfig(data=Path({str(table)!r}), text_column="Document",
    label_column="Topic_group", out=Path({str(tmp_path / "other")!r}),
    encoder={str(config.out)!r}, work=Path({str(tmp_path / "w")!r})), lambda *_: None)
"""
    subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(__file__).parents[2])
    old, new = Bundle.load(config.out), Bundle.load(tmp_path / "other")
    assert new.contents[ENCODER] == old.contents[ENCODER]
    assert new.manifest.notes["encoder"] == old.manifest.notes["encoder"]
    outage, chat = Classifier.load(tmp_path / "other").classify(
        [
            "what about the laptop does start morning laptop of this everybody now",
            "what about the thanks great lunch funny great of this alone later",
        ]
    )
    assert (outage.queue_label, outage.urgency, outage.impact) == (
        *("Field service", "high", "company"),
    )
    assert chat.ticket_probability < 0.5 < outage.ticket_probability


def test_bad_data_changes_nothing(config: TrainingConfig) -> None:
    with pytest.raises(DataError, match="no column 'Body'"):
        train(replace(config, text_column="Body"), _quiet)
    assert not config.out.exists()


def test_a_folder_that_is_no_bundle_is_left_alone(config: TrainingConfig) -> None:
    config.out.mkdir()
    (config.out / "thesis.txt").write_text("years of work")
    with pytest.raises(BundleError, match="no bundle"):
        train(config, _quiet)
    assert (config.out / "thesis.txt").read_text() == "years of work"
    with pytest.raises(BundleError, match="no folder"):
        train(replace(config, out=config.out / "thesis.txt"), _quiet)
    with pytest.raises(BundleError, match="name another folder"):
        train(replace(config, out=config.out / "thesis.txt" / "bundle"), _quiet)
    assert not config.work.exists()  # refused before anything else was done


def test_a_text_that_the_encoder_learned_is_never_measured_on(config: TrainingConfig) -> None:
    loaded = Bundle.load(train(config, _quiet))
    known = unpack(loaded.contents[BASE_DATA], loaded.manifest.queues)
    grown = _table(config.data.with_name("grown.csv"), 150)
    rows = grown.read_text().partition("\n")[2]
    grown.write_text(f"{config.data.read_text()}\n{rows}")
    other = replace(config, data=grown, encoder=str(config.out), seed=1)
    made = Bundle.load(train(replace(other, out=config.out.with_name("other")), _quiet))
    data = unpack(made.contents[BASE_DATA], made.manifest.queues)
    learned = {example.text for example in known.train.examples}
    held_out = {example.text for example in data.calibrate.examples + data.test.examples}
    assert held_out.isdisjoint(learned)
    assert held_out >= {example.text for example in known.test.examples}
    assert len(held_out) > len(known.test.examples + known.calibrate.examples)


def test_messages_of_an_unplanned_batch_are_refused(config: TrainingConfig) -> None:
    messages = _messages(config.data.with_name("messages.jsonl"))
    messages.with_name("SPLIT.json").write_text('{"train": ["a"], "calibrate": [], "test": []}')
    with pytest.raises(DataError, match="says nothing of batch 'b'"):
        train(replace(config, messages=messages), _quiet)
    messages.with_name("SPLIT.json").write_text(
        '{"train": ["a", "b"], "calibrate": ["b"], "test": ["c"]}'
    )
    with pytest.raises(DataError, match="names batch 'b' for several parts"):
        train(replace(config, messages=messages), _quiet)


def test_a_second_reading_of_other_messages_is_refused_before_the_work(
    config: TrainingConfig,
) -> None:
    messages = _messages(config.data.with_name("messages.jsonl"))
    lines = messages.read_text()
    messages.with_name("second_reading.jsonl").write_text(f"{lines}\n{lines}")
    with pytest.raises(DataError, match="take it away"):
        train(replace(config, messages=messages), _quiet)
    assert not config.work.exists()
