"""How likely a text is, by a language model of its characters that is trained on other texts.

N-grams of up to six characters with absolute discounting (Ney, Essen and Kneser 1994), interpolated down to the uniform
distribution. Training and scoring are array operations over all characters of a text.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

ORDER = 6  # characters of an n-gram: about a word and the beginning of the next one
DISCOUNT = 0.75
ALPHABET = 1 << 10  # equally likely characters, before anything is known
_BASE = np.uint64(0x9E3779B97F4A7C15)
_START = "\n" * (ORDER - 1)


class CharacterModel:
    """The n-grams of some texts. Case and spacing count."""

    def __init__(self, texts: Iterable[str]) -> None:
        codes = _codes(_START.join(("", *texts, "")))
        self._counts: list[tuple[Array, Array]] = []  # for each order, from 1: the hashes of its n-grams; how often
        self._contexts: list[
            tuple[Array, Array, Array]
        ] = []  # their contexts: hashes; how often; how many kinds follow
        for size in range(1, ORDER + 1):
            grams, place, counts = np.unique(_hashes(codes, size), return_index=True, return_counts=True)
            contexts, of, kinds = np.unique(
                _hashes(codes[:-1], size - 1)[place] if size > 1 else np.zeros(len(grams), np.uint64),
                return_inverse=True,
                return_counts=True,
            )
            totals = np.bincount(of.reshape(-1), counts, len(contexts))
            self._counts.append((grams, counts.astype(np.float64)))
            self._contexts.append((contexts, totals, kinds.astype(np.float64)))

    def bits(self, text: str) -> Array:
        """The information of each character of the text, in bits: its negative logarithm to base 2 of the probability
        after the five characters before it."""
        codes = _codes(_START + text)
        probability = np.full(len(text), 1 / ALPHABET)
        for size, (grams, contexts) in enumerate(zip(self._counts, self._contexts, strict=True), 1):
            tail = codes[ORDER - size :]
            own = _hashes(tail, size)
            before = _hashes(tail[:-1], size - 1) if size > 1 else np.zeros(len(own), np.uint64)
            (count,) = _looked_up(own, *grams)
            total, kinds = _looked_up(before, *contexts)
            seen = total > 0
            total = np.maximum(total, 1)
            mixed = (np.maximum(count - DISCOUNT, 0) + DISCOUNT * kinds * probability) / total
            probability = np.where(seen, mixed, probability)
        bits: Array = -np.log2(probability)
        return bits


def _codes(text: str) -> Array:
    return np.frombuffer(text.encode("utf-32-le", "replace"), np.uint32).astype(np.uint64)


def _hashes(codes: Array, size: int) -> Array:
    """Of each run of so many characters, in order."""
    hashes = np.zeros(max(0, len(codes) - size + 1), np.uint64)
    for place in range(size):
        hashes = (hashes + codes[place : place + len(hashes)] + np.uint64(1)) * _BASE
        hashes ^= hashes >> np.uint64(29)
    return hashes


def _looked_up(keys: Array, known: Array, *values: Array) -> list[Array]:
    """The values of each key; 0 for one that is not known."""
    if not len(known):
        return [np.zeros(len(keys)) for _ in values]
    places = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    is_known = known[places] == keys
    return [np.where(is_known, each[places], 0.0) for each in values]


def worst_window(bits: Array, size: int) -> float:
    """The highest mean over a run of so many characters; over all of them if there are fewer."""
    if len(bits) <= size:
        return float(bits.mean()) if len(bits) else 0.0
    sums = np.cumsum(np.concatenate([[0.0], bits]))
    return float((sums[size:] - sums[:-size]).max() / size)
