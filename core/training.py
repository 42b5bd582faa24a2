"""From a table of tickets to a bundle: one seeded command that continues where it was stopped."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import joblib  # type: ignore[import-untyped]
import numpy as np
from numpy.typing import NDArray

from core import base_data, bundle
from core.base_encoder import DEFAULT_ENCODER, load_base_encoder
from core.classifier import Classifier
from core.dataset import Example
from core.encoder import Encoder
from core.evaluation import Evaluation, evaluate
from core.finetune import Corpus, FineTuned, Progress, Recipe, fine_tune
from core.fitting import FitData, fit_heads
from core.limits import Judged, choose_rules
from core.manifest import Manifest
from core.model_card import EVALUATION, picture_prefix, write_card
from core.onnx_export import ExportedEncoder, export_encoder
from core.pictures import draw
from core.targets import targets
from core.training_data import Part, TrainingData, read_training_data

MIN_FINE_TUNED = 2000
"""With fewer tickets to train on, the encoder stays as it is."""

_ON_TICKETS = Recipe()
_ON_MESSAGES = Recipe(epochs=1, encoder_rate=5e-5, warmup=0.1, token_drop=0.1)
_MESSAGE_ROUNDS = 6
_TICKETS_AMONG_MESSAGES = 12_000
_MESSAGE_WEIGHT = 10.0
"""What a message weighs in the word model, where tickets outnumber them by far."""

_CHUNK = 512


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """What to train on, and how.

    Attributes:
        data: CSV of texts and queues, gzipped or not.
        text_column: Its column with the text.
        label_column: Its column with the queue.
        out: Folder of the bundle; one that is there is replaced at the end, as a whole.
        encoder: A Sentence-Transformers model: folder, or name on the hub.
        messages: Hand-labelled messages, one JSON object a line.
        frozen: Leave the encoder as it is: minutes instead of an hour.
        int8: Store and run the encoder in 8 bits where it can be.
        promised_precision: Share in (0, 1) of automatic routes that shall be right.
        seed: Fixes everything random.
        work: Folder for what a stopped run continues from.
        licences: Of data and base weights, by what they are of.
        keep_data: Put the texts into the bundle too, so that `autoticket retrain` can fit its
            heads again; without them it cannot.
    """

    data: Path
    text_column: str
    label_column: str
    out: Path
    encoder: str = DEFAULT_ENCODER
    messages: Path | None = None
    frozen: bool = False
    int8: bool = True
    promised_precision: float = 0.95
    seed: int = 0
    work: Path = Path("build/train")
    licences: tuple[tuple[str, str], ...] = ()
    keep_data: bool = True


def train(config: TrainingConfig, progress: Progress) -> Path:
    """Train, export, calibrate and measure a bundle.

    The same call continues a run that was stopped. The old bundle stays until the new one is
    whole.

    Args:
        config: What to train on, and how.
        progress: Told the stage's name, the steps done and the steps in all.

    Returns:
        The bundle's folder.

    Raises:
        DataError: The data cannot be trained on.
        EncoderError: The encoder cannot be loaded or exported.
        BundleError: `config.out` holds something that is no bundle.
    """
    data = read_training_data(
        config.data,
        text_column=config.text_column,
        label_column=config.label_column,
        messages=config.messages,
        seed=config.seed,
    )
    exported, tuned = _encoder(config, data, progress)
    files, manifest = _fit(config, data, exported, tuned, progress)
    if config.keep_data:
        files[base_data.BASE_DATA] = base_data.pack(data)
    bundle.save(config.out, manifest, files)
    _measure(config.out, data, progress)
    return config.out


def _encoder(
    config: TrainingConfig, data: TrainingData, progress: Progress
) -> tuple[ExportedEncoder, FineTuned | None]:
    """Load, fine-tune and export the encoder."""
    encoder = load_base_encoder(config.encoder)
    max_tokens = _max_tokens(encoder.max_seq_length)
    tuned = None
    if not config.frozen and len(data.train.tickets) >= MIN_FINE_TUNED:
        plain = replace(_ON_TICKETS, max_tokens=max_tokens, seed=config.seed)
        corpus = _corpus(data.train.tickets, data.queues)
        tuned = fine_tune(encoder, corpus, plain, config.work, stage="tickets", progress=progress)
        if data.train.messages:
            tuned = fine_tune(
                encoder,
                _corpus(_mixed(data, config.seed), data.queues),
                replace(_ON_MESSAGES, max_tokens=max_tokens, seed=config.seed),
                config.work,
                stage="messages",
                progress=progress,
                heads=tuned.heads,
            )
    texts = [example.text for example in _evenly(data.calibrate.examples)]
    return export_encoder(encoder, texts, max_tokens=max_tokens, int8=config.int8), tuned


def _max_tokens(longest: int | None) -> int:
    return min(longest or _ON_TICKETS.max_tokens, _ON_TICKETS.max_tokens)


def _corpus(examples: Sequence[Example], queues: Sequence[str]) -> Corpus:
    known = targets(examples, queues).by_name()
    return Corpus(texts=[example.text for example in examples], targets=known)


def _mixed(data: TrainingData, seed: int) -> list[Example]:
    """The messages several times over, among enough tickets not to forget these."""
    random = np.random.default_rng(seed)
    count = min(_TICKETS_AMONG_MESSAGES, len(data.train.tickets))
    rows = random.choice(len(data.train.tickets), count, replace=False)
    tickets = [data.train.tickets[row] for row in rows.tolist()]
    return list(data.train.messages) * _MESSAGE_ROUNDS + tickets


def _evenly(examples: Sequence[Example]) -> list[Example]:
    """Messages and as many tickets, for int8 to be fitted to both."""
    messages = [example for example in examples if example.batch]
    tickets = [example for example in examples if not example.batch]
    return messages + tickets[: max(len(messages), _CHUNK)]


def _fit(
    config: TrainingConfig,
    data: TrainingData,
    exported: ExportedEncoder,
    tuned: FineTuned | None,
    progress: Progress,
) -> tuple[dict[str, bytes], Manifest]:
    """Fit heads and limits on the embeddings that serving will see."""
    encoder = Encoder(
        exported.graph, exported.tokenizer, dim=exported.dim, max_tokens=exported.max_tokens
    )
    parts = {}
    for name, part in (("train", data.train), ("calibrate", data.calibrate)):
        texts = [example.text for example in part.examples]
        parts[name] = FitData(
            texts=texts,
            embeddings=_embed(encoder, exported.graph, texts, config.work, progress),
            targets=targets(part.examples, data.queues, message_weight=_MESSAGE_WEIGHT),
        )
    heads = fit_heads(
        parts["train"],
        parts["calibrate"],
        known=tuned.heads if tuned else None,
        seed=config.seed,
        progress=lambda done, total: progress("heads", done, total),
    )
    outputs = heads.predict(parts["calibrate"].texts, parts["calibrate"].embeddings)
    judged = Judged(examples=data.calibrate.examples, outputs=outputs, queues=data.queues)
    file = BytesIO()
    joblib.dump(heads, file, compress=3)
    files = {
        bundle.ENCODER: exported.graph,
        bundle.TOKENIZER: exported.tokenizer,
        bundle.HEADS: file.getvalue(),
    }
    manifest = Manifest(
        created_at=datetime.now(UTC),
        queues=data.queues,
        dim=exported.dim,
        max_tokens=exported.max_tokens,
        rules=choose_rules(judged, promised=config.promised_precision),
        licences=dict(config.licences),
        notes=_notes(config, data, tuned),
    )
    return files, manifest


def _embed(
    encoder: Encoder, graph: bytes, texts: Sequence[str], work: Path, progress: Progress
) -> NDArray[np.float32]:
    """Embed texts, or find them embedded by an earlier run."""
    digest = hashlib.sha256(graph + "\0".join(texts).encode()).hexdigest()
    path = work / f"embeddings-{digest[:16]}.npy"
    if path.exists():
        found: NDArray[np.float32] = np.load(path)
        return found
    parts = []
    for start in range(0, len(texts), _CHUNK):
        parts.append(encoder.encode(texts[start : start + _CHUNK]))
        progress("embeddings", min(start + _CHUNK, len(texts)), len(texts))
    embeddings = np.concatenate(parts)
    work.mkdir(parents=True, exist_ok=True)
    file = BytesIO()
    np.save(file, embeddings)
    _replace(path, file.getvalue())
    return embeddings


def _notes(config: TrainingConfig, data: TrainingData, tuned: FineTuned | None) -> dict[str, str]:
    counts = {
        name: f"{len(part.tickets)} tickets, {len(part.messages)} messages"
        for name, part in (
            ("trained on", data.train),
            ("calibrated on", data.calibrate),
            ("tested on", data.test),
        )
    }
    notes = {
        **counts,
        "left out": f"{data.blank} rows without text or queue",
        "encoder": f"{config.encoder}, {'fine-tuned' if tuned else 'as it was'}",
        "seed": str(config.seed),
    }
    if not data.train.messages:
        notes["unknown"] = "urgency, impact and what is no ticket: no messages were trained on"
    return notes


def _measure(folder: Path, data: TrainingData, progress: Progress) -> None:
    """Measure the saved bundle on the test part; write figures, pictures and model card."""
    classifier = Classifier.load(folder)
    known = [example.text for example in data.train.tickets]
    sets = _test_sets(data.test)
    found: list[Evaluation] = []
    for name, examples in sets.items():
        filed = not examples[0].batch
        seen = known if filed else None
        found.append(evaluate(classifier, examples, name=name, filed=filed, trained_on=seen))
        progress("evaluation", len(found), len(sets))
        if found[-1].queues:
            for picture, content in draw(found[-1].queues).items():
                _replace(folder / f"{picture_prefix(name)}-{picture}", content)
    figures = json.dumps([entry.to_json() for entry in found])
    _replace(folder / EVALUATION, f"{figures}\n".encode())
    write_card(folder)


def _test_sets(part: Part) -> dict[str, Sequence[Example]]:
    """The sets that are measured apart, by name, without empty ones."""
    sets: dict[str, Sequence[Example]] = {
        "tickets of the table": part.tickets,
        "messages in English": [e for e in part.messages if e.language == "en"],
        "messages in other languages": [e for e in part.messages if e.language != "en"],
    }
    return {name: examples for name, examples in sets.items() if examples}


def _replace(path: Path, content: bytes) -> None:
    """Write all or nothing."""
    partial = path.with_name(f"{path.name}.tmp")
    partial.write_bytes(content)
    os.replace(partial, path)
