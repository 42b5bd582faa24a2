"""Shows by simulation what chosen reviews gain over random ones: a seeded stream, an oracle.

    python -m benchmarks.learning --data it_tickets.csv.gz
    python -m benchmarks.learning --model models/default

It begins with 20 tickets of each queue. In each round as many tickets arrive and the oracle reviews
some: those that a rule ranks first, and a fifth drawn at random, as the review budget does. Heads
and calibration are the product's own (`core/fitting.py`). Prints, for each rule and seed, the
accuracy on tickets that nobody sees, and writes `learning.json` and `learning.png`. With `--model`
it takes that bundle's encoder and the tickets that it was not fine-tuned on, else the published
encoder and 12,000 tickets of `--data`. A shift of labels is in `benchmarks/shift.py`, what audits
estimate in `benchmarks/audit_coverage.py`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.simulated import Data, Rows, arguments, load
from core.dataset import Example
from core.fitting import FitData, fit_heads
from core.heads import Heads
from core.settled import MAX_WEIGHT
from core.targets import Targets, targets

FIRST_EACH = 20
REVIEWS_A_ROUND, EXPLORED = 500, 0.2
CHOSEN_TOTAL = 2_000
RANDOM_TOTALS = (500, 1_000, 2_000, 3_000, 4_000)

Weights = NDArray[np.float64]
Rank = Callable[[Weights, NDArray[np.float32], int, np.random.Generator], Rows]
"""From probabilities [n, queues] and embeddings [n, dim] to the k rows to ask about."""


@dataclass(frozen=True)
class Point:
    """What was measured after so many reviews."""

    rule: str
    seed: int
    reviews: int
    accuracy: float


def by_doubt(said: Weights, embeddings: NDArray[np.float32], k: int, _: object) -> Rows:
    """The product's: where the first choice is least probable."""
    return np.argsort(said.max(axis=1))[:k]


def by_margin(said: Weights, embeddings: NDArray[np.float32], k: int, _: object) -> Rows:
    """Where the two most probable queues are closest."""
    return np.argsort(_margin(said))[:k]


def by_balanced_margin(said: Weights, embeddings: NDArray[np.float32], k: int, _: object) -> Rows:
    """The closest of each predicted queue in turn."""
    margin, given = _margin(said), said.argmax(axis=1)
    place = np.empty(len(said))
    for queue in np.unique(given):
        own = np.flatnonzero(given == queue)
        place[own[np.argsort(margin[own])]] = np.arange(len(own))
    return np.lexsort((margin, place))[:k]


def by_cluster_margin(said: Weights, embeddings: NDArray[np.float32], k: int, _: object) -> Rows:
    """Of the closest, those that lie far from each other (greedy k-center)."""
    close = np.argsort(_margin(said))[: round(2.5 * k)]
    rows, distance = [], np.ones(len(close), dtype=np.float32)
    for _ in range(min(k, len(close))):
        rows.append(int(distance.argmax()))
        distance = np.minimum(distance, 1 - embeddings[close] @ embeddings[close[rows[-1]]])
    return np.asarray(close[rows])


def by_gradient(
    said: Weights, embeddings: NDArray[np.float32], k: int, random: np.random.Generator
) -> Rows:
    """BADGE (Ash et al., 2020): k-means++ over the gradients that the first choice would give."""
    gradient = said - np.eye(said.shape[1])[said.argmax(axis=1)]
    length = (gradient**2).sum(axis=1)

    def distance(row: int) -> Weights:
        """To each other gradient, squared."""
        shared = (gradient @ gradient[row]) * (embeddings @ embeddings[row])
        return np.maximum(length + length[row] - 2 * shared, 0)

    rows = [int(length.argmax())]
    nearest = distance(rows[0])
    for _ in range(k - 1):
        rows.append(int(random.choice(len(said), p=nearest / nearest.sum())))
        nearest = np.minimum(nearest, distance(rows[-1]))
    return np.array(rows)


def _margin(said: Weights) -> Weights:
    """How much more probable the first queue is than the second [n]."""
    first, second = np.sort(said, axis=1)[:, ::-1][:, :2].T
    return np.asarray(first - second)


RULES: dict[str, Rank] = {
    "doubt (the product)": by_doubt,
    "margin": by_margin,
    "margin, balanced": by_balanced_margin,
    "margin, far apart": by_cluster_margin,
    "gradient (BADGE)": by_gradient,
}


