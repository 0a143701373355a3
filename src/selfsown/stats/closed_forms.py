"""Closed forms: what sampling, selection and mixing do to a source of data over generations, exactly or in the limit.

Shares are between 0 and 1; t counts generations from the first that learns from synthetic data; n is how many rows a
generation has.
"""

from __future__ import annotations

import math
from collections.abc import Sequence


def retained(n: int, t: int, accumulate: bool = False) -> float:
    """The share of spread that is left: of a Gaussian's variance (maximum likelihood), or of 1 - sum of squared shares.

    Replaced, (1 - 1/n)^t, which goes to 0; accumulated, the product of 1 - 1/(n i^2), which does not (Gerstgrasser et
    al. 2024, Dey and Donoho 2024: pi^2/6).
    """
    if accumulate:
        return math.prod(1 - 1 / (n * i * i) for i in range(1, t + 1))
    return (1 - 1 / n) ** t


def log_variance(n: int, t: int) -> float:
    """The mean logarithm of a Gaussian's variance after t unbiased fits, data replaced: though its mean stays 1, it
    falls without bound, by digamma((n - 1) / 2) - log((n - 1) / 2) each time."""
    half = (n - 1) / 2
    return t * (_digamma(half) - math.log(half))


def subsampled(n: int, t: int) -> float:
    """The share of a Gaussian's variance that is left after t fits, where each is to n rows that are drawn, without
    replacement, from all that has accumulated; each generation adds n rows."""
    # Around the first mean every row's square has mean 1. same[k], pairs[j][k]: the mean product of two rows of batch
    # k, and of one of batch j and one of batch k > j; batch 0 is real. A fit's mean has that of the pool in the mean.
    same, pairs, products = [0.0], [list[float]()], 0.0
    for k in range(1, t + 1):
        whole = sum(n * (n - 1) * square for square in same) + 2 * n * n * sum(map(sum, pairs))
        products = whole / (k * n * (k * n - 1))
        mixed = [(1 + (n - 1) * same[j] + n * _beside(pairs, j, k)) / (k * n) for j in range(k)]
        same.append(1 / n + (1 - 1 / n) * products)
        pairs.append(mixed)
    return (1 - 1 / n) * (1 - products)


def _beside(pairs: Sequence[Sequence[float]], batch: int, batches: int) -> float:
    """The sum of the mean products of this batch with each other one."""
    return sum(pairs[max(batch, i)][min(batch, i)] for i in range(batches) if i != batch)


def regression_error(features: int, n: int, sigma: float, t: int, accumulate: bool = False) -> float:
    """The excess test error of least squares on what its predecessor wrote, Gaussian features (Gerstgrasser et al.
    2024, section 3): sigma^2 d / (n - d - 1), times t where data is replaced, times sum 1/i^2 where it accumulates."""
    base = sigma * sigma * features / (n - features - 1)
    return base * (sum(1 / i**2 for i in range(1, t + 1)) if accumulate else t)


def kinds_seen(shares: Sequence[float], n: int) -> float:
    """The expected number of kinds that occur at least once among n draws."""
    return sum(1 - (1 - p) ** n for p in shares)


def forgotten(t: int, copies: int = 1) -> float:
    """The share of kinds that occurred `copies` times among the real rows and are gone by generation t, data replaced:
    q_0 = 0, q_(t+1) = exp(q_t - 1), to the power of copies (a critical branching process of Poisson offspring)."""
    lost = 0.0
    for _ in range(t):
        lost = math.exp(lost - 1)
    return lost**copies


def sharpened(share: float, temperature: float, t: int) -> float:
    """A value's share against one other after t generations, each written at this temperature and replacing the last:
    the odds to the power of temperature^-t."""
    return _share(math.log(share / (1 - share)) / temperature**t)


def favoured(share: float, odds: float, t: int, accumulate: bool = False) -> float:
    """A value's share against all others where a verifier passes its rows `odds` times as often as others.

    Replaced, its odds grow by that factor in each generation; accumulated, by about the power 1/2 + ... + 1/(t+1), as
    each generation is one part of all that was ever kept.
    """
    power = sum(1 / i for i in range(2, t + 2)) if accumulate else t
    return _share(math.log(share / (1 - share)) + power * math.log(odds))


def replaced(share: float, temperature: float, odds: float, t: int) -> float:
    """A value's share in what generation t writes, where each learns from nothing but the last one's rows."""
    log_odds = math.log(share / (1 - share))
    for _ in range(t):
        log_odds = log_odds / temperature + math.log(odds)
    return _share(log_odds)


def projected(share: float, temperature: float, odds: float, t: int, real_share: float) -> float:
    """A value's share in what generation t writes, where each learns from all that was written before it and from real
    rows, which are `real_share` of that at the least; the temperature and the verifier's odds as above, without chance.
    """
    written, whole = share, [share]
    for _ in range(t):
        synthetic = sum(whole[1:]) / max(1, len(whole) - 1)
        real = max(real_share, 1 / len(whole))
        source = real * share + (1 - real) * synthetic
        written = _share(math.log(source / (1 - source)) / temperature + math.log(odds))
        whole.append(written)
    return written


def tolerable_noise(right: float, wrong: float) -> float:
    """The share of wrong labels up to which filtered data still teaches: right and wrong are how often the verifier
    passes right and wrong rows (after Feng et al. 2024)."""
    return right / (right + wrong)


def settled(error: float, wrong_to_right: float) -> float:
    """The accuracy at which a model that learns from its own filtered answers settles.

    error: the share of what it knows that it loses in learning, each generation; wrong_to_right: how often the verifier
    passes a wrong row, against a right one. 0 where the verifier is too weak to hold it: from 1 - error on.
    """
    return max(0.0, 1 - error / (1 - wrong_to_right)) if wrong_to_right < 1 else 0.0


def weakest_verifier(error: float, accuracy: float) -> float:
    """The largest wrong_to_right at which a model still settles at this accuracy or above."""
    return max(0.0, 1 - error / (1 - accuracy)) if accuracy < 1 else 0.0


def excess_error(real_share: float, fresh: bool, n: float = math.inf) -> float:
    """By how much the squared error of shares exceeds that of one real sample as large, where a part of each
    generation's data is real and the rest the last generation's: 1 / (rho (2 - rho)) where the real rows are new each
    time; 1/rho, and of that the part that synthetic rows add, where they are always the same."""
    left = (1 - real_share) ** 2 * (1 - 1 / n)
    wandering = 1 / (1 - left) if left < 1 else math.inf
    if fresh or not real_share:
        return wandering if fresh else math.inf
    return 1 / real_share + (1 - real_share) * wandering


def _digamma(x: float) -> float:
    """The derivative of the logarithm of the gamma function, by its recurrence and asymptotic series."""
    total = 0.0
    while x < 10:
        total -= 1 / x
        x += 1
    return total + math.log(x) - 1 / (2 * x) - 1 / (12 * x**2) + 1 / (120 * x**4) - 1 / (252 * x**6)


def _share(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds)) if log_odds > -700 else 0.0
