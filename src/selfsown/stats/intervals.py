"""Confidence intervals: 95 % for shares, means, ratios and few values, 90 % for totals.

Each function returns the lower and the upper end.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from selfsown.stats.student_t import quantile

Z = 1.959964  # normal quantile of 0.975, for a two-sided 95 % interval
BOOTSTRAP_DRAWS = 2000
BOOTSTRAP_QUANTILES = (0.04, 0.96)  # for 90 %: with 0.05, one interval in six missed if a few rows are very long
MAX_T_VALUES = 31  # of more values the normal quantile is used


def share(hits: float, n: int) -> tuple[float, float]:
    """Wilson's interval for the share `hits` of `n` (Wilson 1927)."""
    if n == 0:
        return 0.0, 1.0
    p = hits / n
    z2 = Z * Z
    middle = p + z2 / (2 * n)
    half = Z * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    low, high = (middle - half) / (1 + z2 / n), (middle + half) / (1 + z2 / n)
    return low if hits else 0.0, high if hits < n else 1.0  # which rounding would miss by a little


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
    """The standard error of an estimate with this 95 % interval, by the normal approximation."""
    return (high - low) / (2 * Z)


def student(values: Sequence[float]) -> tuple[float, float]:
    """For the mean of a few independent values, such as one per seed: Student's t, and normal beyond 31 values."""
    n = len(values)
    bound = _t_quantile(n) if n <= MAX_T_VALUES else Z
    middle = float(np.mean(values))
    half = bound * float(np.std(values, ddof=1)) / math.sqrt(n)
    return middle - half, middle + half


def resampled(parts: Sequence[tuple[Sequence[float], float]], seed: int = 0) -> tuple[float, float]:
    """90 % for a sum of totals, each extrapolated from a few rows: (what each of these rows adds to the total, how many
    other rows they represent).

    The wider of two bootstraps over rows, by percentiles and studentized (Efron and Tibshirani 1993); the studentized
    one alone is right for a few long rows among short ones, and unstable if all rows but one are equal. Widened by
    Student's t.
    """
    rng = np.random.default_rng(seed)
    middle = 0.0
    moved = np.zeros(BOOTSTRAP_DRAWS)
    spread = np.zeros(BOOTSTRAP_DRAWS)
    variance = 0.0
    for values, others in parts:
        x = np.asarray(values, float)
        n = len(x)
        drawn = x[rng.integers(0, n, (BOOTSTRAP_DRAWS, n))]
        inflation = 1 + n / others if others else 0.0  # the other rows vary around their expectation, too
        middle += x.sum()
        moved += (drawn.sum(1) - x.sum()) * math.sqrt(inflation)
        spread += drawn.var(1, ddof=1) * n * inflation
        variance += float(x.var(ddof=1)) * n * inflation
    fewest = min(len(values) for values, _ in parts)
    wide = _t_quantile(min(fewest, MAX_T_VALUES)) / Z * math.sqrt(fewest / (fewest - 1))
    low, high = (float(end) * wide for end in np.quantile(moved, BOOTSTRAP_QUANTILES))
    pivots = np.divide(moved, np.sqrt(spread), out=np.zeros(BOOTSTRAP_DRAWS), where=spread > 0)
    top, bottom = (float(end) * wide * math.sqrt(variance) for end in np.quantile(pivots, BOOTSTRAP_QUANTILES))
    return float(middle + min(low, max(-bottom, 2 * low))), float(middle + max(high, min(-top, 2 * high)))


def _t_quantile(values: int) -> float:
    """The 0.975 quantile of Student's t for so many values."""
    return quantile(0.975, values - 1)
