"""Measures of change between two sets of documents from one pool: by how much the second is worse.

A measure is a function of two arrays of document indices, before and now, that divide the pool. It is called thousands
of times, so everything that depends on the documents alone is computed once.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from selfsown.signals.attributes import NONE
from selfsown.signals.reference import Array, ReferenceCorpus, effective
from selfsown.stats.intervals import Z

Measure = Callable[[Array, Array], float]
MIN_COUNT = 30  # distinct rare n-grams, or rows with a value, that a measure needs


def rare_ngrams_lost(corpus: ReferenceCorpus, texts: Sequence[str]) -> Measure:
    """The share of distinct rare n-grams that is lost. Rare words and rare pairs of words have equal weight, although
    there are many more pairs, most of them of common words."""
    documents, grams = corpus.rare_ngrams(texts)
    kinds = [kind for kind in (corpus.pairs, ~corpus.pairs) if kind.sum() >= MIN_COUNT]
    kinds = kinds or [np.ones(len(corpus.rare), bool)]

    def distinct_per_text(indices: Array) -> list[float]:
        selected = np.zeros(len(texts), bool)
        selected[indices] = True
        present = np.bincount(grams[selected[documents]], minlength=len(corpus.rare)) > 0
        return [np.count_nonzero(present & kind) / max(1, len(indices)) for kind in kinds]

    def lost(before: Array, now: Array) -> float:
        counts = zip(distinct_per_text(before), distinct_per_text(now), strict=True)
        return float(np.mean([_share_lost(*pair) for pair in counts]))

    return lost


def has_rare_ngrams(corpus: ReferenceCorpus, texts: Sequence[str]) -> bool:
    """Whether these texts have enough distinct rare n-grams for a loss to be detectable."""
    return len(set(corpus.rare_ngrams(texts)[1].tolist())) >= MIN_COUNT


def vendi_lost(corpus: ReferenceCorpus, texts: Sequence[str]) -> Measure:
    """The share by which the Vendi score falls: the effective number of directions of the documents' embeddings, which
    is the exponential of the entropy of the spectrum of their similarities (Friedman and Dieng 2023)."""
    embedded = corpus.embed(texts)
    one, other = np.triu_indices(embedded.shape[1])
    products = embedded[:, one] * embedded[:, other]  # their sum over documents is the upper half of a covariance
    whole = products.sum(0, dtype=np.float64)

    def score(half: Array) -> float:
        square = np.zeros((embedded.shape[1], embedded.shape[1]))
        square[one, other] = half
        return effective(np.linalg.eigvalsh(square, "U"))

    def lost(before: Array, now: Array) -> float:
        selected = np.zeros(len(texts), np.float32)
        selected[now] = 1
        half = (selected @ products).astype(np.float64)
        return _share_lost(score(whole - half), score(half))  # before and now together are the whole pool

    return lost


def log_odds_change(values: Sequence[str], majority: str, real: Sequence[str] = ()) -> Measure:
    """The growth of the log-odds of a value, the most common one among real rows.

    real: values of real rows; growth up to their log-odds is no amplification, and does not count.
    """
    matches = np.asarray([value == majority for value in values])
    floor = _logit(real.count(majority), len(real)) if real else -math.inf

    def logit(indices: Array) -> float:
        return max(floor, _logit(float(matches[indices].sum()), len(indices)))

    return lambda before, now: logit(now) - logit(before)


def log_odds_error(real: Sequence[str], majority: str) -> float:
    """The 95 % margin of error of the log-odds of a value among real rows."""
    hits = real.count(majority)
    return Z * math.sqrt(1 / (hits + 0.5) + 1 / (len(real) - hits + 0.5))


def shift(values: Sequence[str], real: Sequence[str] = ()) -> Measure:
    """The total variation distance between the shares of an attribute's values.

    real: values of real rows; with them, the growth of the distance to their shares, which is negative if it shrinks.
    """
    codes = {value: code for code, value in enumerate(sorted({*values, *real}))}
    coded = np.asarray([codes[value] for value in values])
    real_shares = np.bincount([codes[value] for value in real], minlength=len(codes)) / max(1, len(real))

    def shares(indices: Array) -> Array:
        return np.bincount(coded[indices], minlength=len(codes)) / max(1, len(indices))

    def distance(one: Array, other: Array) -> float:
        return float(np.abs(one - other).sum()) / 2

    if not real:
        return lambda before, now: distance(shares(now), shares(before))
    return lambda before, now: distance(shares(now), real_shares) - distance(shares(before), real_shares)


def shift_error(real: Sequence[str]) -> float:
    """The 95 % margin of error of the shares among real rows, in total variation distance."""
    shares = np.asarray([*Counter(real).values()]) / len(real)
    drawn = np.random.default_rng(0).multinomial(len(real), shares, 1000) / len(real)
    return float(np.quantile(np.abs(drawn - shares).sum(1) / 2, 0.95))


def accuracy_gap(values: Sequence[str], right: Sequence[bool]) -> Measure:
    """The growth of the largest accuracy difference between two values of an attribute that enough rows have."""
    codes = {value: code for code, value in enumerate(sorted({*values} - {NONE}))}
    coded = np.asarray([codes.get(value, len(codes)) for value in values])
    correct = np.asarray(right, float)

    def difference(indices: Array) -> float:
        counts = np.bincount(coded[indices], minlength=len(codes) + 1)[:-1]
        hits = np.bincount(coded[indices], correct[indices], minlength=len(codes) + 1)[:-1]
        rates = hits[counts >= MIN_COUNT] / counts[counts >= MIN_COUNT]
        return float(np.ptp(rates)) if len(rates) else 0.0

    return lambda before, now: difference(now) - difference(before)


def _logit(hits: float, of: int) -> float:
    return math.log((hits + 0.5) / (of - hits + 0.5))


def most_common(values: Sequence[str]) -> str:
    """The most common value, ignoring rows without one unless all are; the first in the alphabet of equals."""
    counts = Counter(value for value in values if value != NONE) or Counter(values)
    return min(counts, key=lambda value: (-counts[value], value))


def _share_lost(before: float, now: float) -> float:
    return 1 - now / before if before else 0.0
