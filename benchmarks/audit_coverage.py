"""Whether audited numbers can be believed: interval coverage, demotion errors, by simulation.

    python benchmarks/audit_coverage.py

Seeded; prints three tables in about two minutes. (1) how often each kind of 95 % interval covers
the true precision; (2) the same when some audits stay unanswered and staff move wrong tickets
first; (3) how often a queue that keeps its promise is demoted within a year, how many audits pass
until one that fell to 85 % is, and how soon a demoted one is offered back.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

from core.audit_estimates import effective_size, weighted_share, weights
from core.evaluation import share
from core.queue_watch import WINDOW, Verdict, judge_automatic, judge_demoted, weigh

RUNS = 200
RATES = (0.02, 0.05, 0.2)
PRECISIONS = (0.85, 0.95, 0.97, 0.995)
TICKETS = (500, 2_000, 10_000)
PROMISE = 0.95
YEARS = 1_000
WEEKS = 52

Interval = tuple[float, float]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


def arguments() -> argparse.ArgumentParser:
    """What the command line takes: nothing, so that everybody gets the same tables."""
    return argparse.ArgumentParser(description=__doc__)


def main() -> None:
    """Print the tables."""
    arguments().parse_args()
    precision_coverage()
    accuracy_coverage()
    nonresponse()
    demotion()
    return_of_demoted()


# Intervals -----------------------------------------------------------------------------------


def korn_graubard(right: Bools, weight: Floats) -> Interval:
    """The interval that the product shows; everything possible where nothing was audited."""
    found = weighted_share(right, weight)
    return (found.low, found.high) if found else (0.0, 1.0)


def wilson(right: Bools, weight: Floats) -> Interval:
    """Wilson's score interval (1927) for the effective number of audits, not their number."""
    if not len(right):
        return 0.0, 1.0
    size, value = effective_size(weight), weight[right].sum() / weight.sum()
    z = 1.959964
    centre, reach = value + z**2 / (2 * size), value * (1 - value) / size + z**2 / (4 * size**2)
    low, high = (centre + sign * z * np.sqrt(reach) for sign in (-1, 1))
    return low / (1 + z**2 / size), high / (1 + z**2 / size)


def bootstrap(right: Bools, weight: Floats) -> Interval:
    """The middle 95 % of the weighted shares of 200 samples drawn again from the audits."""
    if not len(right):
        return 0.0, 1.0
    random = np.random.default_rng(1)
    rows = random.integers(0, len(right), (200, len(right)))
    values = (weight * right)[rows].sum(axis=1) / weight[rows].sum(axis=1)
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


METHODS: dict[str, Callable[[Bools, Floats], Interval]] = {
    "Korn-Graubard": korn_graubard,
    "Wilson": wilson,
    "bootstrap": bootstrap,
}


def precision_coverage() -> None:
    """One queue's routes, each audited with the same rate."""
    print(f"1a. 95 % intervals of a queue's precision: share of {RUNS} runs that cover it")
    print("| rate | routes | audits | precision |", " | ".join(METHODS), "|")
    print("| --- | --- | --- | --- |", "--- | " * len(METHODS))
    least = dict.fromkeys(METHODS, 1.0)
    random = np.random.default_rng(5)
    for rate, n, precision in product(RATES, TICKETS, PRECISIONS):
        covered = dict.fromkeys(METHODS, 0)
        for _ in range(RUNS):
            right = random.random(int((random.random(n) < rate).sum())) < precision
            for name, method in METHODS.items():
                low, high = method(right, np.full(len(right), 1 / rate))
                covered[name] += low <= precision <= high
        report(f"| {rate:.0%} | {n} | {n * rate:.0f} | {precision:.1%}", covered, least)
    print("| least | | | |", " | ".join(f"{least[name]:.1%}" for name in METHODS), "|\n")


def accuracy_coverage() -> None:
    """All tickets: the unsure ones are all reviewed, the sure ones at the audit's rate."""
    print(f"1b. 95 % intervals of the accuracy over all tickets, {RUNS} runs each")
    print("| rate | tickets | sure | right if sure | if unsure |", " | ".join(METHODS), "|")
    print("| --- | --- | --- | --- | --- |", "--- | " * len(METHODS))
    least = dict.fromkeys(METHODS, 1.0)
    random = np.random.default_rng(6)
    for rate, n, sure, unsure_right in product(RATES, TICKETS, (0.6, 0.85), (0.5, 0.75)):
        covered = dict.fromkeys(METHODS, 0)
        truth = sure * 0.97 + (1 - sure) * unsure_right
        for _ in range(RUNS):
            routed = random.random(n) < sure
            right = random.random(n) < np.where(routed, 0.97, unsure_right)
            seen = ~routed | (random.random(n) < rate)
            weight = np.where(routed, 1 / rate, 1.0)
            for name, method in METHODS.items():
                low, high = method(right[seen], weight[seen])
                covered[name] += low <= truth <= high
        report(f"| {rate:.0%} | {n} | {sure:.0%} | 97 % | {unsure_right:.0%}", covered, least)
    print("| least | | | | |", " | ".join(f"{least[name]:.1%}" for name in METHODS), "|\n")


def report(start: str, covered: dict[str, int], least: dict[str, float]) -> None:
    """Print a row of shares of runs that covered the truth; keep the least of each method."""
    shares = {name: count / RUNS for name, count in covered.items()}
    for name, value in shares.items():
        least[name] = min(least[name], value)
    print(start, "|", " | ".join(f"{value:.1%}" for value in shares.values()), "|")


