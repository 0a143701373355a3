"""Measures of what changed between two sets of documents of one pool: by how much the second is the worse.

Each is a function of two arrays of places, which divide the pool; it may be asked thousands of times, so all that
depends on the documents alone is done before.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from selfsown.signals.attributes import NONE
from selfsown.signals.reference import Anchor, Array, effective

NORMAL = 1.959964  # normal quantile of a 95 % interval
Measure = Callable[[Array, Array], float]
FEW = 30  # kinds of rare n-grams, or rows with a value, under which nothing is said of them


def tails(anchor: Anchor, texts: Sequence[str]) -> Measure:
    """The share by which fewer kinds of n-grams, of those that are rare in the anchor, are still said. Rare words and
    rare pairs count as much as each other, though there are many more pairs, most of them of common words."""
    documents, grams = anchor.rares(texts)
    kinds = [kind for kind in (anchor.pairs, ~anchor.pairs) if kind.sum() >= FEW] or [np.ones(len(anchor.rare), bool)]

    def said(places: Array) -> list[float]:
        here = np.zeros(len(texts), bool)
        here[places] = True
        found = np.bincount(grams[here[documents]], minlength=len(anchor.rare)) > 0
        return [np.count_nonzero(found & kind) / max(1, len(places)) for kind in kinds]

    return lambda before, now: float(np.mean([_fewer(*pair) for pair in zip(said(before), said(now), strict=True)]))


def measurable(anchor: Anchor, texts: Sequence[str]) -> bool:
    """Whether these texts say enough of what is rare in the anchor for a loss of it to be seen."""
    return len(set(anchor.rares(texts)[1].tolist())) >= FEW


def vendi(anchor: Anchor, texts: Sequence[str]) -> Measure:
    """The share by which the Vendi score falls: the effective number of directions in which documents lie, that is the
    exponential of the entropy of the spectrum of their similarities (Friedman and Dieng 2023)."""
    placed = anchor.placed(texts)
    one, other = np.triu_indices(placed.shape[1])
    products = placed[:, one] * placed[:, other]  # summed over documents, they are the upper half of a covariance
    whole = products.sum(0, dtype=np.float64)

    def score(half: Array) -> float:
        square = np.zeros((placed.shape[1], placed.shape[1]))
        square[one, other] = half
        return effective(np.linalg.eigvalsh(square, "U"))

    def fallen(before: Array, now: Array) -> float:
        here = np.zeros(len(texts), np.float32)
        here[now] = 1
        ours = (here @ products).astype(np.float64)
        return _fewer(score(whole - ours), score(ours))  # before and now are all that there is

    return fallen


def odds(values: Sequence[str], major: str, real: Sequence[str] = ()) -> Measure:
    """By how much the log-odds of the value that is the most common one among real rows have grown. real: values of
    real rows, whose log-odds are no amplification; what grows up to them counts for nothing."""
    held = np.asarray([value == major for value in values])
    least = _logit(real.count(major), len(real)) if real else -math.inf

    def logit(places: Array) -> float:
        return max(least, _logit(float(held[places].sum()), len(places)))

    return lambda before, now: logit(now) - logit(before)


def odds_error(real: Sequence[str], major: str) -> float:
    """How far from the truth the log-odds of so many real rows may lie, in 95 of 100 samples."""
    hits = real.count(major)
    return NORMAL * math.sqrt(1 / (hits + 0.5) + 1 / (len(real) - hits + 0.5))


def variation(values: Sequence[str], real: Sequence[str] = ()) -> Measure:
    """The total variation between the shares of an attribute's values: the probability mass that moved. real: values
    of real rows; then by how much farther the newer shares lie from theirs, below 0 where they are nearer."""
    kinds = {value: at for at, value in enumerate(sorted({*values, *real}))}
    coded = np.asarray([kinds[value] for value in values])
    wanted = np.bincount([kinds[value] for value in real], minlength=len(kinds)) / max(1, len(real))

    def shares(places: Array) -> Array:
        return np.bincount(coded[places], minlength=len(kinds)) / max(1, len(places))

    def far(one: Array, other: Array) -> float:
        return float(np.abs(one - other).sum()) / 2

    if not real:
        return lambda before, now: far(shares(now), shares(before))
    return lambda before, now: far(shares(now), wanted) - far(shares(before), wanted)


def variation_error(real: Sequence[str]) -> float:
    """How far from the truth the shares of so many real rows may lie, in total variation, in 95 of 100 samples."""
    shares = np.asarray([*Counter(real).values()]) / len(real)
    drawn = np.random.default_rng(0).multinomial(len(real), shares, 1000) / len(real)
    return float(np.quantile(np.abs(drawn - shares).sum(1) / 2, 0.95))


def disparity(values: Sequence[str], right: Sequence[bool]) -> Measure:
    """By how much the largest difference between two values in the share of right rows has grown, of values that
    enough rows show."""
    kinds = {value: at for at, value in enumerate(sorted({*values} - {NONE}))}
    coded = np.asarray([kinds.get(value, len(kinds)) for value in values])
    held = np.asarray(right, float)

    def difference(places: Array) -> float:
        counts = np.bincount(coded[places], minlength=len(kinds) + 1)[:-1]
        hits = np.bincount(coded[places], held[places], minlength=len(kinds) + 1)[:-1]
        rates = hits[counts >= FEW] / counts[counts >= FEW]
        return float(np.ptp(rates)) if len(rates) else 0.0

    return lambda before, now: difference(now) - difference(before)


def _logit(hits: float, of: int) -> float:
    return math.log((hits + 0.5) / (of - hits + 0.5))


def major(values: Sequence[str]) -> str:
    """The most common value, of rows that show one if any does; of equals, the first in the alphabet."""
    counts = Counter(value for value in values if value != NONE) or Counter(values)
    return min(counts, key=lambda value: (-counts[value], value))


def _fewer(before: float, now: float) -> float:
    return 1 - now / before if before else 0.0
