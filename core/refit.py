"""Fits a bundle's heads again, on its base data and on what people settled; needs no torch."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from io import BytesIO
from pathlib import Path

import joblib  # type: ignore[import-untyped]
import numpy as np
from numpy.typing import NDArray

from core import bundle
from core.base_data import BASE_DATA, unpack
from core.bundle import Bundle
from core.dataset import Example
from core.embeddings import embed
from core.encoder import Encoder
from core.errors import BundleError, DataError
from core.fitting import FitData, fit_data, fit_heads
from core.heads import Heads
from core.limits import Judged, choose_rules
from core.manifest import Manifest
from core.splits import text_key
from core.targets import Targets
from core.text import normalize
from core.training_data import PARTS, Part, TrainingData

PEOPLE = "people"
"""The batch of texts that were settled in the running bot."""

MAX_WEIGHT = 10.0
"""What a settled text may weigh against another; more would let a few decide (clipping)."""

_SHARES = {"train": 0.7, "calibrate": 0.15, "test": 0.15}
_SEED = 0

Progress = Callable[[str, int, int], None]
"""Called with the stage's name, the steps done, and the steps in all."""


@dataclass(frozen=True, slots=True)
class Settled:
    """A text that a person settled.

    Attributes:
        ticket: Its number, `T-12`.
        text: As recorded.
        queue: Where the person says it belongs; None: it is no ticket.
        probability: With which it was put to a person, in (0, 1].
        filed: It was filed on purpose, not written in a channel.
    """

    ticket: str
    text: str
    queue: str | None
    probability: float = 1.0
    filed: bool = True


@dataclass(frozen=True, slots=True)
class Divided:
    """Settled texts by part; the place of a text is the same in every version.

    Attributes:
        train: To fit on.
        calibrate: To calibrate and choose limits on.
        test: Held out: only ever compared on.
    """

    train: tuple[Settled, ...] = ()
    calibrate: tuple[Settled, ...] = ()
    test: tuple[Settled, ...] = ()


@dataclass(frozen=True, slots=True)
class Refit:
    """A bundle with new heads, not written yet.

    Attributes:
        manifest: Without version, as `core.bundle.save` takes it.
        files: Its files by name.
        data: The base data that it was fitted on.
        settled: What people settled, by part.
        embeddings: Of the base data's texts, float32 [n, dim], by part.
    """

    manifest: Manifest
    files: Mapping[str, bytes] = field(repr=False)
    data: TrainingData = field(repr=False)
    settled: Divided = field(repr=False)
    embeddings: Mapping[str, NDArray[np.float32]] = field(repr=False)


def base_data_of(loaded: Bundle) -> TrainingData:
    """The texts that a bundle was made from.

    Raises:
        BundleError: It was made without them.
    """
    if BASE_DATA not in loaded.contents:
        raise BundleError(
            f"the bundle {loaded.manifest.version} holds no {BASE_DATA}, so its heads cannot be "
            "fitted again: make it anew with autoticket train"
        )
    return unpack(loaded.contents[BASE_DATA], loaded.manifest.queues)


def divide(settled: Sequence[Settled], data: TrainingData) -> Divided:
    """Put each text where its hash says, or where the base data has the same text.

    So no version ever trains on what another is compared on.
    """
    known = {
        text_key(example.text): part for part in PARTS for example in getattr(data, part).examples
    }
    parts: dict[str, list[Settled]] = {part: [] for part in PARTS}
    for each in settled:
        key = text_key(normalize(each.text))
        parts[known.get(key) or _place(key)].append(each)
    return Divided(**{part: tuple(found) for part, found in parts.items()})


def _place(key: str) -> str:
    digest = hashlib.sha256(f"{PEOPLE}\0{key}".encode("utf-8", "surrogatepass")).digest()
    at = int.from_bytes(digest[:4], "big") / 2**32
    if at < _SHARES["train"]:
        return "train"
    return "calibrate" if at < _SHARES["train"] + _SHARES["calibrate"] else "test"


def refit(
    loaded: Bundle,
    settled: Sequence[Settled],
    *,
    cache: Path,
    now: datetime,
    progress: Progress,
    threads: int = 2,
) -> Refit:
    """Fit the heads and choose the limits anew; the encoder stays as it is.

    Args:
        loaded: The bundle whose encoder serves.
        settled: What people settled; queues that the bundle does not have are left out.
        cache: Folder for embeddings of the base data.
        now: Becomes the new bundle's date (aware).
        progress: Told how far it is.
        threads: Threads inside one multiplication of the encoder.

    Returns:
        The new bundle.

    Raises:
        BundleError: The bundle was made without base data.
    """
    data = base_data_of(loaded)
    encoder = loaded.encoder(threads=threads)
    known = [each for each in settled if each.queue is None or each.queue in data.queues]
    divided = divide(known, data)
    fitting = _Fitting(loaded, data, divided, encoder, cache, progress)
    heads, judged = fitting.heads()
    file = BytesIO()
    joblib.dump(heads, file, compress=3)
    files = {
        bundle.ENCODER: loaded.contents[bundle.ENCODER],
        bundle.TOKENIZER: loaded.contents[bundle.TOKENIZER],
        bundle.HEADS: file.getvalue(),
        BASE_DATA: loaded.contents[BASE_DATA],
    }
    manifest = replace(
        loaded.manifest,
        created_at=now,
        rules=choose_rules(judged, promised=loaded.manifest.rules.promised_precision),
        notes={**loaded.manifest.notes, **_notes(loaded.manifest.version, divided)},
        version="",
        files={},
        libraries={},
    )
    return Refit(manifest, files, data, divided, fitting.embeddings)


