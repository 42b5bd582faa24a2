"""The tiny bundle of tests/core/conftest.py with base data, so that it can be fitted again."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from core import bundle
from core.base_data import BASE_DATA, pack
from core.dataset import Example
from core.decision import Impact, Urgency
from core.manifest import Manifest
from core.policy import Rules
from core.training_data import Part, TrainingData
from tests.core import conftest as tiny

WORDS = {
    "Hardware": ("laptop", "printer"),
    "Access": ("password", "account"),
    "Storage": ("disk", "disk"),
}
CHAT = ("thanks", "lunch")
SYLLABLES = ("ka", "lo", "mi", "nu", "pe", "ra", "so", "ti", "vu", "zo")


def manifest() -> Manifest:
    return Manifest(
        created_at=datetime(2026, 11, 22, 8, 30, tzinfo=UTC),
        queues=tiny.QUEUES,
        dim=tiny.DIM,
        max_tokens=16,
        rules=Rules(
            promised_precision=0.9,
            thresholds={"Hardware": 0.9, "Access": 0.9, "Storage": 1.0},
            languages=("en", "und"),
            ignore_below=0.1,
            doubt_below=0.5,
            novelty_above=1.0,
            outage_above=0.3,
        ),
        licences={"data": "CC0-1.0"},
    )


def filler(number: int) -> str:
    """Words that the encoder does not know, so that each text is its own."""
    return " ".join(SYLLABLES[int(digit)] * 2 for digit in f"{number:03d}")


def base_data(per_queue: int = 120) -> TrainingData:
    parts: dict[str, tuple[list, list]] = {
        part: ([], []) for part in ("train", "calibrate", "test")
    }
    for number in range(per_queue):
        part = "train" if number % 4 < 2 else ("calibrate" if number % 4 == 2 else "test")
        tickets, messages = parts[part]
        for queue, words in WORDS.items():
            text = f"the {words[number % 2]} of {filler(number)}"
            tickets.append(Example(text, queue, is_ticket=True))
            hurry = Urgency.HIGH if number % 3 else Urgency.LOW
            wide = Impact.COMPANY if number % 3 else Impact.USER
            messages.append(
                Example(f"my {text}", queue, None, True, hurry, wide, "en", batch="hand")
            )
        chat = f"{CHAT[number % 2]} to {filler(number)}"
        messages.append(Example(chat, is_ticket=False, language="en", batch="hand"))
    built = {part: Part(tuple(t), tuple(m)) for part, (t, m) in parts.items()}
    return TrainingData(queues=tiny.QUEUES, blank=0, **built)


def save(folder: Path, *, data: TrainingData | None = None, keep_data: bool = True) -> str:
    """Write the bundle; returns its version."""
    files = {
        "encoder.onnx": tiny._graph(pad_vector=1000.0),
        "tokenizer.json": tiny._tokenizer(),
        "heads.joblib": tiny._heads(),
    }
    if keep_data:
        files[BASE_DATA] = pack(data or base_data())
    return bundle.save(folder, manifest(), files).version


def rules(**changes) -> Rules:
    return replace(manifest().rules, **changes)


def unit(*values: float) -> np.ndarray:
    vector = np.array(values, dtype=np.float32)
    return vector / np.linalg.norm(vector)
