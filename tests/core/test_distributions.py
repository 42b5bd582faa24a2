import subprocess
import sys

import pytest
from scipy import stats

from core.distributions import (
    beta_quantile,
    beta_share_below,
    chi_squared_quantile,
    normal_quantile,
)


@pytest.mark.parametrize("probability", [0.001, 0.05, 0.5, 0.975])
def test_they_are_scipys(probability):
    assert normal_quantile(probability) == pytest.approx(stats.norm.ppf(probability))
    assert beta_quantile(probability, 3, 0.5) == pytest.approx(stats.beta.ppf(probability, 3, 0.5))
    assert beta_share_below(probability, 40, 2) == pytest.approx(stats.beta.cdf(probability, 40, 2))
    assert chi_squared_quantile(probability, 7) == pytest.approx(stats.chi2.ppf(probability, 7))


def test_the_bot_starts_without_what_it_does_not_need_at_once():
    """Each of these costs a good part of the two seconds that a start may take."""
    slow = ("scipy", "sklearn", "fastapi", "alembic", "torch", "pandas", "matplotlib")
    program = f"import sys, slackbot.run; print([m for m in {slow!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.strip() == b"[]"
