"""Metrics of a grader on rows with known labels, each with its 95 % interval."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

import numpy as np

from selfsown.stats.intervals import Z, mean, share

MAX_CORRELATION = 0.999999  # Fisher's transformation of 1 is infinite
Numbers = np.ndarray[Any, np.dtype[np.float64]]


class Metric(NamedTuple):
    """A number with its 95 % interval, on n rows or pairs."""

    value: float
    low: float
    high: float
    n: int


def rate(hits: int, n: int) -> Metric | None:
    """A share with Wilson's interval; None if n is 0."""
    return Metric(hits / n, *share(hits, n), n) if n else None


def kappa(good: Sequence[bool], accepted: Sequence[bool]) -> Metric | None:
    """Cohen's kappa: agreement beyond chance (Cohen 1960).

    The agreement by chance is taken as known, as in Cohen's own standard error, and the interval of the agreement is
    Wilson's, so that there is one even if all agree. None if chance alone would always agree.
    """
    n = len(good)
    if not n:
        return None
    agreed = sum(a == b for a, b in zip(good, accepted, strict=True))
    p, q = sum(good) / n, sum(accepted) / n
    chance = p * q + (1 - p) * (1 - q)
    if chance >= 1:
        return None
    value, low, high = ((agreement - chance) / (1 - chance) for agreement in (agreed / n, *share(agreed, n)))
    return Metric(value, low, high, n)


def partial_correlation(scores: Sequence[float], lengths: Sequence[float], labels: Sequence[Hashable]) -> Metric | None:
    """Rank correlation of score and length at equal label: ranks within each label, centred there.

    The interval is by Fisher's transformation. None if all scores, or all lengths, of each label are the same.
    """
    indexes: dict[Hashable, list[int]] = defaultdict(list)
    for index, label in enumerate(labels):
        indexes[label].append(index)
    x, y = np.zeros(len(labels)), np.zeros(len(labels))
    for members in indexes.values():
        x[members] = _centred_ranks(np.asarray(scores, float)[members])
        y[members] = _centred_ranks(np.asarray(lengths, float)[members])
    degrees_of_freedom = len(labels) - 2 - len(indexes)
    spread = math.sqrt(float((x * x).sum() * (y * y).sum()))
    if degrees_of_freedom <= 0 or spread == 0:
        return None
    r = float((x * y).sum()) / spread
    middle = math.atanh(max(-MAX_CORRELATION, min(MAX_CORRELATION, r)))
    half = Z / math.sqrt(degrees_of_freedom)
    return Metric(r, math.tanh(middle - half), math.tanh(middle + half), len(labels))


def adjusted_difference(scores: Sequence[float], own: Sequence[bool], labels: Sequence[Hashable]) -> Metric | None:
    """How much higher own rows score than others at equal label, each label weighted by its number of own rows.

    None if no label has at least two own rows and two others.
    """
    by_label: list[tuple[int, float, float]] = []  # own rows, difference, its variance
    for label in dict.fromkeys(labels):
        rows = [(score, is_own) for score, is_own, other in zip(scores, own, labels, strict=True) if other == label]
        own_scores = np.asarray([score for score, is_own in rows if is_own])
        other_scores = np.asarray([score for score, is_own in rows if not is_own])
        if min(len(own_scores), len(other_scores)) > 1:
            variance = own_scores.var(ddof=1) / len(own_scores) + other_scores.var(ddof=1) / len(other_scores)
            gap = float(own_scores.mean() - other_scores.mean())
            by_label.append((len(own_scores), gap, float(variance)))
    n = sum(size for size, _, _ in by_label)
    if not n:
        return None
    value = sum(size * gap for size, gap, _ in by_label) / n
    half = Z * math.sqrt(sum((size / n) ** 2 * variance for size, _, variance in by_label))
    return Metric(value, value - half, value + half, n)


def mean_gain(gains: Sequence[float]) -> Metric | None:
    """The mean with its normal interval; None of fewer than two."""
    return Metric(float(np.mean(gains)), *mean(gains), len(gains)) if len(gains) > 1 else None


def _centred_ranks(values: Numbers) -> Numbers:
    """The ranks, equal values sharing theirs, minus their mean."""
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: Numbers = (last - (counts - 1) / 2.0)[which]
    centred: Numbers = ranks - ranks.mean()
    return centred
