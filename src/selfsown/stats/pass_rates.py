"""Pass rates from few samples: a beta prior fitted to many problems, and the probability that one lies in a band.

Own code rather than scipy, as in student_t.py; the incomplete beta function agrees with scipy's to nine digits
(tests/test_pass_rates.py).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

MIN_CONCENTRATION, MAX_CONCENTRATION = 0.05, 50.0  # of the fitted prior
MAX_TERMS = 300  # of the continued fraction
TINY = 1e-300


@dataclass(frozen=True)
class Beta:
    """A beta distribution over the pass rate of a problem."""

    right: float = 1.0
    wrong: float = 1.0

    def after(self, right: int, samples: int) -> Beta:
        """The posterior after so many right answers of so many samples."""
        return Beta(self.right + right, self.wrong + samples - right)

    def between(self, low: float, high: float) -> float:
        """The probability of a pass rate from `low` to `high`."""
        below_high, below_low = (incomplete_beta(x, self.right, self.wrong) for x in (high, low))
        return max(0.0, below_high - below_low)

    @property
    def moments(self) -> tuple[float, float]:
        """The mean, and the mean of the square."""
        total = self.right + self.wrong
        mean = self.right / total
        return mean, mean * (self.right + 1) / (total + 1)


UNIFORM = Beta()


def fit_beta(counts: Sequence[int], samples: int, base: Beta = UNIFORM, weight: float = 2.0) -> Beta:
    """The prior of problems of which so many of `samples` answers each were right, by the method of moments.

    The second moment of a pass rate is the chance that two answers to one problem are both right. With one sample a
    problem it is unknown, and that of a uniform distribution with this mean is taken.
    base: a distribution that counts as much as `weight` problems.

    Source: empirical Bayes for beta-binomial counts (Casella 1985, "An Introduction to Empirical Bayes Data Analysis").
    """
    problems = len(counts) + weight
    base_mean, base_square = base.moments
    mean = (sum(counts) / samples + weight * base_mean) / problems
    if samples < 2:
        return Beta(2 * mean, 2 * (1 - mean))
    pairs = sum(right * (right - 1) for right in counts) / (samples * (samples - 1))
    variance = (pairs + weight * base_square) / problems - mean**2
    largest = mean * (1 - mean)
    concentration = largest / variance - 1 if variance > 0 else MAX_CONCENTRATION
    concentration = min(max(concentration, MIN_CONCENTRATION), MAX_CONCENTRATION)
    return Beta(concentration * mean, concentration * (1 - mean))


def incomplete_beta(x: float, a: float, b: float) -> float:
    """The regularized incomplete beta function: the probability that a beta(a, b) variable is below x.

    Source: its continued fraction (DLMF 8.17.22), by the modified Lentz method (Thompson and Barnett 1986).
    """
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - incomplete_beta(1 - x, b, a)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    value, c, d = 1.0, 1.0, 0.0
    for term in range(MAX_TERMS):
        m = term // 2
        if term == 0:
            numerator = 1.0
        elif term % 2:
            numerator = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            numerator = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1 / _nonzero(1 + numerator * d)
        c = _nonzero(1 + numerator / c)
        value *= c * d
        if abs(c * d - 1) < 1e-14:
            break
    return math.exp(log_front) * (value - 1) / a


def _nonzero(value: float) -> float:
    return value if abs(value) > TINY else TINY
