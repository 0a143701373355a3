"""Remove near-duplicates: of similar rows, the one with the highest quality times difficulty stays.

After the semantic deduplication of Llama 3 (section 4.2.3): cluster, sort by quality times difficulty, keep what is
unlike everything kept so far. Llama 3 compares RoBERTa embeddings; this compares character n-grams with TF-IDF weights,
without a model.
"""

from __future__ import annotations

import hashlib
import math
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np

from selfsown.option_types import Count, Share
from selfsown.records import Row
from selfsown.text.normalize import ngrams, normal
from selfsown.text.overlap import tokenize
from selfsown.text.rouge import Piece, alike_beyond_header, pieces

Vectors = np.ndarray[Any, np.dtype[np.float32]]
DIMENSIONS = 1024  # of a vector: n-grams that hash to the same one change a cosine by about 0.03
KMEANS_ROUNDS = 5
MIN_ANSWER_WORDS = 13  # shorter answers are near-duplicates only if their words are the same


def curate(
    rows: Sequence[Row],
    seed: int,
    *,
    max_similarity: Share = 0.9,
    difficulty_key: str = "",
    ngram_size: Count = 3,
    cluster_size: Count = 500,
) -> Iterator[Row]:
    """Reject a row if its cosine with a better row is `max_similarity` or more, for prompts and for answers.

    If two rows begin with the same header, such as a list of tools, what follows must be similar as well. Answers of
    fewer than 13 words are near-duplicates only if their words are the same.

    max_similarity: cosine from which rows count as near-duplicates.
    difficulty_key: metadata field with the difficulty as a number; without it, the row's level. The better row is the
    one with the higher score times difficulty, ties broken at random.
    ngram_size: characters of an n-gram.
    cluster_size: rows of a cluster, on average; rows of different clusters are not compared.
    """
    near: dict[str, str] = {}
    chance = {row.id: hashlib.sha256(f"{seed} {row.id}".encode()).digest() for row in rows}
    order = sorted(rows, key=lambda row: (-_priority(row, difficulty_key), chance[row.id]))
    for one, other, cosine in _near_duplicates(order, max_similarity, ngram_size, cluster_size):
        near[other.id] = f"dedup_near: cosine {cosine:.2f} with row {one.id}, which is preferred"
    for row in rows:
        yield row.rejected(near[row.id]) if row.id in near else row


def _near_duplicates(
    order: Sequence[Row], max_similarity: float, ngram_size: int, cluster_size: int
) -> Iterator[tuple[Row, Row, float]]:
    """Each row to remove, after the better row that it duplicates, and their cosine. order: the rows, best first."""
    sides = [[row.prompt for row in order], [row.answer for row in order]]
    joined = np.concatenate(
        [_vectors(texts, ngram_size) for texts in sides if any(texts)] or [_vectors([], ngram_size)], axis=1
    )
    vectors = np.split(joined, joined.shape[1] // DIMENSIONS, axis=1)
    parsed = cache(lambda text: (tokenize(text), pieces(text)))
    for members in _clusters(joined, math.ceil(len(order) / cluster_size)):
        left = members  # best first, as in `order`
        while len(left):
            best, left = left[0], left[1:]
            cosines = np.min([side[left] @ side[best] for side in vectors], axis=0)
            similar = cosines >= max_similarity
            for index in np.flatnonzero(similar):
                similar[index] = _is_near(order[best], order[left[index]], parsed)
            for index, cosine in zip(left[similar], cosines[similar], strict=True):
                yield order[best], order[index], float(cosine)
            left = left[~similar]


def _priority(row: Row, difficulty_key: str) -> float:
    """Score times difficulty; the score alone if the difficulty is unknown."""
    try:
        return row.score * (float(row.metadata[difficulty_key]) if difficulty_key else row.level or 1)
    except (KeyError, ValueError):
        return row.score


def _is_near(one: Row, other: Row, parsed: Callable[[str], tuple[list[str], list[Piece]]]) -> bool:
    """Whether two rows are similar beyond a shared header and in short answers, which a cosine does not tell apart."""
    (first, _), (second, _) = parsed(one.answer), parsed(other.answer)
    if min(len(first), len(second)) < MIN_ANSWER_WORDS and first != second:
        return False
    texts = ((one.prompt, other.prompt), (one.answer, other.answer))
    return all(alike_beyond_header(parsed(text)[1], parsed(twin)[1]) for text, twin in texts)


def _vectors(texts: Sequence[str], size: int) -> Vectors:
    """(texts, DIMENSIONS): hashed TF-IDF of character n-grams, each row of length 1."""
    vectors = np.zeros((len(texts), DIMENSIONS), np.float32)
    counts = [ngrams([normal(text)], size) for text in texts]
    document_counts = Counter(ngram for counted in counts for ngram in counted)
    weights = {ngram: _signed(ngram, math.log((1 + len(texts)) / n)) for ngram, n in document_counts.items()}
    for index, counted in enumerate(counts):
        for ngram, count in counted.items():
            dimension, weight = weights[ngram]
            vectors[index, dimension] += weight * (1 + math.log(count))
        vectors[index, 0] += not counted  # empty texts are equal to each other
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return vectors


def _signed(ngram: str, weight: float) -> tuple[int, float]:
    """The dimension of an n-gram, and its weight with a random sign, so that collisions do not add up."""
    mark = zlib.crc32(ngram.encode("utf-8", "replace"))
    return mark % DIMENSIONS, weight if mark >> 16 & 1 else -weight


def _clusters(vectors: Vectors, count: int) -> Iterator[np.ndarray[Any, np.dtype[np.int64]]]:
    """The indices of each cluster's rows: spherical k-means, with evenly spaced rows as initial centres.

    vectors: (rows, dimensions).
    """
    if not len(vectors):
        return
    centers = vectors[np.linspace(0, len(vectors) - 1, count).astype(int)]
    nearest = np.zeros(len(vectors), np.int64)
    for _ in range(KMEANS_ROUNDS if count > 1 else 0):
        nearest = (vectors @ centers.T).argmax(1)
        sums = np.zeros_like(centers)
        np.add.at(sums, nearest, vectors)
        centers = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)
    for cluster in range(count):
        yield np.flatnonzero(nearest == cluster)
