"""Makes a bundle's sentence encoder: loaded, fine-tuned, exported; needs the `train` extra."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.base_encoder import load_base_encoder
from core.dataset import Example
from core.encoder import ExportedEncoder
from core.finetune import Corpus, Recipe, fine_tune
from core.onnx_export import export_encoder
from core.progress import Progress
from core.targets import targets
from core.training_data import TrainingData

MIN_FINE_TUNED = 2000
"""With fewer tickets to train on, the encoder stays as it is."""

_MESSAGE_ROUNDS = 3
"""How often an epoch shows each message for every time that it shows a ticket: these are many."""

_SERVED_TOKENS = 256
"""What serving shows the encoder of a text. Learning sees less: long mails end in old threads."""

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
    recipe = Recipe(seed=seed)
    served = min(encoder.max_seq_length or _SERVED_TOKENS, _SERVED_TOKENS)
    fine_tuned = not frozen and len(data.train.tickets) >= MIN_FINE_TUNED
    if fine_tuned:
        fine_tune(
            encoder,
            _corpus(data),
            replace(recipe, max_tokens=min(recipe.max_tokens, served)),
            work,
            stage="fine-tune",
            progress=progress,
        )
    texts = _observed(data.calibrate.examples)
    exported = export_encoder(encoder, texts, max_tokens=served, int8=int8)
    return TunedEncoder(exported, fine_tuned=fine_tuned)


def _corpus(data: TrainingData) -> Corpus:
    """Tickets and messages together: learned one after the other, the first suffer."""
    shown = tuple(each for each in data.train.messages if each.batch not in data.for_heads)
    examples = data.train.tickets + shown * _MESSAGE_ROUNDS
    known = targets(examples, data.queues).by_name()
    return Corpus(texts=[example.text for example in examples], targets=known)


def _observed(examples: Sequence[Example]) -> list[str]:
    """Texts of messages and of about as many tickets, for int8 to be fitted to both."""
    messages = [example.text for example in examples if example.batch]
    tickets = [example.text for example in examples if not example.batch]
    apart = max(len(tickets) // max(len(messages), _OBSERVED_TICKETS), 1)
    return messages + tickets[::apart]
