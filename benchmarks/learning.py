"""Shows by simulation what the learning loop gains: a seeded stream and an oracle as reviewer.

Run it: `python benchmarks/learning.py --data it_tickets.csv.gz --out build/learning`. It prints a
table and writes `learning.json` and `learning.png`. The encoder is the published all-MiniLM-L6-v2,
not the shipped fine-tuned one, which has seen these tickets already; heads, calibration and
thresholds are the product's own (`core/fitting.py`, `core/limits.py`). It takes 12,000 tickets of
the table, two seeds, and about half an hour on two busy cores.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans  # type: ignore[import-untyped]

from core.dataset import Example, read_tickets
from core.embeddings import embed
from core.encoder import Encoder
from core.fitting import FitData, fit_heads
from core.heads import Heads
from core.limits import Judged, choose_rules
from core.settled import MAX_WEIGHT
from core.targets import Targets, targets
from core.text import normalize

TICKETS, TEST = 12_000, 2_000
FIRST_EACH = 20
REVIEWS_A_ROUND, EXPLORED = 250, 0.2
CHOSEN_TOTAL = 2_000
RANDOM_TOTALS = (500, 1_000, 2_000, 3_000, 4_000)
KNOWN_BEFORE_SHIFT, ARRIVALS, AUDITED = 2_000, 500, 0.05
SHIFT_ROUNDS = 10
PROMISED = 0.95


@dataclass(frozen=True)
class Data:
    """Texts with embeddings and labels; the last `TEST` are only ever measured on."""

    texts: Sequence[str]
    labels: NDArray[np.int64]
    embeddings: NDArray[np.float32]
    queues: tuple[str, ...]

    @property
    def stream(self) -> NDArray[np.int64]:
        """Rows that arrive one after the other."""
        return np.arange(len(self.texts) - TEST)

    @property
    def test(self) -> NDArray[np.int64]:
        """Rows that are only measured on."""
        return np.arange(len(self.texts) - TEST, len(self.texts))


@dataclass(frozen=True)
class Model:
    """Heads fitted on what was reviewed, with the thresholds that keep the promise."""

    heads: Heads
    thresholds: NDArray[np.float64]

    def judge(
        self, data: Data, rows: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]:
        """Each text's queue, its confidence, and whether it is routed."""
        texts = [data.texts[row] for row in rows]
        said = self.heads.predict(texts, data.embeddings[rows]).queue
        given, sure = said.argmax(axis=1), said.max(axis=1)
        return given, sure, sure >= self.thresholds[given]


@dataclass(frozen=True)
class Point:
    """What was measured after so many reviews."""

    policy: str
    seed: int
    reviews: int
    accuracy: float
    coverage: float
    precision: float


def load(table: Path, work: Path, seed: int = 0) -> Data:
    """Tickets of the table, drawn with `seed`, and their embeddings, which `work` keeps."""
    tickets = read_tickets(table, text_column="Document", label_column="Topic_group")
    rows = np.random.default_rng(seed).permutation(len(tickets.examples))[:TICKETS]
    texts = [normalize(tickets.examples[row].text) for row in rows]
    labels = [tickets.queues.index(tickets.examples[row].queue or "") for row in rows]
    encoder, digest = base_encoder(texts, work)
    embeddings = embed(encoder, digest, texts, work, report("embedded"))
    return Data(texts, np.array(labels), embeddings, tickets.queues)


def base_encoder(texts: Sequence[str], work: Path) -> tuple[Encoder, str]:
    """The published encoder as an ONNX graph, kept in `work`."""
    graph, tokenizer = work / "base_encoder.onnx", work / "base_tokenizer.json"
    if not (graph.exists() and tokenizer.exists()):
        from core.base_encoder import load_base_encoder  # noqa: PLC0415  needs torch
        from core.onnx_export import export_encoder  # noqa: PLC0415

        exported = export_encoder(load_base_encoder(), texts[:512], max_tokens=128, int8=True)
        work.mkdir(parents=True, exist_ok=True)
        tokenizer.write_bytes(exported.tokenizer)
        graph.write_bytes(exported.graph)
    content = graph.read_bytes()
    encoder = Encoder(content, tokenizer.read_bytes(), dim=384, max_tokens=128)
    return encoder, hashlib.sha256(content).hexdigest()


def report(what: str) -> Callable[[int, int], None]:
    """A progress callback that prints now and then."""

    def show(done: int, total: int) -> None:
        if done % 2_048 == 0 or done == total:
            print(f"{what} {done} of {total}", flush=True)

    return show


