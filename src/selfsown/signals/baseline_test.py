"""Whether a model is worse than models trained on real rows alone, by a prediction interval over several of them.

A paired test of two models mistakes the randomness of training for an effect: it errs in a third of the cases. So the
spread between several models trained on real rows is what a difference is compared with.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from selfsown.records import Score, Signal, Unit
from selfsown.stats.multiple_testing import ALPHA
from selfsown.stats.student_t import detectable_errors, quantile, upper_tail


def worsened(name: str, now: Score, baselines: Sequence[Score], tolerance: float, unit: Unit, tests: int = 1) -> Signal:
    """How much worse a score is than the mean of the baselines' scores: in points, or as a share of the mean.

    The p-value is one-sided, by Student's t for one new value, (now - mean) / (sd sqrt(1 + 1/J)), with J - 1 degrees of
    freedom for J baselines, at least 2. tests: how many signals are tested together, including this one.
    """
    count = len(baselines)
    values = np.asarray([score.value for score in baselines])
    mean = float(values.mean())
    scale = (1.0 if now.direction == "lower" else -1.0) / (abs(mean) or 1.0 if unit == "%" else 1.0)
    value = scale * (now.value - mean)
    # A share of n rows changes by at least 1/n: equal baseline scores do not mean that their spread is 0.
    step = 1 / now.n if unit == "points" else 0.0
    spread = max(abs(scale) * float(values.std(ddof=1)), step) * math.sqrt(1 + 1 / count)
    p = upper_tail(value / spread, count - 1) if spread else float(value <= 0)
    half = quantile(0.975, count - 1) * spread if spread else 0.0
    mde = detectable_errors(1 - ALPHA / tests, count - 1) * spread
    return Signal(name, "function", value, value - half, value + half, p, tolerance, mde, now.n, unit)
