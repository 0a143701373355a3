"""Texts as vectors of character n-grams, hashed and weighted by TF-IDF, for thousands of texts at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from selfsown.text.normalize import normal

Array = np.ndarray[Any, np.dtype[Any]]

DIMENSIONS = 1024  # of a vector: n-grams that hash to the same one change a cosine by about 0.03
HASH_BITS = 18  # of the n-grams whose frequencies are counted
_BASE, _MIX, _HALF = np.uint64(0x100000001B3), np.uint64(0x9E3779B97F4A7C15), np.uint64(32)


class NgramVectors:
    """Vectors whose weights come from how many of some texts have an n-gram. size: characters of an n-gram."""

    def __init__(self, texts: Sequence[str], size: int) -> None:
        self._size = size
        _, hashes, _ = self._counts(texts)
        with_ngram = np.bincount(hashes, minlength=1 << HASH_BITS)
        self._weights = np.log((1 + len(texts)) / np.maximum(with_ngram, 1)).astype(np.float32)

    def of(self, texts: Sequence[str]) -> Array:
        """(texts, DIMENSIONS), float32: each row of length 1."""
        places, hashes, counts = self._counts(texts)
        signs = np.where(hashes & 1, np.float32(1), np.float32(-1))  # so that collisions do not add up
        weights = self._weights[hashes] * (1 + np.log(counts, dtype=np.float32)) * signs
        cells = places * DIMENSIONS + (hashes >> 1) % DIMENSIONS
        vectors = np.bincount(cells, weights, len(texts) * DIMENSIONS).astype(np.float32).reshape(-1, DIMENSIONS)
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        return vectors

    def _counts(self, texts: Sequence[str]) -> tuple[Array, Array, Array]:
        """For each n-gram of each text: the text's place, the n-gram's hash, and how often the text has it."""
        size = self._size
        padded = [f"\x02{normal(text)}\x03".ljust(size) for text in texts]  # start and end count as characters
        lengths = np.array([len(text) for text in padded], np.int64)
        letters = np.frombuffer("".join(padded).encode("utf-32-le", "replace"), np.uint32).astype(np.uint64)
        places = np.repeat(np.arange(len(texts)), lengths - size + 1)
        starts = np.arange(len(places)) + places * (size - 1)  # a text has size - 1 places where no n-gram begins
        hashes = np.zeros(len(starts), np.uint64)
        for place in range(size):
            hashes = hashes * _BASE + letters[starts + place]
        hashes = ((hashes * _MIX) ^ (hashes >> _HALF)) * _MIX >> np.uint64(64 - HASH_BITS)
        keys, counts = np.unique(places << HASH_BITS | hashes.astype(np.int64), return_counts=True)
        return keys >> HASH_BITS, keys & ((1 << HASH_BITS) - 1), counts
