"""Say nothing that is nearly said already: of rows that are alike, the best and hardest stays (semantic deduplication).

As Llama 3 has it (section 4.2.3): cluster, sort by quality times difficulty, keep what is unlike all that was kept.
Theirs compares what RoBERTa makes of a row; ours runs of characters, weighted by how rare they are, without a model.
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
PLACES = 1024  # numbers of a vector: runs that share one blur each other, by about 0.03 of a cosine
ROUNDS = 5  # of moving the centres
FEW = 13  # words; shorter answers are near only if they have the same


def curate(
    rows: Sequence[Row],
    seed: int,
    *,
    max_similarity: Share = 0.9,
    difficulty_key: str = "",
    ngram_size: Count = 3,
    cluster_size: Count = 500,
) -> Iterator[Row]:
    """A row is rejected where its cosine with a better row of its cluster is `threshold` or more, of prompts and of
    answers alike. Of two behind one header, such as a list of tools, what follows it must be alike, too; and answers of
    a few words are the same or differ.

    Better is the greater score times difficulty, which is the number in the trait `difficulty`, or the level; chance
    decides between equals. size: characters of a run. cluster: rows of one, about; rows of two are not compared.
    """
    near: dict[str, str] = {}
    chance = {row.id: hashlib.sha256(f"{seed} {row.id}".encode()).digest() for row in rows}
    order = sorted(rows, key=lambda row: (-_worth(row, difficulty_key), chance[row.id]))
    sides = [[row.prompt for row in order], [row.answer for row in order]]
    joined = np.concatenate(
        [_vectors(texts, ngram_size) for texts in sides if any(texts)] or [_vectors([], ngram_size)], axis=1
    )
    vectors = np.split(joined, joined.shape[1] // PLACES, axis=1)
    parsed = cache(lambda text: (tokenize(text), pieces(text)))
    for members in _clusters(joined, math.ceil(len(order) / cluster_size)):
        left = members  # in order of worth, as they are in `order`
        while len(left):
            best, left = left[0], left[1:]
            cosines = np.min([side[left] @ side[best] for side in vectors], axis=0)
            alike = cosines >= max_similarity
            for at in np.flatnonzero(alike):
                alike[at] = _near(order[best], order[left[at]], parsed)
            for at, cosine in zip(left[alike], cosines[alike], strict=True):
                near[order[at].id] = f"semantic: cosine {cosine:.2f} with row {order[best].id}, no worse and no easier"
            left = left[~alike]
    for row in rows:
        yield row.rejected(near[row.id]) if row.id in near else row


def _worth(row: Row, difficulty: str) -> float:
    try:
        return row.score * (float(row.metadata[difficulty]) if difficulty else row.level or 1)
    except (KeyError, ValueError):
        return row.score


def _near(one: Row, other: Row, parsed: Callable[[str], tuple[list[str], list[Piece]]]) -> bool:
    """Whether two rows are alike in what many rows do not have, too: a cosine sees nothing of the rest."""
    (first, _), (second, _) = parsed(one.answer), parsed(other.answer)
    if min(len(first), len(second)) < FEW and first != second:
        return False
    texts = ((one.prompt, other.prompt), (one.answer, other.answer))
    return all(alike_beyond_header(parsed(text)[1], parsed(twin)[1]) for text, twin in texts)


def _vectors(texts: Sequence[str], size: int) -> Vectors:
    """Of length 1: how often each run of characters stands in a text, by how few texts have it."""
    found = np.zeros((len(texts), PLACES), np.float32)
    runs = [ngrams([normal(text)], size) for text in texts]
    holders = Counter(run for held in runs for run in held)
    weights = {run: _signed(run, math.log((1 + len(texts)) / count)) for run, count in holders.items()}
    for at, held in enumerate(runs):
        for run, count in held.items():
            place, weight = weights[run]
            found[at, place] += weight * (1 + math.log(count))
        found[at, 0] += not held  # texts that say nothing are alike
    found /= np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)
    return found


def _signed(run: str, weight: float) -> tuple[int, float]:
    """Where the run counts, and there up or down, so that what shares a place blurs and does not add up."""
    mark = zlib.crc32(run.encode("utf-8", "replace"))
    return mark % PLACES, weight if mark >> 16 & 1 else -weight


def _clusters(vectors: Vectors, count: int) -> Iterator[np.ndarray[Any, np.dtype[np.int64]]]:
    """The places of each cluster's rows (spherical k-means, begun at the best rows' every so many)."""
    if not len(vectors):
        return
    centres = vectors[np.linspace(0, len(vectors) - 1, count).astype(int)]
    nearest = np.zeros(len(vectors), np.int64)
    for _ in range(ROUNDS if count > 1 else 0):
        nearest = (vectors @ centres.T).argmax(1)
        sums = np.zeros_like(centres)
        np.add.at(sums, nearest, vectors)
        centres = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)
    for each in range(count):
        yield np.flatnonzero(nearest == each)