def fit(
    data: Data,
    rows: NDArray[np.int64],
    weights: NDArray[np.float64],
    labels: NDArray[np.int64] | None = None,
) -> Model:
    """The product's heads on reviewed texts: 85 % to fit on, 15 % to calibrate on."""
    labels = data.labels if labels is None else labels
    kept = np.array([hashlib.sha256(data.texts[row].encode()).digest()[0] < 38 for row in rows])
    parts = [_part(data, rows[side], weights[side], labels) for side in (~kept, kept)]
    heads = fit_heads(*parts, seed=0, progress=lambda *_: None)
    calibrate = rows[kept]
    judged = Judged(
        examples=[Example(data.texts[row], data.queues[labels[row]]) for row in calibrate],
        outputs=heads.predict(parts[1].texts, parts[1].embeddings),
        queues=data.queues,
        importance=weights[kept],
    )
    rules = choose_rules(judged, promised=PROMISED)
    return Model(heads, np.array([rules.thresholds[name] for name in data.queues]))


def _part(
    data: Data, rows: NDArray[np.int64], weights: NDArray[np.float64], labels: NDArray[np.int64]
) -> FitData:
    """These rows as `fit_heads` takes them, each weighing what it is told to."""
    texts = [data.texts[row] for row in rows]
    known = targets([Example("", data.queues[labels[row]]) for row in rows], data.queues)
    by_row = weights[:, None].astype(np.float32)
    weighed = Targets(known.queue * by_row, known.ticket, known.urgency, known.impact)
    return FitData(texts, data.embeddings[rows], weighed)


def measure(
    data: Data,
    model: Model,
    policy: str,
    seed: int,
    reviews: int,
    labels: NDArray[np.int64] | None = None,
    only: NDArray[np.int64] | None = None,
) -> Point:
    """Judge the test's texts, or `only` those rows; print and return how well that went."""
    rows = data.test if only is None else only
    truth = (data.labels if labels is None else labels)[rows]
    given, _, routed = model.judge(data, rows)
    point = Point(
        policy,
        seed,
        reviews,
        accuracy=float((given == truth).mean()),
        coverage=float(routed.mean()),
        precision=float((given == truth)[routed].mean()) if routed.any() else float("nan"),
    )
    print(
        f"{policy:<28}{seed:>5}{reviews:>9}{point.accuracy:>10.3f}{point.coverage:>10.3f}"
        f"{point.precision:>11.3f}",
        flush=True,
    )
    return point


def first_examples(data: Data, order: NDArray[np.int64]) -> NDArray[np.int64]:
    """So many texts of each queue, as a team that begins would name them."""
    return np.concatenate(
        [order[data.labels[order] == queue][:FIRST_EACH] for queue in range(len(data.queues))]
    )


def random_reviews(data: Data, seed: int) -> list[Point]:
    """Reviewers see tickets as they come."""
    order = np.random.default_rng(seed).permutation(data.stream)
    first = first_examples(data, order)
    rest = order[~np.isin(order, first)]
    points = []
    for total in (0, *RANDOM_TOTALS):
        rows = np.concatenate([first, rest[:total]])
        model = fit(data, rows, np.ones(len(rows)))
        points.append(measure(data, model, "random", seed, total))
    return points


def chosen_reviews(data: Data, seed: int) -> list[Point]:
    """What the product asks about: what it is least sure of, and a share at random."""
    random = np.random.default_rng(seed)
    order = random.permutation(data.stream)
    rows = first_examples(data, order)
    weights = np.ones(len(rows))
    model, points = fit(data, rows, weights), []
    rounds = CHOSEN_TOTAL // REVIEWS_A_ROUND
    for number, arrived in enumerate(np.array_split(order[~np.isin(order, rows)], rounds), 1):
        _, sure, _ = model.judge(data, arrived)
        by_doubt = arrived[np.argsort(sure)]
        unsure = by_doubt[: round(REVIEWS_A_ROUND * (1 - EXPLORED))]
        others = by_doubt[len(unsure) :]
        explored = random.choice(others, REVIEWS_A_ROUND - len(unsure), replace=False)
        weight = min(len(others) / len(explored), MAX_WEIGHT)
        rows = np.concatenate([rows, unsure, explored])
        weights = np.concatenate([weights, np.ones(len(unsure)), np.full(len(explored), weight)])
        model = fit(data, rows, weights / weights.mean())
        points.append(measure(data, model, "chosen", seed, number * REVIEWS_A_ROUND))
    model = fit(data, rows, np.ones(len(rows)))
    points.append(measure(data, model, "chosen, weighed alike", seed, len(rows)))
    return points


