"""How many reviews it takes until automatic routes can be trusted again after labels have shifted.

    python -m benchmarks.shift --model models/default --seeds 3

Two of six groups of texts in each of the two largest queues change places. From then on tickets
arrive, an oracle reviews what the bot asks about, and each round ends with a new version that is
promoted. Everything between is the product's own: `core/refit.py` with what it leaves out, limits
and policy, settled texts in memory (`core/neighbours.py`), and the queue watch. Then the same
without leaving anything out, and without any shift. Measured on tickets that nobody sees: of those
that belong into one of the two queues, how many the model knows, how many are routed, and how many
routed wrong; and how many of all routes into the two queues are right. With `--model` it takes that
bundle's encoder and the tickets that it was not fine-tuned on, else the published encoder and
12,000 tickets of `--data`. Some minutes a seed, with OPENBLAS_NUM_THREADS=1: the products are many
and small.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import cast
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans  # type: ignore[import-untyped]

from benchmarks.simulated import Data, Rows, arguments, load
from core import bundle
from core.base_data import BASE_DATA, pack
from core.bundle import Bundle
from core.classifier import Classifier
from core.dataset import Example
from core.decision import Classification, Decision
from core.encoder import Encoder
from core.neighbours import Memory, Precedent, judge_with_precedents
from core.queue_watch import Verdict, judge_automatic, judge_demoted, weigh
from core.refit import Refit, refit
from core.settled import Settled
from core.training_data import Part, TrainingData

BASE, BASE_CALIBRATES, ANSWERED = 0.3, 0.3, 0.15
ROUNDS, AUDITED = 8, 0.05
GROUPS, MOVED = 6, 2
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Point:
    """What was measured after so many reviews."""

    way: str
    seed: int
    reviews: int
    accuracy: float
    routed: float
    wrong: float
    precision: float
    left_out: int


class _Table:
    """An encoder that looks embeddings up."""

    def __init__(self, data: Data) -> None:
        self.dim = data.embeddings.shape[1]
        self._rows = {text: row for row, text in enumerate(data.texts)}
        self._embeddings = data.embeddings

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The embeddings float32 [n, dim] of known texts."""
        return self._embeddings[[self._rows[text] for text in texts]]


class _Bundle(Bundle):
    """A bundle whose encoder looks embeddings up."""

    __slots__ = ("table",)
    table: _Table

    def encoder(self, *, threads: int = 2) -> Encoder:
        """The table, in the place of the real encoder."""
        return cast(Encoder, self.table)


@dataclass
class Office:
    """A team with its model: what people have said, and what follows from it."""

    data: Data
    start: _Bundle
    cache: Path
    answers: list[Settled] = field(default_factory=list)
    demoted: set[str] = field(default_factory=set)
    classifier: Classifier = field(init=False)
    memory: Memory = field(init=False)
    left_out: int = 0

    def __post_init__(self) -> None:
        self.memory = Memory.empty(self.data.embeddings.shape[1])

    def hear(self, rows: Rows, labels: Rows, probabilities: NDArray[np.float64]) -> None:
        """People answer."""
        new: dict[Precedent, NDArray[np.float32]] = {}
        for row, probability in zip(rows.tolist(), probabilities.tolist(), strict=True):
            queue, text, order = (
                self.data.queues[labels[row]],
                self.data.texts[row],
                len(self.answers),
            )
            self.answers.append(Settled(f"T-{order}", text, queue, probability, True, order))
            new[Precedent(order, queue, order, text)] = self.data.embeddings[row]
        self.memory = self.memory.changed([], new, limit=10_000)

    def learn(self) -> None:
        """Fit a version on everything, and promote it."""
        made = refit(self.start, self.answers, cache=self.cache, now=NOW, progress=_quiet)
        out = made.learned.left_out
        self.left_out = out.answers + out.base
        self.classifier = _classifier(made, self.start)

    def judge(self, rows: Rows) -> tuple[list[Classification], NDArray[np.bool_]]:
        """What the bot says, and what it routes."""
        texts = [self.data.texts[row] for row in rows]
        memories = [self.memory] * len(texts)
        said = judge_with_precedents(self.classifier, texts, [True] * len(texts), memories)
        routed = [s.decision is Decision.AUTO and s.queue_label not in self.demoted for s in said]
        return said, np.array(routed, dtype=bool)

    def watch(self, outcomes: Mapping[str, list[bool]]) -> None:
        """Demote and restore queues after what audits and reviews of this version have shown."""
        promise = self.start.manifest.rules.promised_precision
        for queue, right in outcomes.items():
            evidence = weigh(right, promise)
            if queue in self.demoted and judge_demoted(evidence) is Verdict.RETURNED:
                self.demoted.discard(queue)
            elif queue not in self.demoted and judge_automatic(evidence) is Verdict.FALLEN:
                self.demoted.add(queue)


def _classifier(made: Refit, start: _Bundle) -> Classifier:
    sealed = bundle.seal(made.manifest, made.files)
    return Classifier(sealed, start.encoder(), Bundle(sealed, made.files).heads())


