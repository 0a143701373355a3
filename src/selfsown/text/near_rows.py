"""Near-duplicates among rows of a prompt and an answer: candidates by MinHash, compared by TF-IDF of n-grams."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from selfsown.text.ngram_vectors import NgramVectors
from selfsown.text.overlap import tokenize
from selfsown.text.rouge import Piece, alike_beyond_header, pieces, share_a_piece
from selfsown.text.sketches import similar_pairs

MIN_ANSWER_WORDS = 13  # shorter answers are near-duplicates only if their words are the same
LONG_ANSWER_WORDS = 2 * MIN_ANSWER_WORDS  # between spaces; so many are surely as many words
SAMPLE_ROWS = 5000  # from which n-grams are weighted
CHUNK_PAIRS = 500  # compared at a time: 16 kB each

Array = np.ndarray[Any, np.dtype[Any]]
Texts = tuple[str, str]  # of a row: its prompt and its answer
Parsed = Callable[[str], tuple[list[str], list[Piece]]]


def near_duplicates(
    rows: Sequence[Texts], known: int, max_similarity: float, ngram_size: int = 3
) -> Iterator[tuple[int, int, float]]:
    """The place of each row to remove, after that of the row that it duplicates and that stays, and their cosine.

    rows: best first; the first `known` of them stay, whatever they are like. max_similarity: the cosine of prompts and
    of answers from which rows count as near-duplicates. ngram_size: characters of an n-gram.
    """
    parsed = lru_cache(CHUNK_PAIRS)(lambda text: (tokenize(text), pieces(text)))
    removed = np.zeros(len(rows), bool)
    pairs = _candidates(rows, known, max_similarity)
    if not len(pairs):
        return
    sampled = [rows[place] for place in range(0, len(rows), len(rows) // SAMPLE_ROWS + 1)]
    sides = [NgramVectors(texts, ngram_size) for texts in zip(*sampled, strict=True)]
    for chunk in np.array_split(pairs, len(pairs) // CHUNK_PAIRS + 1):
        places, index = np.unique(chunk, return_inverse=True)
        chunk_rows = [rows[place] for place in places.tolist()]
        cosines = _cosines(chunk_rows, index.reshape(chunk.shape), sides)
        by_place = dict(zip(places.tolist(), chunk_rows, strict=True))
        for (one, other), cosine in zip(chunk.tolist(), cosines.tolist(), strict=True):
            similar = cosine >= max_similarity and not removed[one] and not removed[other]
            if similar and _is_near(by_place[one], by_place[other], parsed):
                removed[other] = True
                yield one, other, cosine


def _candidates(rows: Sequence[Texts], known: int, max_similarity: float) -> Array:
    """Pairs of places that may be near-duplicates (pairs, 2), by the place of the second.

    A cosine of TF-IDF vectors is above the Jaccard similarity of the same texts; its third power is below nearly all.
    """
    similar = list(similar_pairs((_compared(*texts) for texts in rows), max_similarity**3))
    pairs = np.concatenate([np.zeros((0, 2), np.int64), *similar])
    keys = np.unique(pairs[:, 1] * len(rows) + pairs[:, 0])
    pairs = np.stack([keys % max(1, len(rows)), keys // max(1, len(rows))], 1)
    return pairs[pairs[:, 1] >= known]


def _compared(prompt: str, answer: str) -> str:
    """The text by which candidates are found: a long answer, which must be similar whatever the prompt is; or all."""
    return answer if len(answer.split(None, MIN_ANSWER_WORDS)) > MIN_ANSWER_WORDS else f"{prompt}\n{answer}"


def _cosines(rows: Sequence[Texts], pairs: Array, sides: Sequence[NgramVectors]) -> Array:
    """The smaller cosine, of prompts and of answers, for each pair of places in `rows`."""
    cosines = np.ones(len(pairs))
    for side, texts in zip(sides, zip(*rows, strict=True), strict=True):
        if any(texts):
            vectors = side.of(texts)
            np.minimum(cosines, np.einsum("ij,ij->i", vectors[pairs[:, 0]], vectors[pairs[:, 1]]), out=cosines)
    return cosines


def _is_near(one: Texts, other: Texts, parsed: Parsed) -> bool:
    """Whether two rows are similar beyond a shared header and in short answers, which a cosine does not tell apart."""
    if not all(len(answer.split(None, LONG_ANSWER_WORDS)) > LONG_ANSWER_WORDS for _, answer in (one, other)):
        (first, _), (second, _) = parsed(one[1]), parsed(other[1])
        if min(len(first), len(second)) < MIN_ANSWER_WORDS and first != second:
            return False
    return all(
        text == twin or not share_a_piece(text, twin) or alike_beyond_header(parsed(text)[1], parsed(twin)[1])
        for text, twin in zip(one, other, strict=True)
    )
