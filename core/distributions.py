"""Quantiles of the usual distributions, without what SciPy costs until one is asked for.

`scipy.stats` takes a second of processor time to load, and the bot, which seldom needs it, is to
be ready within two. `scipy.special` has the same functions under other names.
"""

from __future__ import annotations

from statistics import NormalDist


def normal_quantile(probability: float) -> float:
    """Below this lies `probability`, in (0, 1), of a standard normal distribution."""
    return NormalDist().inv_cdf(probability)


def beta_quantile(probability: float, a: float, b: float) -> float:
    """Below this lies `probability`, in [0, 1], of a beta distribution with a, b > 0."""
    from scipy.special import betaincinv  # type: ignore[import-untyped]  # noqa: PLC0415

    return float(betaincinv(a, b, probability))


def beta_share_below(value: float, a: float, b: float) -> float:
    """How much, in [0, 1], of a beta distribution with a, b > 0 lies below a value in [0, 1]."""
    from scipy.special import betainc  # noqa: PLC0415

    return float(betainc(a, b, value))


def chi_squared_quantile(probability: float, degrees: int) -> float:
    """Below this lies `probability`, in (0, 1), of a chi-squared distribution."""
    from scipy.special import chdtri  # noqa: PLC0415

    return float(chdtri(degrees, 1 - probability))
