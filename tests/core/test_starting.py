"""What a bundle of a team's own queues takes over from the one it starts from."""

import numpy as np

from core.policy import Rules
from core.starting import _rules


def test_no_example_is_under_any_limit_of_small_talk() -> None:
    base = Rules(
        promised_precision=0.95,
        thresholds={"Hardware": 0.8},
        languages=("en", "es"),
        ignore_below=0.2,
        doubt_below=0.6,
        novelty_above=0.9,
        outage_above=1.0,
        ignore_below_in={"en": 0.2, "es": 0.05},
    )
    rules = _rules(base, ["Printers"], np.array([0.9, 0.1]))
    assert rules.ignore_below == 0.1
    assert rules.ignore_below_in == {"en": 0.1, "es": 0.05}
