"""Whether a model is worse than those trained on real rows alone: several of them, and a prediction interval.

A paired test of one model against one other takes the chance of the training sample for an effect: it errs in a third
of the cases. So the spread between several models trained on real rows is the yardstick.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from selfsown.records import Score, Signal, Unit
from selfsown.signals.permutation_test import ALPHA, POWER


def worsened(name: str, now: Score, baselines: Sequence[Score], tolerance: float, unit: Unit, tests: int = 1) -> Signal:
    """How much worse the score is than the mean of those of the baselines: in points, or as a share of the mean.

    The p is one-sided, of Student's t with one degree of freedom less than there are baselines, for one new value:
    (now - mean) / (sd sqrt(1 + 1/J)). It takes two baselines or more. tests: how many signals are looked at together,
    this one among them.
    """
    many, values = len(baselines), np.asarray([each.value for each in baselines])
    middle = float(values.mean())
    scale = (1.0 if now.direction == "lower" else -1.0) / (abs(middle) or 1.0 if unit == "%" else 1.0)
    value = scale * (now.value - middle)
    # A share of n rows moves by 1/n at least: models that happen to score alike differ by less than can be seen.
    step = 1 / now.n if unit == "points" else 0.0
    spread = max(abs(scale) * float(values.std(ddof=1)), step) * math.sqrt(1 + 1 / many)
    p = above(value / spread, many - 1) if spread else float(value <= 0)
    wide = quantile(0.975, many - 1) * spread if spread else 0.0
    least = seen(1 - ALPHA / tests, many - 1) * spread
    return Signal(name, "function", value, value - wide, value + wide, p, tolerance, least, now.n, unit)


def seen(level: float, freedom: int) -> float:
    """How many standard errors a difference must have, to exceed this quantile of Student's t in four cases of five.

    The error is estimated, so t less its bound is normal only about, with the mean and the spread of a root of chi^2
    (Johnson and Welch 1940)."""
    bound = quantile(level, freedom)
    mean = math.sqrt(2 / freedom) * math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2))
    return bound * mean + POWER * math.sqrt(1 + bound**2 * (1 - mean**2))


def above(t: float, freedom: int) -> float:
    """The chance that Student's t exceeds this."""
    # tan maps the line onto (-pi/2, pi/2), where the density is cos ** (freedom - 1).
    angles = np.linspace(math.atan(t / math.sqrt(freedom)), math.pi / 2, 2001)
    whole = math.sqrt(math.pi) * math.exp(math.lgamma(freedom / 2) - math.lgamma((freedom + 1) / 2))
    return float(np.trapezoid(np.cos(angles) ** (freedom - 1), angles)) / whole


def quantile(share: float, freedom: int) -> float:
    """Below which Student's t stays with this chance, by halving."""
    low, high = -1e6, 1e6
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if 1 - above(middle, freedom) < share else (low, middle)
    return low
