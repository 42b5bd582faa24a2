"""Fine-tuning learns, and a stopped run ends where an unbroken one does."""

from pathlib import Path

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer

from core import finetune
from core.finetune import Corpus, Recipe, fine_tune
from tests.core.tiny_encoders import save_bert

TEXTS = [
    f"{word} {end}"
    for end in ("now", "today", "again", "please")
    for word in ("laptop", "password")
] * 6
TARGETS = {"queue": np.tile(np.eye(2, dtype=np.float32), (len(TEXTS) // 2, 1))}
RECIPE = Recipe(epochs=8, batch=8, encoder_rate=2e-3, head_rate=1e-2, token_drop=0.1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_bert(tmp_path_factory.mktemp("tiny"))


class _StoppedError(Exception):
    pass


def _tune(folder: Path, work: Path, *, stop_at: int = 0) -> SentenceTransformer:
    def progress(stage: str, done: int, total: int) -> None:
        assert (stage, total) == ("tickets", 48)
        if done == stop_at:
            raise _StoppedError

    encoder = SentenceTransformer(str(folder), device="cpu")
    corpus = Corpus(texts=TEXTS, targets=TARGETS)
    fine_tune(encoder, corpus, RECIPE, work, stage="tickets", progress=progress)
    return encoder


def _weights(encoder: SentenceTransformer) -> torch.Tensor:
    return torch.cat([value.flatten() for value in encoder.state_dict().values()])


def test_it_learns_to_keep_the_classes_apart(folder: Path, tmp_path: Path) -> None:
    def apart(encoder: SentenceTransformer) -> float:
        embeddings = encoder.encode(TEXTS, normalize_embeddings=True, show_progress_bar=False)
        laptop, password = (embeddings[TARGETS["queue"][:, i] == 1].mean(axis=0) for i in (0, 1))
        return float(np.linalg.norm(laptop - password))

    before = apart(SentenceTransformer(str(folder), device="cpu"))
    assert apart(_tune(folder, tmp_path)) > max(1.0, 2 * before)


def test_a_stopped_run_continues_to_the_same_result(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finetune, "_CHECKPOINT_EVERY", 5)
    whole = _tune(folder, tmp_path / "whole")
    with pytest.raises(_StoppedError):
        _tune(folder, tmp_path / "stopped", stop_at=12)
    continued = _tune(folder, tmp_path / "stopped")
    torch.testing.assert_close(_weights(continued), _weights(whole))
    assert not list((tmp_path / "stopped").glob("*.part"))


def test_a_finished_run_is_not_repeated(folder: Path, tmp_path: Path) -> None:
    first = _tune(folder, tmp_path)
    again = _tune(folder, tmp_path, stop_at=1)  # would stop if it took a single step
    torch.testing.assert_close(_weights(again), _weights(first))


@pytest.mark.parametrize("left", [b"", b"no archive", b"PK\x03\x04 half of one"])
def test_a_checkpoint_that_a_full_disk_cut_off_is_as_good_as_none(
    folder: Path, tmp_path: Path, left: bytes
) -> None:
    first = _tune(folder, tmp_path)
    (finished,) = tmp_path.glob("*.pt")
    finished.write_bytes(left)
    finished.with_suffix(".part").write_bytes(left)
    torch.testing.assert_close(_weights(_tune(folder, tmp_path)), _weights(first))
    assert finished.stat().st_size > len(left)


def test_a_run_that_ended_on_a_gpu_is_taken_over_without_one(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_a_gpu = (0, lambda _: "cuda:0", lambda *_: None)
    with monkeypatch.context() as elsewhere:
        known = [on_a_gpu, *torch.serialization._package_registry]
        elsewhere.setattr(torch.serialization, "_package_registry", known)
        first = _tune(folder, tmp_path)
    again = _tune(folder, tmp_path, stop_at=1)
    torch.testing.assert_close(_weights(again), _weights(first))


def test_rows_without_weight_teach_nothing(folder: Path, tmp_path: Path) -> None:
    encoder = SentenceTransformer(str(folder), device="cpu")
    before = _weights(encoder).clone()
    corpus = Corpus(texts=TEXTS[:8], targets={"queue": np.zeros((8, 2), dtype=np.float32)})
    recipe = Recipe(epochs=1, batch=8, weight_decay=0.0)
    fine_tune(encoder, corpus, recipe, tmp_path, stage="none", progress=lambda *_: None)
    torch.testing.assert_close(_weights(encoder), before)


def test_the_digest_knows_texts_and_targets() -> None:
    one = Corpus(texts=["a", "b"], targets=TARGETS)
    other_text = Corpus(texts=["a", "c"], targets=TARGETS)
    other_target = Corpus(texts=["a", "b"], targets={"queue": TARGETS["queue"] * 2})
    assert len({one.digest(), other_text.digest(), other_target.digest()}) == 3


def test_no_attention_is_dropped_but_what_is_embedded_is(folder: Path, tmp_path: Path) -> None:
    modules = dict(_tune(folder, tmp_path).named_modules())
    shares = {name: each.p for name, each in modules.items() if isinstance(each, torch.nn.Dropout)}
    assert {p for name, p in shares.items() if "attention.self" in name} == {0.0}
    assert {p for name, p in shares.items() if "attention.self" not in name} == {0.1}
