"""How likely a text is, by a language model of its characters that is trained on other texts.

N-grams of up to six characters with absolute discounting (Ney, Essen and Kneser 1994), interpolated down to the uniform
distribution. Training and scoring are array operations over all characters of a text.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

ORDER = 6  # characters of an n-gram: about a word and the beginning of the next one
DISCOUNT = 0.75
ALPHABET = 1 << 10  # equally likely characters, before anything is known
_BASE = np.uint64(0x9E3779B97F4A7C15)
_START = "\n" * (ORDER - 1)


@dataclass(frozen=True)
class _Ngrams:
    """The n-grams of one length: their hashes in order, how often each occurs, and how often and by how many different
    characters it is followed."""

    hashes: Array
    counts: Array
    followed: Array
    kinds: Array


class CharacterModel:
    """The n-grams of some texts. Case and spacing count."""

    def __init__(self, texts: Iterable[str]) -> None:
        codes = _codes(_START.join(("", *texts, "")))
        self._orders = list[_Ngrams]()
        shorter, contexts, length = np.zeros(1, np.uint64), np.zeros(len(codes), np.uint64), len(codes)
        for size in range(1, ORDER + 1):
            every = _longer(contexts, codes[size - 1 :])
            grams, first, counts = np.unique(every, return_index=True, return_counts=True)
            before = np.searchsorted(shorter, contexts[first])  # every n-gram begins with a shorter one
            self._note_followers(before, counts, len(shorter))
            self._orders.append(_Ngrams(grams, counts.astype(float), np.zeros(0), np.zeros(0)))
            shorter, contexts = grams, every[: length - size]

    def _note_followers(self, before: Array, counts: Array, size: int) -> None:
        followed, kinds = np.bincount(before, counts, size), np.bincount(before, minlength=size).astype(float)
        if self._orders:
            self._orders[-1] = replace(self._orders[-1], followed=followed, kinds=kinds)
        else:
            self._all = float(followed[0]), float(kinds[0])

    def bits(self, text: str) -> Array:
        """The information of each character of the text, in bits: its negative logarithm to base 2 of the probability
        after the five characters before it."""
        codes = _codes(_START + text)
        probability = np.full(len(text), 1 / ALPHABET)
        total, kinds = np.full(len(codes) + 1, self._all[0]), np.full(len(codes) + 1, self._all[1])
        hashes = np.zeros(len(codes), np.uint64)
        for size, order in enumerate(self._orders, 1):
            hashes = _longer(hashes[: len(codes) - size + 1], codes[size - 1 :])
            places = np.minimum(np.searchsorted(order.hashes, hashes), len(order.hashes) - 1)
            known = order.hashes[places] == hashes
            own, before = slice(ORDER - size, None), slice(ORDER - size, ORDER - size + len(text))
            count = np.where(known[own], order.counts[places[own]], 0.0)
            seen, times = total[before] > 0, np.maximum(total[before], 1.0)
            mixed = (np.maximum(count - DISCOUNT, 0) + DISCOUNT * kinds[before] * probability) / times
            probability = np.where(seen, mixed, probability)
            if size < ORDER:
                total = np.where(known, order.followed[places], 0.0)
                kinds = np.where(known, order.kinds[places], 0.0)
        bits: Array = -np.log2(probability)
        return bits


def _codes(text: str) -> Array:
    return np.frombuffer(text.encode("utf-32-le", "replace"), np.uint32).astype(np.uint64)


def _longer(hashes: Array, codes: Array) -> Array:
    """The hashes of runs that go on with these characters."""
    mixed: Array = (hashes[: len(codes)] + codes + np.uint64(1)) * _BASE
    mixed ^= mixed >> np.uint64(29)
    return mixed


def worst_window(bits: Array, size: int) -> float:
    """The highest mean over a run of so many characters; over all of them if there are fewer."""
    if len(bits) <= size:
        return float(bits.mean()) if len(bits) else 0.0
    sums = np.cumsum(np.concatenate([[0.0], bits]))
    return float((sums[size:] - sums[:-size]).max() / size)
