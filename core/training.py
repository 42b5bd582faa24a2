"""From a table of tickets to a bundle: one seeded command that continues where it was stopped."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import joblib  # type: ignore[import-untyped]
import numpy as np

from core import bundle
from core.base_data import BASE_DATA, made_from, pack
from core.base_encoder import DEFAULT_ENCODER
from core.bundle import Bundle
from core.classifier import Classifier
from core.corpus import second_reading
from core.dataset import Example
from core.embeddings import embed
from core.encoder import ExportedEncoder
from core.evaluation import Evaluation, evaluate
from core.fitting import FitData, fit_data, fit_heads
from core.limits import Judged, choose_rules
from core.manifest import MANIFEST, Manifest
from core.model_card import CARD, EVALUATION, model_card, picture_prefix
from core.pictures import draw
from core.progress import Progress
from core.training_data import PARTS, Part, TrainingData, one_place, read_training_data


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """What to train on, and how.

    Attributes:
        data: CSV of texts and queues, gzipped or not.
        text_column: Its column with the text.
        label_column: Its column with the queue.
        out: Folder of the bundle; one that is there is replaced at the end, as a whole.
        encoder: A Sentence-Transformers model: folder, or name on the hub; or the folder of a
            bundle, whose encoder is taken as it is: minutes instead of an hour, and no torch.
        messages: Hand-labelled messages, one JSON object a line. Without them those that a
            bundle named as encoder was made from are taken.
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
        BundleError: `config.out` holds something that is no bundle, or cannot be written.
    """
    bundle.check_place(config.out)
    data = read_training_data(
        config.data,
        text_column=config.text_column,
        label_column=config.label_column,
        messages=config.messages,
        seed=config.seed,
    )
    loaded = _encoder_bundle(config)
    known = None if loaded is None else made_from(loaded)
    if config.messages is None and known is not None:
        data = _with_messages(data, known)
    data = one_place(data, known)
    notes = _notes(config, data)
    base = _base(config, loaded, data, progress)
    files, manifest = _fit(config, data, base, {**notes, "encoder": base.origin}, progress)
    if config.keep_data:
        files[BASE_DATA] = pack(data)
    sealed = bundle.seal(manifest, files)
    documents = _measure(Bundle(sealed, files), data, progress)
    bundle.save(config.out, manifest, files, documents=documents)
    return config.out


@dataclass(frozen=True, slots=True)
class _Base:
    """The encoder of a bundle to be made, and what it is."""

    exported: ExportedEncoder
    origin: str


def _base(
    config: TrainingConfig, loaded: Bundle | None, data: TrainingData, progress: Progress
) -> _Base:
    """Take a bundle's encoder as it is, or make one."""
    if loaded is not None:
        return _Base(loaded.exported, loaded.manifest.notes.get("encoder", config.encoder))
    from core.tuning import make_encoder  # noqa: PLC0415  brings torch

    made = make_encoder(
        data,
        config.encoder,
        frozen=config.frozen,
        int8=config.int8,
        seed=config.seed,
        work=config.work,
        progress=progress,
    )
    how = "fine-tuned" if made.fine_tuned else "as it was"
    return _Base(made.exported, f"{config.encoder}, {how}")


def _encoder_bundle(config: TrainingConfig) -> Bundle | None:
    """The bundle that `config.encoder` names, if it names one."""
    return Bundle.load(config.encoder) if (Path(config.encoder) / MANIFEST).is_file() else None


def _with_messages(data: TrainingData, known: TrainingData) -> TrainingData:
    """The same data with the messages that the encoder's bundle was made from.

    Priority and what is no ticket are the same whatever the queues are; a queue that the data
    does not have is forgotten.
    """
    parts = {}
    for name in PARTS:
        own, others = getattr(data, name), getattr(known, name).messages
        kept = tuple(_without_strange_queue(message, data.queues) for message in others)
        parts[name] = replace(own, messages=kept)
    return TrainingData(queues=data.queues, blank=data.blank, **parts)


def _without_strange_queue(message: Example, queues: Sequence[str]) -> Example:
    strange = {message.queue, message.alt_queue} - {None, *queues}
    return replace(message, queue=None, alt_queue=None) if strange else message