def fit(data: Data, rows: Rows, weights: Weights, *, heads_weighed: bool = False) -> Heads:
    """The product's heads on reviewed texts: 85 % to fit on, 15 % to calibrate on."""
    kept = np.array([hashlib.sha256(data.texts[row].encode()).digest()[0] < 38 for row in rows])
    alike = weights if heads_weighed else np.ones(len(rows))
    parts = _part(data, rows[~kept], alike[~kept]), _part(data, rows[kept], weights[kept])
    return fit_heads(*parts, seed=0, progress=lambda *_: None)


def _part(data: Data, rows: Rows, weights: Weights) -> FitData:
    """These rows as `fit_heads` takes them, each weighing what it is told to."""
    texts = [data.texts[row] for row in rows]
    known = targets([Example("", data.queues[data.labels[row]]) for row in rows], data.queues)
    by_row = weights[:, None].astype(np.float32)
    weighed = Targets(known.queue * by_row, known.ticket, known.urgency, known.impact)
    return FitData(texts, data.embeddings[rows], weighed)


def judge(data: Data, heads: Heads, rows: Rows) -> Weights:
    """Each text's probabilities [n, queues]."""
    return heads.predict([data.texts[row] for row in rows], data.embeddings[rows]).queue


def measure(data: Data, heads: Heads, rule: str, seed: int, reviews: int) -> Point:
    """Judge the test's tickets; print and return how well that went."""
    given = judge(data, heads, data.test).argmax(axis=1)
    point = Point(rule, seed, reviews, float((given == data.labels[data.test]).mean()))
    print(f"{rule:<30}{seed:>5}{reviews:>9}{point.accuracy:>10.3f}", flush=True)
    return point


def first_examples(data: Data, order: Rows) -> Rows:
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
    for total in (0, *(min(total, len(rest)) for total in RANDOM_TOTALS)):
        rows = np.concatenate([first, rest[:total]])
        points.append(measure(data, fit(data, rows, np.ones(len(rows))), "random", seed, total))
    return points


def chosen_reviews(
    data: Data, seed: int, rule: str, rank: Rank, *, heads_weighed: bool = False
) -> list[Point]:
    """Reviewers see what a rule ranks first, and a share drawn at random."""
    random = np.random.default_rng(seed)
    order = random.permutation(data.stream)
    rows = first_examples(data, order)
    weights = np.ones(len(rows))
    heads, points = fit(data, rows, weights), []
    rounds = CHOSEN_TOTAL // REVIEWS_A_ROUND
    for number, arrived in enumerate(np.array_split(order[~np.isin(order, rows)], rounds), 1):
        said, size = judge(data, heads, arrived), round(REVIEWS_A_ROUND * (1 - EXPLORED))
        chosen = rank(said, data.embeddings[arrived], size, random)
        others = np.setdiff1d(np.arange(len(arrived)), chosen)
        explored = random.choice(others, REVIEWS_A_ROUND - size, replace=False)
        weight = min(len(others) / len(explored), MAX_WEIGHT)
        rows = np.concatenate([rows, arrived[chosen], arrived[explored]])
        weights = np.concatenate([weights, np.ones(size), np.full(len(explored), weight)])
        heads = fit(data, rows, weights / weights.mean(), heads_weighed=heads_weighed)
        points.append(measure(data, heads, rule, seed, number * REVIEWS_A_ROUND))
    return points


def draw(points: Sequence[Point], path: Path) -> None:
    """Draw the accuracy by reviews into a PNG file."""
    import matplotlib as mpl  # noqa: PLC0415

    mpl.use("Agg")
    from matplotlib import pyplot  # noqa: PLC0415

    figure, axes = pyplot.subplots(figsize=(7, 4.5))
    for rule in dict.fromkeys(point.rule for point in points):
        found = [point for point in points if point.rule == rule]
        totals = sorted({point.reviews for point in found})
        means = [np.mean([p.accuracy for p in found if p.reviews == total]) for total in totals]
        axes.plot(totals, means, marker="o", label=rule)
    axes.set(xlabel="reviews", ylabel="accuracy", title="From 20 examples a queue")
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def main() -> None:
    """Run everything, one seed after the other."""
    options = arguments(__doc__).parse_args()
    data = load(options)
    print(f"{'rule':<30}{'seed':>5}{'reviews':>9}{'accuracy':>10}")
    points: list[Point] = []
    for seed in range(options.seeds):
        points += random_reviews(data, seed)
        weighed = "doubt, heads weighed"
        points += chosen_reviews(data, seed, weighed, by_doubt, heads_weighed=True)
        for rule, rank in RULES.items():
            points += chosen_reviews(data, seed, rule, rank)
        content = json.dumps([asdict(point) for point in points], indent=1)
        (options.out / "learning.json").write_text(content)
        draw(points, options.out / "learning.png")


if __name__ == "__main__":
    main()
