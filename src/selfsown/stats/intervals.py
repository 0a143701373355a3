"""95 % confidence intervals (one is of 90 %), each for the kind of number it fits."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

Z = 1.959964  # the normal quantile of a two-sided 95 % interval
DRAWS = 2000  # of a bootstrap
TAILS = (0.04, 0.96)  # for 90 %: at 0.05 one range in six missed, where a few rows are very long


def share(hits: float, n: int) -> tuple[float, float]:
    """Wilson's interval for a share of n (Wilson 1927)."""
    if n == 0:
        return 0.0, 1.0
    p, z2 = hits / n, Z * Z
    middle, half = p + z2 / (2 * n), Z * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    return max(0.0, (middle - half) / (1 + z2 / n)), min(1.0, (middle + half) / (1 + z2 / n))


def mean(values: Sequence[float]) -> tuple[float, float]:
    """For the mean of independent values, by the normal approximation."""
    return ratio(values, [1.0] * len(values))


def ratio(above: Sequence[float], below: Sequence[float]) -> tuple[float, float]:
    """For sum(above) / sum(below) over independent pairs, by the delta method."""
    a, b = np.asarray(above, float), np.asarray(below, float)
    value = a.sum() / b.sum()
    error = math.sqrt(float(((a - value * b) ** 2).sum()) * len(a) / max(1, len(a) - 1)) / b.sum()
    return float(value - Z * error), float(value + Z * error)


def error(low: float, high: float) -> float:
    """The standard error that such an interval stands for."""
    return (high - low) / (2 * Z)


# The 0.975 quantiles of Student's t for 1 to 30 degrees of freedom.
_T: tuple[float, ...] = (
    12.706205,
    4.302653,
    3.182446,
    2.776445,
    2.570582,
    2.446912,
    2.364624,
    2.306004,
    2.262157,
    2.228139,
)
_T += (2.200985, 2.178813, 2.160369, 2.144787, 2.131450, 2.119905, 2.109816, 2.100922, 2.093024, 2.085963)
_T += (2.079614, 2.073873, 2.068658, 2.063899, 2.059539, 2.055529, 2.051831, 2.048407, 2.045230, 2.042272)


def student(values: Sequence[float]) -> tuple[float, float]:
    """For the mean of a few independent values, such as one a seed: Student's t, and normal beyond 31 values."""
    n = len(values)
    quantile = _T[n - 2] if n - 2 < len(_T) else Z
    middle, half = float(np.mean(values)), quantile * float(np.std(values, ddof=1)) / math.sqrt(n)
    return middle - half, middle + half


def resampled(parts: Sequence[tuple[Sequence[float], float]], seed: int = 0) -> tuple[float, float]:
    """90 % for the sum of totals, each guessed from a few rows: what each of these adds to it, and how many
    others they stand for.

    The wider of two bootstraps over rows, the percentiles and the studentized one (Efron and Tibshirani 1993), which
    alone is right for a few long rows among short ones, and wild where all are alike but one. Widened by Student's t.
    """
    rng, middle, moved, spread, error = np.random.default_rng(seed), 0.0, np.zeros(DRAWS), np.zeros(DRAWS), 0.0
    for values, others in parts:
        x = np.asarray(values, float)
        n = len(x)
        drawn = x[rng.integers(0, n, (DRAWS, n))]
        grown = 1 + n / others if others else 0.0  # the others differ from what is expected of them, too
        middle += x.sum()
        moved += (drawn.sum(1) - x.sum()) * math.sqrt(grown)
        spread += drawn.var(1, ddof=1) * n * grown
        error += float(x.var(ddof=1)) * n * grown
    few = min(len(values) for values, _ in parts)
    wide = _T[min(few, len(_T) + 1) - 2] / Z * math.sqrt(few / (few - 1))
    low, high = (float(each) * wide for each in np.quantile(moved, TAILS))
    pivots = np.divide(moved, np.sqrt(spread), out=np.zeros(DRAWS), where=spread > 0)
    top, bottom = (float(each) * wide * math.sqrt(error) for each in np.quantile(pivots, TAILS))
    return float(middle + min(low, max(-bottom, 2 * low))), float(middle + max(high, min(-top, 2 * high)))
