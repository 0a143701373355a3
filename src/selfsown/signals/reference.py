"""A reference corpus, and documents as arrays relative to it: their rare n-grams, and their embeddings."""

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
RARE = 3  # an n-gram is rare if the reference corpus has it at most this often
BUCKETS = 4096  # of hashed n-grams
AXES = 24  # dimensions of the embedding
SHORT = 5  # words per document; if the reference corpus has fewer on average, n-grams are of characters
_ASCII_WORD = re.compile(r"\w+|[^\w\s]")
_NO_SPACES = re.compile(f"[{IDEOGRAPHS}{UNSPACED}]")


@dataclass(frozen=True)
class ReferenceCorpus:
    """Real documents that no model was trained on, which define rare n-grams and an embedding for other documents.

    grams: splits a document into n-grams, of words or of characters.
    rare: the n-grams that occur one to three times in the reference corpus, with their index.
    pairs: (rare,) whether a rare n-gram is a pair of words.
    weights: (BUCKETS,) inverse document frequency.
    axes: (BUCKETS, AXES) the leading directions.
    """

    grams: Callable[[str], list[str]]
    rare: dict[str, int]
    pairs: Array
    weights: Array
    axes: Array

    @classmethod
    def of(cls, texts: Sequence[str]) -> ReferenceCorpus:
        grams = grams_of(texts)
        counts = Counter(gram for text in texts for gram in grams(text))
        rare = {gram: index for index, gram in enumerate(sorted(gram for gram, n in counts.items() if n <= RARE))}
        hashed = _hashed([grams(text) for text in texts])
        document_counts = np.count_nonzero(hashed, axis=0)
        weights = np.log((1 + len(texts)) / (1 + document_counts)) + 1
        weighted = _unit(np.log1p(hashed) * weights)
        pairs = np.asarray([grams is _words and " " in gram for gram in rare], bool)
        return cls(grams, rare, pairs, weights, _leading(weighted, AXES))

    def embed(self, texts: Sequence[str]) -> Array:
        """(texts, AXES): TF-IDF vectors projected onto the leading directions of the reference corpus, of length 1."""
        batches = [texts[start : start + 1000] for start in range(0, len(texts), 1000)]
        embedded = [
            _unit(np.log1p(_hashed([self.grams(text) for text in batch])) * self.weights) @ self.axes
            for batch in batches
        ]
        return _unit(np.concatenate(embedded)) if embedded else np.zeros((0, self.axes.shape[1]))

    def rare_ngrams(self, texts: Sequence[str]) -> tuple[Array, Array]:
        """Each distinct pair of a text and a rare n-gram in it, as two arrays of shape (pairs,): the index of the text,
        and the index of the n-gram."""
        documents, grams = list[int](), list[int]()
        for index, text in enumerate(texts):
            present = {self.rare[gram] for gram in self.grams(text) if gram in self.rare}
            documents += [index] * len(present)
            grams += sorted(present)
        return np.asarray(documents, np.int64), np.asarray(grams, np.int64)


def grams_of(texts: Sequence[str]) -> Callable[[str], list[str]]:
    """How to split these texts: into words and pairs of words, or into three-character n-grams if they are a few words
    long or have no spaces between words."""
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
    return [padded[start : start + 3] for start in range(len(padded) - 2)]


def _hashed(documents: Sequence[Sequence[str]]) -> Array:
    """(documents, BUCKETS): how many of a document's n-grams fall into each bucket."""
    table = np.zeros((len(documents), BUCKETS), np.float32)
    for index, grams in enumerate(documents):
        for gram in grams:
            table[index, zlib.crc32(gram.encode("utf-8", "replace")) % BUCKETS] += 1
    return table


def _unit(rows: Array) -> Array:
    """Each row divided by its length; zero rows stay zero."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: Array = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
    return unit


def _leading(rows: Array, axes: int) -> Array:
    """(columns, axes): the leading right singular vectors of rows, a matrix (rows, columns), by randomized projection
    (Halko, Martinsson and Tropp 2011)."""
    rng = np.random.default_rng(0)
    projected = rows @ rng.standard_normal((rows.shape[1], min(axes + 10, *rows.shape)))
    for _ in range(3):
        projected, _ = np.linalg.qr(rows @ (rows.T @ projected))
    *_, right = np.linalg.svd(projected.T @ rows, full_matrices=False)
    return np.asarray(right[:axes].T)


def effective(spectrum: Array) -> float:
    """The effective number of directions: the exponential of the entropy of the normalized spectrum, (directions,)."""
    shares = spectrum[spectrum > 1e-12]
    shares = shares / shares.sum()
    return math.exp(-float((shares * np.log(shares)).sum()))
