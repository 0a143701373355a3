"""Rows that say the same as others: exactly, over all rows; nearly, over a sample, by MinHash (Broder 1997)."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from selfsown.text import normal

Array = np.ndarray[Any, np.dtype[Any]]
BANDS, ROWS = 12, 6  # of a signature: of texts that share 0.8 of their shingles 97 % are found, of 0.9: 99.99 %
ALIKE = 0.8  # the share of shingles that two near-copies have in common
SHINGLE = 5  # characters, of texts without regard to letter case and spaces
_PRIME = (1 << 61) - 1


def groups(texts: Sequence[str]) -> Array:
    """A number for each text; texts that say nearly the same have the same."""
    plain = [normal(text) for text in texts]
    shingles = [_shingles(text) for text in plain]
    buckets: dict[tuple[int, bytes], list[int]] = defaultdict(list)
    for at, each in enumerate(shingles):
        signature = _signature(each)
        for band in range(BANDS):
            buckets[band, signature[ROWS * band : ROWS * (band + 1)].tobytes()].append(at)
    leads = list(range(len(texts)))
    for members in buckets.values():
        first = members[0]
        for other in members[1:]:
            one, two = _lead(leads, first), _lead(leads, other)
            if one != two and (plain[first] == plain[other] or _jaccard(shingles[first], shingles[other]) >= ALIKE):
                leads[max(one, two)] = min(one, two)
    return np.asarray([_lead(leads, at) for at in range(len(texts))])


def repeated(codes: Array, n: int) -> float:
    """The share of rows that another row of these says too; n of them are looked at, so that sizes can be compared."""
    drawn = codes if n >= len(codes) else np.random.default_rng(0).choice(codes, n, replace=False)
    _, counts = np.unique(drawn, return_counts=True)
    return float(counts[counts > 1].sum() / max(1, len(drawn)))


def _shingles(text: str) -> frozenset[int]:
    many = max(1, len(text) - SHINGLE + 1)
    return frozenset(zlib.crc32(text[at : at + SHINGLE].encode("utf-8", "replace")) for at in range(many))


_RNG = np.random.default_rng(1)
_A = _RNG.integers(1, 1 << 31, BANDS * ROWS, dtype=np.uint64)
_B = _RNG.integers(0, 1 << 31, BANDS * ROWS, dtype=np.uint64)


def _signature(shingles: frozenset[int]) -> Array:
    """The least value of each of BANDS * ROWS hash functions over the shingles."""
    values = np.fromiter(shingles, np.uint64, len(shingles))
    table = (values[:, None] * _A + _B) % np.uint64(_PRIME)
    found: Array = table.min(0)
    return found


def _jaccard(one: frozenset[int], other: frozenset[int]) -> float:
    return len(one & other) / len(one | other)


def _lead(leads: list[int], at: int) -> int:
    while leads[at] != at:
        leads[at] = leads[leads[at]]
        at = leads[at]
    return at
