"""Texts that are probably similar, among millions: MinHash sketches and locality-sensitive hashing (Broder 1997).

A sketch comes from one hash function whose values are divided among bins (one-permutation hashing, Li, Owen and Zhang
2012); an empty bin takes the value of the next one (Shrivastava and Li 2014). Many texts are sketched at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from tempfile import TemporaryFile
from typing import Any

import numpy as np

from selfsown.text.normalize import normal

Array = np.ndarray[Any, np.dtype[Any]]

BINS = 128  # of a sketch
GRAM_BYTES = 5  # of the normal form: about one word
BATCH_TEXTS = 128  # sketched at a time: what is computed of some hundred bytes each fits into a processor's cache
MAX_BAND_MISSES = 0.01  # of pairs as similar as asked for
MARGIN = 0.15  # three standard errors of an estimate
_EMPTY = np.uint32(0xFFFFFFFF)
_MIX = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD6E8FEB86659FD93))
_HALF, _BIN_SHIFT, _VALUE_SHIFT = np.uint64(32), np.uint64(57), np.uint64(20)  # 2^(64 - 57) bins


def sketches(texts: Sequence[str]) -> Array:
    """One sketch for each text (texts, BINS), uint32. The share of equal bins estimates the Jaccard similarity of the
    texts' runs of GRAM_BYTES bytes, with a standard error of at most 0.05."""
    encoded = [normal(text).encode("utf-8", "replace") for text in texts]
    padding = bytes(GRAM_BYTES - 1)
    padded = padding.join(encoded) + padding + bytes(8)
    lengths = np.array([len(text) + len(padding) for text in encoded], np.int64)
    count = int(lengths.sum())
    from_each_byte = np.ndarray(count, ">u8", padded, strides=(1,))  # eight bytes, the first one highest
    hashes = from_each_byte >> np.uint64(64 - 8 * GRAM_BYTES)
    hashes *= _MIX[0]
    hashes ^= hashes >> _HALF
    hashes *= _MIX[1]
    values = (hashes >> _VALUE_SHIFT).astype(np.uint32)
    values &= np.uint32(0xFFFFFFFE)  # never _EMPTY
    values[np.frombuffer(padded, np.uint8, count) == 0] = _EMPTY  # a normal form has no byte 0: runs in the padding
    hashes >>= _BIN_SHIFT
    places = hashes.view(np.int64)
    places += np.repeat(np.arange(0, len(texts) * BINS, BINS), lengths)
    bins = np.full(len(texts) * BINS, _EMPTY)
    np.minimum.at(bins, places, values)
    sketched: Array = bins.reshape(len(texts), BINS)
    with_gaps = (sketched == _EMPTY).any(1)
    sketched[with_gaps] = _filled(sketched[with_gaps])
    return sketched


def _filled(bins: Array) -> Array:
    """The sketches with each empty bin filled from the next one that is not, in a ring; a text without bytes stays."""
    twice = np.concatenate([bins, bins], axis=1)
    place = np.where(twice == _EMPTY, 2 * BINS, np.arange(2 * BINS))
    nearest = np.minimum.accumulate(place[:, ::-1], axis=1)[:, ::-1][:, :BINS]
    distance = (nearest - np.arange(BINS)).astype(np.uint32)
    nearest_values = np.take_along_axis(twice, np.minimum(nearest, 2 * BINS - 1), axis=1)
    filled: Array = nearest_values + distance * np.uint32(
        2
    )  # so that neighbours that were filled from one bin differ from it
    return filled


def similar_pairs(texts: Iterable[str], min_similarity: float) -> Iterator[Array]:
    """Pairs of places in `texts` whose similarity is probably `min_similarity` or more: (pairs, 2), the first smaller.

    A pair that is as similar as that is missed with a probability of MAX_BAND_MISSES at most; less similar ones come
    through, too, so that pairs must be verified. Of texts that share a band, each is paired with the first and with the
    one before it. Pairs may be repeated. The sketches are kept in a temporary file: 512 bytes a text.
    """
    width = band_width(min_similarity)
    with TemporaryFile() as file:
        count = 0
        source = iter(texts)
        while batch := list(islice(source, BATCH_TEXTS)):
            sketches(batch).tofile(file)
            count += len(batch)
        file.flush()
        if count:
            stored = np.memmap(file, np.uint32, "r", shape=(count, BINS))
            for start in range(0, BINS - width + 1, width):
                pairs = _pairs_in_band(np.ascontiguousarray(stored[:, start : start + width]))
                for part in np.array_split(pairs, len(pairs) // BATCH_TEXTS + 1):
                    estimates = (stored[part[:, 0]] == stored[part[:, 1]]).mean(1)
                    yield part[estimates >= min_similarity - MARGIN]


def band_width(min_similarity: float) -> int:
    """The number of bins in a band: as many as let few similar pairs through the net."""
    for width in range(6, 1, -1):
        if (1 - min_similarity**width) ** (BINS // width) <= MAX_BAND_MISSES:
            return width
    return 1


def _pairs_in_band(values: Array) -> Array:
    """Pairs of texts with the same values (texts, width)."""
    keys = np.zeros(len(values), np.uint64)
    for column in values.T:
        keys = (keys ^ column) * _MIX[0]
        keys ^= keys >> _HALF
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    same = np.flatnonzero(keys[1:] == keys[:-1]) + 1  # places that continue a run
    begins = np.concatenate([[True], keys[1:] != keys[:-1]])
    first = np.maximum.accumulate(np.where(begins, np.arange(len(keys)), 0))[same]
    further = first < same - 1
    before = np.concatenate([order[same - 1], order[first[further]]])
    return np.stack([before, np.concatenate([order[same], order[same[further]]])], 1)
