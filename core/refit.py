"""Fits a bundle's heads again, on its base data and on what people settled; needs no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from io import BytesIO
from pathlib import Path

import joblib  # type: ignore[import-untyped]
import numpy as np
from numpy.typing import NDArray

from core import bundle
from core.base_data import BASE_DATA, made_from, pack
from core.bundle import Bundle
from core.embeddings import embed
from core.encoder import Encoder
from core.errors import BundleError
from core.fitting import fit_data, fit_heads
from core.heads import Heads
from core.learning_set import LearningSet, without_contradicted
from core.limits import Judged, choose_rules
from core.manifest import Manifest
from core.progress import Progress
from core.queue_edits import ClassNames
from core.settled import Divided, Settled, divide, importance
from core.split_queues import carried, share_out
from core.targets import Targets
from core.text import normalize
from core.training_data import PARTS, Part, TrainingData

_SEED = 0


@dataclass(frozen=True, slots=True)
class Refit:
    """A bundle with new heads, not written yet.

    Attributes:
        manifest: Without version, as `core.bundle.save` takes it.
        files: Its files by name.
        learned: What it was fitted to, calibrated on, and may be compared on.
    """

    manifest: Manifest
    files: Mapping[str, bytes] = field(repr=False)
    learned: LearningSet = field(repr=False)


def base_data_of(loaded: Bundle) -> TrainingData:
    """The texts that a bundle was made from.

    Raises:
        BundleError: It was made without them.
    """
    known = made_from(loaded)
    if known is None:
        raise BundleError(
            f"the bundle {loaded.manifest.version} holds no {BASE_DATA}, so its heads cannot be "
            "fitted again: make it anew with autoticket train"
        )
    return known


def refit(
    loaded: Bundle,
    settled: Sequence[Settled],
    *,
    cache: Path,
    now: datetime,
    progress: Progress,
    threads: int = 2,
    names: ClassNames | None = None,
) -> Refit:
    """Fit the heads and choose the limits anew; the encoder stays as it is.

    Args:
        loaded: The bundle whose encoder serves.
        settled: What people settled; queues that the bundle does not have are left out.
        cache: Folder for embeddings of the base data.
        now: Becomes the new bundle's date (aware).
        progress: Told how far it is.
        threads: Threads inside one multiplication of the encoder.
        names: What the bundle's queues are called today; None: as in the bundle.

    Returns:
        The new bundle, with the queues of today.

    Raises:
        BundleError: The bundle was made without base data.
    """
    data, packed = base_data_of(loaded), loaded.contents[BASE_DATA]
    if names is not None and names.edited:
        data = carried(data, names)
        packed = pack(data)
    encoder = loaded.encoder(threads=threads)
    known = [each for each in settled if each.queue is None or each.queue in data.queues]
    embedding = _Embedding(encoder, loaded.manifest.files[bundle.ENCODER], cache, progress)
    everything = embedding.everything(data, divide(known, data))
    learned = without_contradicted(everything)
    heads, judged = _fit(learned, progress)
    file = BytesIO()
    joblib.dump(heads, file, compress=3)
    files = {
        bundle.ENCODER: loaded.contents[bundle.ENCODER],
        bundle.TOKENIZER: loaded.contents[bundle.TOKENIZER],
        bundle.HEADS: file.getvalue(),
        BASE_DATA: packed,
    }
    manifest = replace(
        loaded.manifest,
        created_at=now,
        queues=data.queues,
        rules=choose_rules(judged, promised=loaded.manifest.rules.promised_precision),
        notes={**loaded.manifest.notes, **_notes(loaded.manifest.version, learned)},
        version="",
        files={},
        libraries={},
    )
    return Refit(manifest, files, learned)


@dataclass(frozen=True, slots=True)
class _Embedding:
    """Embeds what one refit works with.

    Attributes:
        encoder: Turns texts into embeddings.
        graph: The hash of its graph.
        cache: Folder for embeddings of the base data.
        progress: Told how far it is.
    """

    encoder: Encoder
    graph: str
    cache: Path
    progress: Progress

    def everything(self, data: TrainingData, settled: Divided) -> LearningSet:
        """All texts with their embeddings."""
        return LearningSet(
            data=data,
            settled=settled,
            base={part: self._base(part, getattr(data, part)) for part in PARTS},
            answers={part: self._answers(getattr(settled, part)) for part in PARTS},
        )

    def _base(self, name: str, part: Part) -> NDArray[np.float32]:
        """Of tickets and messages apart, as training keeps them: so its embeddings are found."""
        told = partial(self.progress, f"embeddings of {name}")
        return np.concatenate(
            [
                embed(self.encoder, self.graph, [each.text for each in some], self.cache, told)
                for some in (part.tickets, part.messages)
            ]
        )

    def _answers(self, settled: Sequence[Settled]) -> NDArray[np.float32]:
        return self.encoder.encode([normalize(each.text) for each in settled])


def _fit(known: LearningSet, progress: Progress) -> tuple[Heads, Judged]:
    """The heads, and what they say about the texts to choose limits on.

    The heads learn from every answer alike: weighed by how rarely such a text was put to a person,
    they learn less from the same answers (benchmarks/learning.py). Calibration and limits are
    estimates of what comes, and need the weights.
    """
    queues, examples = known.data.queues, known.examples("calibrate")
    texts = known.examples("train")
    train = share_out(fit_data(texts, queues, known.embeddings("train")), texts, queues)
    embeddings = known.embeddings("calibrate")
    calibrate = fit_data(examples, queues, embeddings, to_calibrate=True)
    base = np.ones(len(known.base["calibrate"]))
    weights = np.concatenate([base, importance(known.settled.calibrate)])
    heads = fit_heads(
        train,
        replace(calibrate, targets=_weighed(calibrate.targets, weights)),
        seed=_SEED,
        progress=lambda done, total: progress("heads", done, total),
    )
    outputs = heads.predict(calibrate.texts, embeddings)
    return heads, Judged(examples, outputs, queues, weights)


def _weighed(known: Targets, weights: NDArray[np.float64]) -> Targets:
    rows = weights[:, None].astype(np.float32)
    return Targets(
        queue=known.queue * rows,
        ticket=known.ticket * rows,
        urgency=known.urgency * rows,
        impact=known.impact * rows,
    )


def _notes(parent: str, learned: LearningSet) -> dict[str, str]:
    counts = ", ".join(f"{len(getattr(learned.settled, part))} {part}" for part in PARTS)
    out = learned.left_out
    return {
        "fitted again from": parent,
        "settled by people": counts,
        "contradicted by newer answers": f"{out.answers} older answers, {out.base} of base data",
    }
