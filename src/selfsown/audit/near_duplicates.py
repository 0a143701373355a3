"""Rows that say the same as others: exactly, over all rows; nearly, over a sample, by MinHash (Broder 1997)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from selfsown.text.normalize import normal

Array = np.ndarray[Any, np.dtype[Any]]
BANDS, ROWS = 12, 6  # of a signature: of texts that share 0.8 of their shingles 97 % are found, of 0.9: 99.99 %
ALIKE = 0.8  # the share of shingles that two near-copies have in common
SHINGLE = 5  # characters, of texts without regard to letter case and spaces
MOST = 512  # shingles of a text, those of the least hashes, which are a random sample of all


def groups(texts: Sequence[str]) -> Array:
    """A number for each text; texts that say nearly the same have the same."""
    plain = [normal(text) for text in texts]
    first: dict[str, int] = {}
    leads = [first.setdefault(text, at) for at, text in enumerate(plain)]
    shingles = {at: _shingles(text) for text, at in first.items()}
    buckets: dict[tuple[int, bytes], list[int]] = defaultdict(list)
    for at, found in shingles.items():
        signature = _signature(found)
        for band in range(BANDS):
            buckets[band, signature[ROWS * band : ROWS * (band + 1)].tobytes()].append(at)
    for members in buckets.values():
        for before, other in pairwise(members):
            for each in {members[0], before}:
                ends = _lead(leads, each), _lead(leads, other)
                if ends[0] != ends[1] and _jaccard(shingles[each], shingles[other]) >= ALIKE:
                    leads[max(ends)] = min(ends)
    return np.asarray([_lead(leads, at) for at in range(len(texts))])


def repeated(codes: Array, n: int) -> float:
    """The share of rows that another row of these says too; n of them are looked at, so that sizes can be compared."""
    drawn = codes if n >= len(codes) else np.random.default_rng(0).choice(codes, n, replace=False)
    _, counts = np.unique(drawn, return_counts=True)
    return float(counts[counts > 1].sum() / max(1, len(drawn)))


_RNG = np.random.default_rng(1)
_A = _RNG.integers(0, 1 << 63, BANDS * ROWS, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
_POWERS = np.uint64(0x100000001B3) ** np.arange(SHINGLE, dtype=np.uint64)
_MIX, _HALF = np.uint64(0x9E3779B97F4A7C15), np.uint64(32)


def _shingles(text: str) -> Array:
    """A hash of each run of characters, in order, each once."""
    letters = np.frombuffer(text.encode("utf-32-le", "replace"), np.uint32).astype(np.uint64)
    letters = np.pad(letters, (0, max(0, SHINGLE - len(letters))))
    hashes = np.convolve(letters, _POWERS, "valid") * _MIX
    return _once(np.sort((hashes ^ (hashes >> _HALF)) * _MIX))[:MOST]


def _signature(shingles: Array) -> Array:
    """The least value of each of BANDS * ROWS hash functions over the shingles."""
    found: Array = (shingles * _A[:, None]).min(1)
    return found


def _jaccard(one: Array, other: Array) -> float:
    """The share of shingles that both have, of all that one has; of long texts, of the least hashes of both."""
    both = np.sort(np.concatenate([one, other]))
    twice = both[1:][both[1:] == both[:-1]]
    together = _once(both)[:MOST]
    return np.count_nonzero(twice <= together[-1]) / len(together)


def _once(ordered: Array) -> Array:
    """Each value once."""
    found: Array = ordered[np.concatenate([[True], ordered[1:] != ordered[:-1]])]
    return found


def _lead(leads: list[int], at: int) -> int:
    while leads[at] != at:
        leads[at] = leads[leads[at]]
        at = leads[at]
    return at