def shifted_labels(data: Data, seed: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Two clusters of six in each of the two largest queues change places."""
    a, b = np.bincount(data.labels).argsort()[::-1][:2]
    labels, moved = data.labels.copy(), np.zeros(len(data.labels), dtype=bool)
    for queue, other in ((a, b), (b, a)):
        here = np.flatnonzero(data.labels == queue)
        cluster = KMeans(6, random_state=seed, n_init=1).fit_predict(data.embeddings[here])
        going = here[np.isin(cluster, (0, 1))]
        labels[going], moved[going] = other, True
    return labels, moved


def after_shift(data: Data, seed: int, *, forget: bool) -> list[Point]:
    """What is unsure is reviewed, and a share of the rest audited; the model learns each round."""
    policy = "after a shift" + (", old answers out" if forget else "")
    random = np.random.default_rng(seed)
    order = random.permutation(data.stream)
    labels, moved = shifted_labels(data, seed)
    two = np.bincount(data.labels).argsort()[::-1][:2]
    concerned = data.test[np.isin(data.labels[data.test], two)]
    rows, weights = order[:KNOWN_BEFORE_SHIFT], np.ones(KNOWN_BEFORE_SHIFT)
    told = data.labels.copy()  # what people had said when they were asked
    model = fit(data, rows, weights)
    points = [measure(data, model, f"{policy}: before it", seed, 0, data.labels, concerned)]
    points.append(measure(data, model, policy, seed, 0, labels, concerned))
    reviews = 0
    for number in range(SHIFT_ROUNDS):
        start = KNOWN_BEFORE_SHIFT + number * ARRIVALS
        arrived = order[start : start + ARRIVALS]
        _, _, routed = model.judge(data, arrived)
        audited = routed & (random.random(len(arrived)) < AUDITED)
        new = arrived[~routed | audited]
        told[new] = labels[new]
        reviews += len(new)
        if forget:
            rows, weights = _without_contradicted(data, rows, weights, new, told)
        rows = np.concatenate([rows, new])
        asked = np.where((routed & audited)[~routed | audited], min(1 / AUDITED, MAX_WEIGHT), 1.0)
        weights = np.concatenate([weights, asked])
        model = fit(data, rows, weights / weights.mean(), told)
        points.append(measure(data, model, policy, seed, reviews, labels, concerned))
    print(f"texts that changed their queue: {moved.mean():.1%}")
    return points


def _without_contradicted(
    data: Data,
    rows: NDArray[np.int64],
    weights: NDArray[np.float64],
    new: NDArray[np.int64],
    told: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Older answers whose nearest newer one says otherwise no longer count."""
    if not len(new):
        return rows, weights
    near = data.embeddings[rows] @ data.embeddings[new].T
    nearest = near.argmax(axis=1)
    contradicted = (near.max(axis=1) > 0.6) & (told[rows] != told[new[nearest]])
    return rows[~contradicted], weights[~contradicted]


def draw(points: Sequence[Point], path: Path) -> None:
    """Draw accuracy and precision by reviews into a PNG file."""
    import matplotlib as mpl  # noqa: PLC0415

    mpl.use("Agg")
    from matplotlib import pyplot  # noqa: PLC0415

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 4))
    for policy in ("random", "chosen"):
        totals = sorted({point.reviews for point in points if point.policy == policy})
        means = [
            np.mean([p.accuracy for p in points if (p.policy, p.reviews) == (policy, total)])
            for total in totals
        ]
        left.plot(totals, means, marker="o", label=policy)
    left.set(xlabel="reviews", ylabel="accuracy", title="From 20 examples a queue")
    for policy in ("after a shift", "after a shift, old answers out"):
        for seed in sorted({point.seed for point in points}):
            found = [p for p in points if p.policy == policy and p.seed == seed]
            right.plot([p.reviews for p in found], [p.precision for p in found], label=policy)
    right.axhline(PROMISED, linestyle=":", color="grey")
    right.set(xlabel="reviews", ylabel="precision of routes", title="After two queues swap a part")
    left.legend()
    right.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def arguments() -> argparse.ArgumentParser:
    """What the command line takes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("build/learning"))
    parser.add_argument("--seeds", type=int, default=2)
    return parser


def main() -> None:
    """Print a table, line by line, and leave it and its drawing in the folder."""
    options = arguments().parse_args()
    data = load(options.data, options.out)
    print(
        f"{'policy':<28}{'seed':>5}{'reviews':>9}{'accuracy':>10}{'routed':>10}{'of it right':>11}"
    )
    points: list[Point] = []
    for seed in range(options.seeds):
        points += random_reviews(data, seed)
        points += chosen_reviews(data, seed)
        points += after_shift(data, seed, forget=False)
        points += after_shift(data, seed, forget=True)
        content = json.dumps([asdict(point) for point in points], indent=1)
        (options.out / "learning.json").write_text(content)
        draw(points, options.out / "learning.png")


if __name__ == "__main__":
    main()
