"""Makes a bundle's sentence encoder: loaded, fine-tuned, exported; needs the `train` extra."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from core.base_encoder import load_base_encoder
from core.dataset import Example
from core.encoder import ExportedEncoder
from core.finetune import Corpus, Recipe, fine_tune
from core.heads import Linear
from core.onnx_export import export_encoder
from core.progress import Progress
from core.targets import targets
from core.training_data import TrainingData

MIN_FINE_TUNED = 2000
"""With fewer tickets to train on, the encoder stays as it is."""

_ON_TICKETS = Recipe()
_ON_MESSAGES = Recipe(epochs=1, encoder_rate=5e-5, warmup=0.1, token_drop=0.1)
_MESSAGE_ROUNDS = 6
_TICKETS_AMONG_MESSAGES = 12_000
_OBSERVED_TICKETS = 512


@dataclass(frozen=True, slots=True)
class TunedEncoder:
    """An encoder ready for serving.

    Attributes:
        exported: Graph and tokenizer.
        fine_tuned: Whether it is another one than was loaded.
    """

    exported: ExportedEncoder
    fine_tuned: bool


def make_encoder(
    data: TrainingData,
    name: str,
    *,
    frozen: bool,
    int8: bool,
    seed: int,
    work: Path,
    progress: Progress,
) -> TunedEncoder:
    """Load an encoder, fine-tune it where there is enough data, and export it.

    Args:
        data: What to fine-tune on.
        name: A Sentence-Transformers model: folder, or name on the hub.
        frozen: Leave the encoder as it is.
        int8: Store and run it in 8 bits where it can be.
        seed: Fixes everything random.
        work: Folder for what a stopped run continues from.
        progress: Told the stage's name, the steps done and the steps in all.

    Raises:
        EncoderError: The encoder cannot be loaded or exported.
    """
    encoder = load_base_encoder(name)
    max_tokens = min(encoder.max_seq_length or _ON_TICKETS.max_tokens, _ON_TICKETS.max_tokens)
    heads: Mapping[str, Linear] = {}
    if not frozen and len(data.train.tickets) >= MIN_FINE_TUNED:
        stages = {"tickets": (data.train.tickets, _ON_TICKETS)}
        if data.train.messages:
            stages["messages"] = (_mixed(data, seed), _ON_MESSAGES)
        for stage, (examples, recipe) in stages.items():
            heads = fine_tune(
                encoder,
                _corpus(examples, data.queues),
                replace(recipe, max_tokens=max_tokens, seed=seed),
                work,
                stage=stage,
                progress=progress,
                heads=heads,
            ).heads
    texts = _observed(data.calibrate.examples)
    exported = export_encoder(encoder, texts, max_tokens=max_tokens, int8=int8)
    return TunedEncoder(exported, fine_tuned=bool(heads))


def _corpus(examples: Sequence[Example], queues: Sequence[str]) -> Corpus:
    known = targets(examples, queues).by_name()
    return Corpus(texts=[example.text for example in examples], targets=known)


def _mixed(data: TrainingData, seed: int) -> tuple[Example, ...]:
    """The messages several times over, among enough tickets not to forget these."""
    random = np.random.default_rng(seed)
    count = min(_TICKETS_AMONG_MESSAGES, len(data.train.tickets))
    rows = random.choice(len(data.train.tickets), count, replace=False)
    tickets = tuple(data.train.tickets[row] for row in rows.tolist())
    return data.train.messages * _MESSAGE_ROUNDS + tickets


def _observed(examples: Sequence[Example]) -> list[str]:
    """Texts of messages and of as many tickets, for int8 to be fitted to both."""
    messages = [example.text for example in examples if example.batch]
    tickets = [example.text for example in examples if not example.batch]
    return messages + tickets[: max(len(messages), _OBSERVED_TICKETS)]
