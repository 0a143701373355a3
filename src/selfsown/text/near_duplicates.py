"""Duplicate texts: exact ones by hash, near ones by MinHash over character shingles (Broder 1997)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from selfsown.text.normalize import normal

Array = np.ndarray[Any, np.dtype[Any]]
BANDS = 12
HASHES_PER_BAND = 6  # with 12 bands, 97 % of texts with Jaccard similarity 0.8 are found, 99.99 % of those with 0.9
MIN_JACCARD = 0.8  # similarity of the shingle sets of two near duplicates
SHINGLE_CHARS = 5  # of the normalized text
MAX_SHINGLES = 512  # per text: those with the smallest hashes, a random sample of all


def near_duplicate_groups(texts: Sequence[str]) -> Array:
    """A group number for each text, shape (texts,); near duplicates, also by way of a third text, share a number."""
    normalized = [normal(text) for text in texts]
    first: dict[str, int] = {}
    parents = [first.setdefault(text, index) for index, text in enumerate(normalized)]
    shingles = {index: _shingles(text) for text, index in first.items()}
    buckets: dict[tuple[int, bytes], list[int]] = defaultdict(list)
    for index, hashes in shingles.items():
        for bucket in _buckets(hashes):
            buckets[bucket].append(index)
    for members in buckets.values():
        for previous, current in pairwise(members):
            for candidate in {members[0], previous}:
                roots = _root(parents, candidate), _root(parents, current)
                if roots[0] != roots[1] and _jaccard(shingles[candidate], shingles[current]) >= MIN_JACCARD:
                    parents[max(roots)] = min(roots)
    return np.asarray([_root(parents, index) for index in range(len(texts))])


class NearDuplicateIndex:
    """Texts, each with a name, and the search for a near duplicate of another text among them."""

    def __init__(self) -> None:
        self._exact: dict[str, str] = {}
        self._near: dict[tuple[int, bytes], list[tuple[Array, str]]] = defaultdict(list)

    def add(self, text: str, name: str) -> None:
        normalized = normal(text)
        if normalized not in self._exact:
            shingles = _shingles(normalized)
            self._add(normalized, name, shingles, _buckets(shingles))

    def exact(self, text: str) -> str:
        """The name of the same text in normal form; "" where there is none."""
        return self._exact.get(normal(text), "")

    def near(self, text: str) -> str:
        """The name of the first near duplicate, perhaps an exact one; "" where there is none."""
        normalized = normal(text)
        if normalized in self._exact:
            return self._exact[normalized]
        shingles = _shingles(normalized)
        return self._near_name(shingles, _buckets(shingles))

    def near_or_add(self, text: str, name: str) -> str:
        """The name of the first near duplicate; where there is none, "", and the text is added."""
        normalized = normal(text)
        if normalized in self._exact:
            return self._exact[normalized]
        shingles = _shingles(normalized)
        buckets = _buckets(shingles)
        if near := self._near_name(shingles, buckets):
            return near
        self._add(normalized, name, shingles, buckets)
        return ""

    def _add(self, normalized: str, name: str, shingles: Array, buckets: Sequence[tuple[int, bytes]]) -> None:
        self._exact[normalized] = name
        for bucket in buckets:
            self._near[bucket].append((shingles, name))

    def _near_name(self, shingles: Array, buckets: Sequence[tuple[int, bytes]]) -> str:
        candidates = {name: known for bucket in buckets for known, name in self._near.get(bucket, ())}
        return next((name for name, known in candidates.items() if _jaccard(known, shingles) >= MIN_JACCARD), "")


def duplicate_rate(codes: Array, sample_size: int) -> float:
    """The share of rows whose code occurs more than once, among `sample_size` rows drawn at random.

    The rate grows with the number of rows, so two data sets are comparable at equal sample sizes only.
    """
    drawn = codes
    if sample_size < len(codes):
        drawn = np.random.default_rng(0).choice(codes, sample_size, replace=False)
    _, counts = np.unique(drawn, return_counts=True)
    return float(counts[counts > 1].sum() / max(1, len(drawn)))


_RNG = np.random.default_rng(1)
_MULTIPLIERS = _RNG.integers(0, 1 << 63, BANDS * HASHES_PER_BAND, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
_POWERS = np.uint64(0x100000001B3) ** np.arange(SHINGLE_CHARS, dtype=np.uint64)
_MIX = np.uint64(0x9E3779B97F4A7C15)
_HALF = np.uint64(32)


def _shingles(text: str) -> Array:
    """The distinct hashes of all runs of SHINGLE_CHARS characters, in ascending order."""
    letters = np.frombuffer(text.encode("utf-32-le", "replace"), np.uint32).astype(np.uint64)
    letters = np.pad(letters, (0, max(0, SHINGLE_CHARS - len(letters))))
    hashes = np.convolve(letters, _POWERS, "valid") * _MIX
    return _distinct(np.sort((hashes ^ (hashes >> _HALF)) * _MIX))[:MAX_SHINGLES]


def _buckets(shingles: Array) -> list[tuple[int, bytes]]:
    """The buckets in which near duplicates meet: each band of the signature, with its number."""
    bands = _signature(shingles).reshape(BANDS, HASHES_PER_BAND)
    return [(band, part.tobytes()) for band, part in enumerate(bands)]


def _signature(shingles: Array) -> Array:
    """The minimum of each of BANDS * HASHES_PER_BAND hash functions over the shingles."""
    signature: Array = (shingles * _MULTIPLIERS[:, None]).min(1)
    return signature


def _jaccard(one: Array, other: Array) -> float:
    """Jaccard similarity of two shingle sets; of long texts, estimated on the smallest hashes of their union."""
    both = np.sort(np.concatenate([one, other]))
    shared = both[1:][both[1:] == both[:-1]]
    union = _distinct(both)[:MAX_SHINGLES]
    return np.count_nonzero(shared <= union[-1]) / len(union)


def _distinct(ordered: Array) -> Array:
    """The distinct values of a sorted array."""
    distinct: Array = ordered[np.concatenate([[True], ordered[1:] != ordered[:-1]])]
    return distinct


def _root(parents: list[int], index: int) -> int:
    """The representative of a text's group (union-find with path halving)."""
    while parents[index] != index:
        parents[index] = parents[parents[index]]
        index = parents[index]
    return index
