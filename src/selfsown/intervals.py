"""95 % confidence intervals, each for the kind of number it fits."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

Z = 1.959964  # the normal quantile of a two-sided 95 % interval


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
