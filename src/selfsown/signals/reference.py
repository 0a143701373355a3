"""Documents as arrays: which rare n-grams stand in each, and where each lies among the others."""

from __future__ import annotations

import math
import re
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from selfsown.text.normalize import IDEOGRAPHS, UNSPACED, any_word, normal, unified

Array = np.ndarray[Any, np.dtype[Any]]
RARE = 3  # an n-gram that the anchor has at most so often is rare
BUCKETS = 4096  # of hashed n-grams
AXES = 24  # of the space in which documents lie
SHORT = 5  # words a document; where the anchor has fewer, n-grams are of characters
_ASCII_WORD = re.compile(r"\w+|[^\w\s]")
_NO_SPACES = re.compile(f"[{IDEOGRAPHS}{UNSPACED}]")


@dataclass(frozen=True)
class Anchor:
    """What real documents, which no model was trained on, say of all others: what is rare, and where things lie.

    grams: a document's n-grams, of words or of characters; rare: the n-grams that the anchor has one to three times, by
    number; pairs: which of them are pairs of words; weights: inverse document frequency of each bucket; axes:
    (BUCKETS, AXES), the leading directions.
    """

    grams: Callable[[str], list[str]]
    rare: dict[str, int]
    pairs: Array
    weights: Array
    axes: Array

    @classmethod
    def of(cls, texts: Sequence[str]) -> Anchor:
        grams = grams_of(texts)
        counts = Counter(gram for text in texts for gram in grams(text))
        rare = {gram: at for at, gram in enumerate(sorted(each for each, n in counts.items() if n <= RARE))}
        hashed = _hashed([grams(text) for text in texts])
        seen = np.count_nonzero(hashed, axis=0)
        weights = np.log((1 + len(texts)) / (1 + seen)) + 1
        weighted = _unit(np.log1p(hashed) * weights)
        pairs = np.asarray([grams is _words and " " in gram for gram in rare], bool)
        return cls(grams, rare, pairs, weights, _leading(weighted, AXES))

    def placed(self, texts: Sequence[str]) -> Array:
        """(documents, AXES): where each document lies, at length 1; TF-IDF along the anchor's leading directions."""
        parts = [texts[at : at + 1000] for at in range(0, len(texts), 1000)]
        found = [
            _unit(np.log1p(_hashed([self.grams(text) for text in part])) * self.weights) @ self.axes for part in parts
        ]
        return _unit(np.concatenate(found)) if found else np.zeros((0, self.axes.shape[1]))

    def rares(self, texts: Sequence[str]) -> tuple[Array, Array]:
        """Of each time that a rare n-gram stands in a document: the document's place, and the n-gram's number."""
        documents, grams = list[int](), list[int]()
        for at, text in enumerate(texts):
            found = {self.rare[gram] for gram in self.grams(text) if gram in self.rare}
            documents += [at] * len(found)
            grams += sorted(found)
        return np.asarray(documents, np.int64), np.asarray(grams, np.int64)


def grams_of(texts: Sequence[str]) -> Callable[[str], list[str]]:
    """How these texts are taken apart: words and pairs of them, or three characters where they are a few words long or
    put no spaces between words."""
    words = sum(len(_tokens(text)) for text in texts)
    unspaced = sum(len(_NO_SPACES.findall(text)) for text in texts)
    return _words if words >= SHORT * len(texts) and unspaced < 0.2 * sum(map(len, texts)) else _characters


def _words(text: str) -> list[str]:
    words = _tokens(text)
    return words + [f"{one} {two}" for one, two in pairwise(words)]


def _tokens(text: str) -> list[str]:
    """Words and punctuation marks."""
    plain = normal(text)
    return (_ASCII_WORD if plain.isascii() else _any_word_or_mark()).findall(plain)


@cache
def _any_word_or_mark() -> re.Pattern[str]:
    return re.compile(rf"{any_word().pattern}|[^\w\s]")


def _characters(text: str) -> list[str]:
    padded = f"\x02{unified(text)}\x03"
    return [padded[at : at + 3] for at in range(len(padded) - 2)]


def _hashed(documents: Sequence[Sequence[str]]) -> Array:
    """(documents, BUCKETS): how many of a document's n-grams fall into each bucket."""
    table = np.zeros((len(documents), BUCKETS), np.float32)
    for at, grams in enumerate(documents):
        for gram in grams:
            table[at, zlib.crc32(gram.encode("utf-8", "replace")) % BUCKETS] += 1
    return table


def _unit(rows: Array) -> Array:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    found: Array = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
    return found


def _leading(rows: Array, axes: int) -> Array:
    """The leading right singular vectors, by randomized projection (Halko, Martinsson and Tropp 2011)."""
    rng = np.random.default_rng(0)
    drawn = rows @ rng.standard_normal((rows.shape[1], min(axes + 10, *rows.shape)))
    for _ in range(3):
        drawn, _ = np.linalg.qr(rows @ (rows.T @ drawn))
    *_, right = np.linalg.svd(drawn.T @ rows, full_matrices=False)
    return np.asarray(right[:axes].T)


def effective(spectrum: Array) -> float:
    """How many directions there are in effect: the exponential of the entropy of these shares."""
    shares = spectrum[spectrum > 1e-12]
    shares = shares / shares.sum()
    return math.exp(-float((shares * np.log(shares)).sum()))
