"""What can be said of a grader whose rows have known labels, each number with its 95 % interval."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

import numpy as np

from selfsown.stats.intervals import Z, mean, share

Numbers = np.ndarray[Any, np.dtype[np.float64]]


class Measure(NamedTuple):
    """A number with its interval, on n rows or pairs."""

    value: float
    low: float
    high: float
    n: int


def rate(hits: int, n: int) -> Measure | None:
    """A share with Wilson's interval; None of nothing."""
    return Measure(hits / n, *share(hits, n), n) if n else None


def kappa(good: Sequence[bool], accepted: Sequence[bool]) -> Measure | None:
    """Cohen's kappa: agreement beyond that of two who know nothing of each other (Cohen 1960).

    The agreement by chance is taken as known, as in Cohen's own error, and the interval of the agreement is Wilson's:
    so there is one even where all agree. None where chance alone would always agree.
    """
    n = len(good)
    if not n:
        return None
    agreed = sum(a == b for a, b in zip(good, accepted, strict=True))
    p, q = sum(good) / n, sum(accepted) / n
    chance = p * q + (1 - p) * (1 - q)
    if chance >= 1:
        return None
    value, low, high = ((each - chance) / (1 - chance) for each in (agreed / n, *share(agreed, n)))
    return Measure(value, low, high, n)


def partial_correlation(
    scores: Sequence[float], lengths: Sequence[float], labels: Sequence[Hashable]
) -> Measure | None:
    """The rank correlation of score and length at equal label: ranks within each label, centred there.

    By Fisher's transformation. None where all scores, or all lengths, of each label are the same.
    """
    places: dict[Hashable, list[int]] = defaultdict(list)
    for at, label in enumerate(labels):
        places[label].append(at)
    x, y = np.zeros(len(labels)), np.zeros(len(labels))
    for each in places.values():
        x[each] = _ranks(np.asarray(scores, float)[each])
        y[each] = _ranks(np.asarray(lengths, float)[each])
    free = len(labels) - 2 - len(places)
    spread = math.sqrt(float((x * x).sum() * (y * y).sum()))
    if free <= 0 or spread == 0:
        return None
    r = float((x * y).sum()) / spread
    middle = math.atanh(max(-0.999999, min(0.999999, r)))
    return Measure(r, math.tanh(middle - Z / math.sqrt(free)), math.tanh(middle + Z / math.sqrt(free)), len(labels))


def difference(scores: Sequence[float], ours: Sequence[bool], labels: Sequence[Hashable]) -> Measure | None:
    """How much higher our rows score than others at equal label, each label by the number of our rows in it.

    None where no label has two of both.
    """
    found: list[tuple[int, float, float]] = []  # our rows, difference, its variance
    for label in dict.fromkeys(labels):
        groups = [
            [score for score, own, at in zip(scores, ours, labels, strict=True) if at == label and own is side]
            for side in (True, False)
        ]
        if min(map(len, groups)) > 1:
            a, b = (np.asarray(group) for group in groups)
            variance = a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b)
            found.append((len(a), float(a.mean() - b.mean()), float(variance)))
    n = sum(size for size, _, _ in found)
    if not n:
        return None
    value = sum(size * gap for size, gap, _ in found) / n
    half = Z * math.sqrt(sum((size / n) ** 2 * variance for size, _, variance in found))
    return Measure(value, value - half, value + half, n)


def gain(first: Sequence[float]) -> Measure | None:
    """The mean of what rows gained by standing first; None of fewer than two."""
    return Measure(float(np.mean(first)), *mean(first), len(first)) if len(first) > 1 else None


def _ranks(values: Numbers) -> Numbers:
    """The ranks, equal values sharing theirs, less their mean."""
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: Numbers = (last - (counts - 1) / 2.0)[which]
    centred: Numbers = ranks - ranks.mean()
    return centred