def nonresponse() -> None:
    """Auditors answer some; staff move some wrong tickets before anybody has answered."""
    print(f"2. 2,000 routes, a fifth audited, precision 95 %, {RUNS} runs")
    print("| audits answered | wrong ones moved first | mean, adjusted | covers | mean, naive |")
    print("| --- | --- | --- | --- | --- |")
    random = np.random.default_rng(7)
    for answer, moved in product((0.9, 0.6, 0.3), (0.0, 0.3, 0.8)):
        covers, adjusted, naive = 0, [], []
        for _ in range(RUNS):
            right = random.random(400) < 0.95
            elsewhere = ~right & (random.random(400) < moved)
            answered = elsewhere | (random.random(400) < answer)
            weight = weights(np.full(400, 0.2), answered, ~elsewhere)
            found = weighted_share(right, weight)
            assert found is not None
            covers += found.low <= 0.95 <= found.high
            adjusted.append(found.value)
            naive.append(right[answered].mean())
        means = f"{np.mean(adjusted):.1%} | {covers / RUNS:.1%} | {np.mean(naive):.1%}"
        print(f"| {answer:.0%} | {moved:.0%} | {means} |")
    print()


# Demotion ------------------------------------------------------------------------------------


def first_verdict(
    outcomes: Bools, every: int, judge: Callable[..., Verdict], start: int = 0
) -> int | None:
    """After how many outcomes the rule strikes first, looking every so many from `start` on."""
    for seen in range(start + every, len(outcomes) + 1, every):
        latest = outcomes[max(0, seen - WINDOW) : seen]
        if judge(_weighed(int(latest.sum()), len(latest))) is not Verdict.HOLDS:
            return seen - start
    return None


_known: dict[tuple[int, int], object] = {}


def _weighed(right: int, n: int) -> object:
    """What the product says of so many right ones among n, computed once."""
    if (right, n) not in _known:
        _known[right, n] = weigh([True] * right + [False] * (n - right), PROMISE)
    return _known[right, n]


def plain_bound(right: int, n: int) -> bool:
    """The rule that one would write down first: the lower bound is under the promise."""
    return bool(share(np.arange(n) < right).low < PROMISE)


def demotion() -> None:
    """How often a queue is demoted that keeps its promise, and how soon one that does not."""
    print(f"3a. Demoted within a year of weekly checks, {YEARS} queues each; promise 95 %")
    print("| audits a week | true precision | demoted | checked daily | plain bound |")
    print("| --- | --- | --- | --- | --- |")
    random = np.random.default_rng(8)
    for weekly, precision in product((1, 2, 5, 10, 20, 40), (0.95, 0.96, 0.97)):
        years = random.random((YEARS, WEEKS * weekly)) < precision
        weekly_share = struck(years, weekly)
        daily_share = struck(years, max(1, weekly // 5))
        plain = np.mean([plain_bound(int(year[:weekly].sum()), weekly) for year in years])
        print(
            f"| {weekly} | {precision:.0%} | {weekly_share:.1%} | {daily_share:.1%} "
            f"| {plain:.0%} in week 1 |"
        )
    print()
    print("3b. Audits until a queue is demoted that fell from 97 % (half a year) to the precision")
    print("| audits a week | fell to | median | nine of ten | within 200 |")
    print("| --- | --- | --- | --- | --- |")
    for weekly, fallen in product((2, 10, 40), (0.90, 0.85, 0.75)):
        before = WEEKS // 2 * weekly
        delays = []
        for _ in range(YEARS // 2):
            good, bad = random.random(before) < 0.97, random.random(1_200) < fallen
            after = first_verdict(np.concatenate([good, bad]), weekly, judge_automatic, before)
            delays.append(after or 10_000)
        middle, most = np.quantile(delays, [0.5, 0.9])
        within = np.mean(np.array(delays) <= 200)
        print(f"| {weekly} | {fallen:.0%} | {middle:.0f} | {most:.0f} | {within:.1%} |")
    print()


def struck(years: Bools, every: int) -> float:
    """The share of years in which a queue is demoted, checked after `every` audits."""
    hits = [first_verdict(year, every, judge_automatic) is not None for year in years]
    return float(np.mean(hits))


def return_of_demoted() -> None:
    """How soon a demoted queue is offered back, by how precise it is now."""
    print("3c. A demoted queue, all of whose would-be routes are reviewed: offered back")
    print("| true precision | within 100 reviews | within 300 | median |")
    print("| --- | --- | --- | --- |")
    random = np.random.default_rng(9)
    for precision in (0.85, 0.90, 0.93, 0.95, 0.97, 0.99):
        seen = [
            first_verdict(random.random(1_000) < precision, 5, judge_demoted) or 10_000
            for _ in range(YEARS // 2)
        ]
        shares = [np.mean(np.array(seen) <= limit) for limit in (100, 300)]
        median = float(np.median(seen))
        shown = f"{median:.0f}" if median < 10_000 else "over 1,000"
        print(f"| {precision:.0%} | {shares[0]:.1%} | {shares[1]:.1%} | {shown} |")
    prior = beta.sf(PROMISE, 40 * 0.965, 40 * 0.035)
    print(f"\nThe prior gives the promise of {PROMISE:.0%} a probability of {prior:.2f}.")


if __name__ == "__main__":
    main()
