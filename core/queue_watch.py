"""When a queue loses automatic routing, and when it is offered back: rules on audited routes.

Right after the start there is no audit evidence, and a plain lower bound would demote every queue.
So the bundle's own evidence counts as a prior worth some tickets, and what the audits say must
outweigh it. `benchmarks/audit_coverage.py` prints how often the rules err and how fast they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from core.calibration import lower_bound
from core.distributions import beta_share_below

WINDOW = 100
"""So many of the latest audits count: a queue that was good for years may fall within a week."""

_PRIOR_TICKETS = 40.0
"""What the bundle's calibration is worth in audits."""

_PRIOR_LEAD = 0.3
"""By this share of the way from the promise to 1 the bundle does better than it promises: the
prior then gives the promise about the 80 % certainty that its thresholds were chosen with."""

_SURE_OF_FALL = 0.995
"""Probability of a broken promise at which a queue is demoted."""

_LEAST_TO_RETURN = 40
_SURE_OF_RETURN = 0.8
"""The certainty that training asks of a queue's threshold."""


class Verdict(StrEnum):
    """What the evidence says about a queue."""

    HOLDS = "holds"
    """Nothing speaks clearly enough against where it is."""
    FALLEN = "fallen"
    """It is routed automatically and falls under its promise."""
    RETURNED = "returned"
    """It is under review and would keep its promise."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What audits of one queue have shown.

    Attributes:
        right: Right ones among the latest `WINDOW`.
        n: How many of these there are.
        promise: Share in (0, 1) that shall be right.
        broken: Probability in [0, 1] that the true share is under the promise, prior included.
        low: The share that is exceeded with 80 % certainty, without the prior.
    """

    right: int
    n: int
    promise: float
    broken: float
    low: float


def weigh(outcomes: Sequence[bool], promise: float) -> Evidence:
    """Weigh the audits of one queue.

    Args:
        outcomes: Whether each route was right, oldest first.
        promise: Share in (0, 1) that shall be right.

    Returns:
        The evidence of the latest `WINDOW`: beta-binomial with the bundle's prior.
    """
    latest = np.array(outcomes[-WINDOW:], dtype=bool)
    right, n = int(latest.sum()), len(latest)
    mean = promise + _PRIOR_LEAD * (1 - promise)
    a, b = _PRIOR_TICKETS * mean + right, _PRIOR_TICKETS * (1 - mean) + n - right
    broken = beta_share_below(promise, a, b)
    return Evidence(right, n, promise, broken, lower_bound(latest, np.ones(n), _SURE_OF_RETURN))


def judge_automatic(evidence: Evidence) -> Verdict:
    """Whether a queue that is routed automatically shall go back to review."""
    return Verdict.FALLEN if evidence.broken >= _SURE_OF_FALL else Verdict.HOLDS


def judge_demoted(evidence: Evidence) -> Verdict:
    """Whether a queue under review may be offered back, on evidence since it was demoted.

    The prior does not count any more: it was wrong.
    """
    enough = evidence.n >= _LEAST_TO_RETURN
    return Verdict.RETURNED if enough and evidence.low >= evidence.promise else Verdict.HOLDS