def _quiet(stage: str, done: int, total: int) -> None:
    """Nobody waits for one version."""


def start_of(data: Data, rows: Rows, loaded: Bundle) -> _Bundle:
    """A bundle with these tickets as base data."""
    examples = [
        Example(data.texts[row], data.queues[data.labels[row]], is_ticket=True) for row in rows
    ]
    held = round(len(examples) * BASE_CALIBRATES)
    base = TrainingData(
        queues=data.queues,
        train=Part(tuple(examples[held:]), ()),
        calibrate=Part(tuple(examples[:held]), ()),
        test=Part((), ()),
        blank=0,
    )
    made = _Bundle(loaded.manifest, {**loaded.contents, BASE_DATA: pack(base)})
    object.__setattr__(made, "table", _Table(data))
    return made


def shifted_labels(data: Data, seed: int) -> tuple[Rows, Rows]:
    """The labels after some groups in the two largest queues have changed places, and these."""
    a, b = np.bincount(data.labels).argsort()[::-1][:2]
    labels = data.labels.copy()
    for queue, other in ((a, b), (b, a)):
        here = np.flatnonzero(data.labels == queue)
        group = KMeans(GROUPS, random_state=seed, n_init=1).fit_predict(data.embeddings[here])
        labels[here[group < MOVED]] = other
    return labels, np.array([a, b])


def simulate(data: Data, loaded: Bundle, seed: int, way: str, work: Path) -> list[Point]:
    """One team before and after the shift."""
    random = np.random.default_rng(seed)
    order = random.permutation(data.stream)
    first, known = round(BASE * len(order)), round((BASE + ANSWERED) * len(order))
    labels, both = shifted_labels(data, seed)
    office = Office(data, start_of(data, order[:first], loaded), work)
    answered = order[first:known]
    office.hear(answered, data.labels, np.ones(len(answered)))
    office.learn()
    points = [_measure(office, f"{way}: before", seed, 0, data.labels, both)]
    labels = data.labels if way == NO_SHIFT else labels
    points.append(_measure(office, way, seed, 0, labels, both))
    reviews = 0
    for arrived in np.array_split(order[known:], ROUNDS):
        reviews += _round(office, arrived, labels, random)
        office.learn()
        points.append(_measure(office, way, seed, reviews, labels, both))
    return points


def _round(office: Office, arrived: Rows, labels: Rows, random: np.random.Generator) -> int:
    """People answer what is put to them; how many answers that took."""
    said, routed = office.judge(arrived)
    audited = routed & (random.random(len(arrived)) < AUDITED)
    outcomes: dict[str, list[bool]] = defaultdict(list)
    for row, one, is_audited in zip(arrived.tolist(), said, audited.tolist(), strict=True):
        demoted = one.decision is Decision.AUTO and one.queue_label in office.demoted
        if is_audited or demoted:
            outcomes[one.queue_label].append(one.queue_label == office.data.queues[labels[row]])
    asked = ~routed | audited
    office.hear(arrived[asked], labels, np.where(routed[asked], AUDITED, 1.0))
    office.watch(outcomes)
    return int(asked.sum())


def _measure(office: Office, way: str, seed: int, reviews: int, labels: Rows, both: Rows) -> Point:
    data = office.data
    said, routed = office.judge(data.test)
    given = np.array([data.queues.index(one.queue_label) for one in said])
    truth = labels[data.test]
    right, here, there = given == truth, np.isin(truth, both), routed & np.isin(given, both)
    point = Point(
        way,
        seed,
        reviews,
        accuracy=float(right[here].mean()),
        routed=float(routed[here].mean()),
        wrong=float((routed & ~right)[here].mean()),
        precision=float(right[there].mean()) if there.any() else float("nan"),
        left_out=office.left_out,
    )
    print(
        f"{way:<32}{seed:>5}{reviews:>8}{point.accuracy:>10.3f}{point.routed:>8.3f}"
        f"{point.wrong:>14.3f}{point.precision:>15.3f}{point.left_out:>9}",
        flush=True,
    )
    return point


LEFT_OUT, ALL_KEPT, NO_SHIFT = "shift", "shift, nothing left out", "no shift"


def main() -> None:
    """Run everything, one seed after the other."""
    options = arguments(__doc__).parse_args()
    data, loaded = load(options), Bundle.load(options.model or Path("models/default"))
    print(f"{'':<32} seed reviews  accuracy  routed  routed wrong  into them right left out")
    points: list[Point] = []
    for seed in range(options.seeds):
        for way in (LEFT_OUT, ALL_KEPT, NO_SHIFT):
            keeping = patch("core.refit.without_contradicted", lambda everything: everything)
            with keeping if way == ALL_KEPT else nullcontext():
                points += simulate(data, loaded, seed, way, options.out / "base of shift")
        content = json.dumps([asdict(point) for point in points], indent=1)
        (options.out / "shift.json").write_text(content)


if __name__ == "__main__":
    main()