def _fit(
    config: TrainingConfig,
    data: TrainingData,
    base: _Base,
    notes: dict[str, str],
    progress: Progress,
) -> tuple[dict[str, bytes], Manifest]:
    """Fit heads and limits on the embeddings that serving will see."""
    train, calibrate = _fit_data(config, data, base.exported, progress)
    heads = fit_heads(
        train,
        calibrate,
        seed=config.seed,
        progress=partial(progress, "heads"),
    )
    outputs = heads.predict(calibrate.texts, calibrate.embeddings)
    judged = Judged(examples=data.calibrate.examples, outputs=outputs, queues=data.queues)
    file = BytesIO()
    joblib.dump(heads, file, compress=3)
    files = {
        bundle.ENCODER: base.exported.graph,
        bundle.TOKENIZER: base.exported.tokenizer,
        bundle.HEADS: file.getvalue(),
    }
    manifest = Manifest(
        created_at=datetime.now(UTC),
        queues=data.queues,
        dim=base.exported.dim,
        max_tokens=base.exported.max_tokens,
        rules=choose_rules(judged, promised=config.promised_precision),
        licences=dict(config.licences),
        notes=notes,
    )
    return files, manifest


def _fit_data(
    config: TrainingConfig, data: TrainingData, exported: ExportedEncoder, progress: Progress
) -> tuple[FitData, FitData]:
    """What to fit to and what to calibrate on, embedded."""
    encoder = exported.open()
    digest = hashlib.sha256(exported.graph).hexdigest()
    total = len(data.train.examples) + len(data.calibrate.examples)
    done = 0

    def embed_part(part: Part) -> FitData:
        nonlocal done
        embedded = []
        for examples in (part.tickets, part.messages):  # apart, so that news leave the other be
            texts = [example.text for example in examples]
            show = partial(_after, done, total, progress)
            embedded.append(embed(encoder, digest, texts, config.work, show))
            done += len(texts)
        embeddings = np.concatenate(embedded)
        to_calibrate = part is data.calibrate
        return fit_data(part.examples, data.queues, embeddings, to_calibrate=to_calibrate)

    return embed_part(data.train), embed_part(data.calibrate)


def _after(before: int, total: int, progress: Progress, done: int, _: int) -> None:
    progress("embeddings", before + done, total)


def _notes(config: TrainingConfig, data: TrainingData) -> dict[str, str]:
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
        "seed": str(config.seed),
    }
    if not data.train.messages:
        notes["unknown"] = "urgency, impact and what is no ticket: no messages were trained on"
    if config.messages and (reading := second_reading(config.messages)):
        notes["second reading of the messages"] = reading
    return notes


def _measure(made: Bundle, data: TrainingData, progress: Progress) -> dict[str, bytes]:
    """Measure a bundle on the test part: figures, pictures and model card by file name."""
    classifier = Classifier(made.manifest, made.encoder(), made.heads())
    known = [example.text for example in data.train.tickets]
    sets = _test_sets(data.test)
    found: list[dict[str, Any]] = []
    pictures: dict[str, bytes] = {}
    for name, examples in sets.items():
        filed = not examples[0].batch
        seen = known if filed else None
        figures = evaluate(classifier, examples, name=name, filed=filed, trained_on=seen)
        found.append(figures.to_json())
        pictures |= _pictures(figures)
        progress("evaluation", len(found), len(sets))
    card = model_card(made.manifest.to_json(), found, sorted(pictures))
    return {EVALUATION: f"{json.dumps(found)}\n".encode(), CARD: card.encode(), **pictures}


def _pictures(figures: Evaluation) -> dict[str, bytes]:
    """The pictures by file name, where matplotlib is installed."""
    if figures.queues is None or not importlib.util.find_spec("matplotlib"):
        return {}
    prefix = picture_prefix(figures.name)
    return {f"{prefix}-{name}": content for name, content in draw(figures.queues).items()}


def _test_sets(part: Part) -> dict[str, Sequence[Example]]:
    """The sets that are measured apart, by name, without empty ones.

    Each batch of messages has another hand, and figures apart.
    """
    sets: dict[str, Sequence[Example]] = {
        "tickets of the table": part.tickets,
        "messages in English": [e for e in part.messages if e.language == "en"],
        "messages in other languages": [e for e in part.messages if e.language != "en"],
    }
    batches = sorted({e.batch for e in part.messages if e.language == "en"})
    for batch in batches if len(batches) > 1 else ():
        sets[f"English, batch {batch}"] = [
            e for e in part.messages if (e.batch, e.language) == (batch, "en")
        ]
    return {name: examples for name, examples in sets.items() if examples}