class _Fitting:
    """What one refit works with."""

    def __init__(
        self,
        loaded: Bundle,
        data: TrainingData,
        settled: Divided,
        encoder: Encoder,
        cache: Path,
        progress: Progress,
    ) -> None:
        self._data = data
        self._settled = settled
        self._encoder = encoder
        self._progress = progress
        self._cache = cache
        self._graph = loaded.manifest.files[bundle.ENCODER]
        self.embeddings = {part: self._embed(part) for part in PARTS}

    def _embed(self, part: str) -> NDArray[np.float32]:
        """Of tickets and messages apart, as training keeps them: so its embeddings are found."""
        told = partial(self._progress, f"embeddings of {part}")
        known: Part = getattr(self._data, part)
        return np.concatenate(
            [
                embed(self._encoder, self._graph, [each.text for each in some], self._cache, told)
                for some in (known.tickets, known.messages)
            ]
        )

    def heads(self) -> tuple[Heads, Judged]:
        """The heads, and what they say about the texts to choose limits on."""
        train, calibrate = self._fit_data("train"), self._fit_data("calibrate")
        heads = fit_heads(
            train,
            calibrate,
            seed=_SEED,
            progress=lambda done, total: self._progress("heads", done, total),
        )
        judged = Judged(
            examples=self._examples("calibrate"),
            outputs=heads.predict(calibrate.texts, calibrate.embeddings),
            queues=self._data.queues,
            importance=self._importance("calibrate"),
        )
        return heads, judged

    def _fit_data(self, part: str) -> FitData:
        examples = self._examples(part)
        base = self.embeddings[part]
        news = [example.text for example in examples[len(base) :]]
        embeddings = np.concatenate([base, self._encoder.encode(news)])
        to_calibrate = part == "calibrate"
        data = fit_data(examples, self._data.queues, embeddings, to_calibrate=to_calibrate)
        return replace(data, targets=_weighed(data.targets, self._importance(part)))

    def _examples(self, part: str) -> list[Example]:
        people = [as_example(each) for each in getattr(self._settled, part)]
        return [*getattr(self._data, part).examples, *people]

    def _importance(self, part: str) -> NDArray[np.float64]:
        base = np.ones(len(getattr(self._data, part).examples))
        return np.concatenate([base, importance(getattr(self._settled, part))])


def as_example(settled: Settled) -> Example:
    """The labelled text that somebody's decision makes."""
    return Example(
        text=normalize(settled.text),
        queue=settled.queue,
        is_ticket=settled.queue is not None,
        batch=PEOPLE,
    )


def importance(settled: Sequence[Settled]) -> NDArray[np.float64]:
    """What each text weighs [n]: how many like it were not put to a person, clipped, mean 1."""
    weights = np.array([min(1 / each.probability, MAX_WEIGHT) for each in settled])
    return weights / weights.mean() if len(weights) else weights


def _weighed(known: Targets, weights: NDArray[np.float64]) -> Targets:
    rows = weights[:, None].astype(np.float32)
    return Targets(
        queue=known.queue * rows,
        ticket=known.ticket * rows,
        urgency=known.urgency * rows,
        impact=known.impact * rows,
    )


def _notes(parent: str, settled: Divided) -> dict[str, str]:
    counts = ", ".join(f"{len(getattr(settled, part))} {part}" for part in PARTS)
    return {"fitted again from": parent, "settled by people": counts}


def check_learnable(settled: Sequence[Settled]) -> None:
    """Refuse what nothing can be learned from.

    Raises:
        DataError: Nobody has settled anything, or all of it is one and the same answer.
    """
    if not settled:
        raise DataError("no person has settled a ticket yet, so there is nothing to learn from")
    answers = {each.queue for each in settled}
    if len(answers) < 2:
        [only] = answers
        what = f"all belong to {only!r}" if only else "all are no tickets"
        raise DataError(
            f"people have settled {len(settled)} tickets and {what}: the model would only lean "
            "that way; it can learn once another answer is among them"
        )
