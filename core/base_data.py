"""The labelled texts that a bundle was made from, kept in it so that heads can be fitted again."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import asdict, fields
from typing import Any

from core.bundle import Bundle
from core.dataset import Example
from core.decision import Impact, Urgency
from core.errors import BundleError
from core.masking import mask
from core.training_data import PARTS, Part, TrainingData

BASE_DATA = "base_data.jsonl.gz"
"""The file's name inside a bundle: one JSON object a line, compressed."""

_FIELDS = frozenset(field.name for field in fields(Example))


def pack(data: TrainingData) -> bytes:
    """Write all parts of a training run as the content of `BASE_DATA`.

    Each line holds the fields of `core.dataset.Example` and its `part`: `train`, `calibrate` or
    `test`. Texts are masked as those of the record are. The same data gives the same bytes.
    """
    lines = (json.dumps(line, sort_keys=True) for line in _lines(data))
    return gzip.compress("\n".join(lines).encode(), mtime=0)


def _lines(data: TrainingData) -> Iterator[dict[str, Any]]:
    for part in PARTS:
        for example in getattr(data, part).examples:
            fields_of = asdict(example).items()
            known = {name: value for name, value in fields_of if value is not None and value != ()}
            yield {**known, "text": mask(example.text), "part": part}


def made_from(loaded: Bundle) -> TrainingData | None:
    """The texts that a bundle was made from; None where it does not hold them.

    Raises:
        BundleError: What it holds is damaged.
    """
    if BASE_DATA not in loaded.contents:
        return None
    return unpack(loaded.contents[BASE_DATA], loaded.manifest.queues)


def unpack(content: bytes, queues: tuple[str, ...]) -> TrainingData:
    """Read what `pack` wrote.

    Args:
        content: Of the file.
        queues: Of the bundle, in class order.

    Raises:
        BundleError: The content is no such file, or names a queue that the bundle does not have.
    """
    tickets: dict[str, list[Example]] = {part: [] for part in PARTS}
    messages: dict[str, list[Example]] = {part: [] for part in PARTS}
    try:
        for line in gzip.decompress(content).decode().split("\n"):
            row = json.loads(line)
            example = _example(row)
            kind = messages if example.batch else tickets
            kind[row["part"]].append(example)
            if stray := {example.queue, example.alt_queue, *example.one_of} - {None, *queues}:
                raise ValueError(f"the bundle has no queue {min(map(str, stray))!r}")
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError) as error:
        raise BundleError(f"{BASE_DATA} is damaged: {error}") from error
    parts = {part: Part(tuple(tickets[part]), tuple(messages[part])) for part in PARTS}
    return TrainingData(queues=queues, blank=0, for_heads=frozenset(), **parts)


def _example(row: dict[str, Any]) -> Example:
    known = {name: value for name, value in row.items() if name in _FIELDS}
    if known.get("urgency"):
        known["urgency"] = Urgency(known["urgency"])
    if known.get("impact"):
        known["impact"] = Impact(known["impact"])
    known["one_of"] = tuple(known.get("one_of", ()))
    return Example(**known)
