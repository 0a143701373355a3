"""Sketches of texts estimate how similar they are, and pairs of similar texts are found among many."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfsown.text.ngram_vectors import NgramVectors
from selfsown.text.normalize import normal
from selfsown.text.sketches import BATCH_TEXTS, BINS, GRAM_BYTES, band_width, similar_pairs, sketches
from selfsown.text.stored_texts import PAIRS_AT_ONCE, ReorderedTexts, StoredTexts

DRAW = random.Random(0)
WORDS = ["".join(DRAW.choices("abcdefghijklmnoprstuvw", k=DRAW.randrange(2, 10))) for _ in range(2000)]


def text(words: int = 60) -> list[str]:
    return DRAW.choices(WORDS, k=words)


def changed(words: list[str], count: int) -> list[str]:
    copy = list(words)
    for place in DRAW.sample(range(len(copy)), count):
        copy[place] = DRAW.choice(WORDS)
    return copy


def jaccard(one: str, other: str) -> float:
    first, second = (
        {data[start : start + GRAM_BYTES] for start in range(len(data) - GRAM_BYTES + 1)}
        for data in (normal(text).encode() + bytes(GRAM_BYTES - 1) for text in (one, other))
    )
    return len(first & second) / len(first | second)


@pytest.mark.parametrize("count", [0, 3, 10, 25])
def test_equal_bins_estimate_the_similarity(count: int) -> None:
    pairs = [(" ".join(words), " ".join(changed(words, count))) for words in (text(200) for _ in range(100))]
    estimates = (sketches([one for one, _ in pairs]) == sketches([other for _, other in pairs])).mean(1)
    errors = estimates - [jaccard(one, other) for one, other in pairs]
    assert abs(errors.mean()) < 0.02
    assert errors.std() < 0.05


def test_a_sketch_does_not_depend_on_the_texts_beside_it_nor_on_case_and_spaces() -> None:
    texts = [" ".join(text(size)) for size in (0, 1, 2, 5, 60, 400)]
    together = sketches(texts)
    assert together.shape == (len(texts), BINS)
    for row, said in zip(together, texts, strict=True):
        assert (sketches([f"  {said.upper()}\n"])[0] == row).all()


def test_similar_pairs_are_found_among_many_batches_and_others_are_not() -> None:
    own = [text() for _ in range(8 * BATCH_TEXTS)]
    copies = [changed(words, 4) for words in own[:500]]
    pairs = np.concatenate(list(similar_pairs((" ".join(words) for words in [*own, *copies]), 0.6)))
    expected = {(place, len(own) + place) for place in range(500)}
    known = set(map(tuple, pairs.tolist()))
    assert len(expected & known) >= 498
    assert known <= expected


def test_of_many_equal_texts_all_are_paired_with_the_first() -> None:
    pairs = np.concatenate(list(similar_pairs(["", "one two three", *["the same text"] * 50, " "], 0.9)))
    assert {(2, place) for place in range(3, 52)} <= set(map(tuple, pairs.tolist()))
    assert (0, 52) in set(map(tuple, pairs.tolist()))
    assert list(similar_pairs([], 0.9)) == []


def test_the_band_lets_few_similar_pairs_through() -> None:
    widths = [band_width(similarity) for similarity in (0.1, 0.3, 0.5, 0.7, 0.9)]
    assert widths == sorted(widths)
    assert widths[0] == 1
    for similarity, width in zip((0.3, 0.5, 0.7, 0.9), widths[1:], strict=True):
        assert (1 - similarity**width) ** (BINS // width) <= 0.01


@given(st.lists(st.tuples(st.text(), st.text())))
def test_stored_texts_are_the_texts(pairs: list[tuple[str, str]]) -> None:
    with StoredTexts(iter(pairs)) as stored:
        assert len(stored) == len(pairs)
        assert list(stored) == pairs
        assert [stored[place] for place in range(len(pairs))] == pairs
        assert stored[:2] == pairs[:2]


def test_many_stored_texts_are_read_some_at_a_time() -> None:
    pairs = [(f"prompt {number}", "é" * (number % 3)) for number in range(2 * PAIRS_AT_ONCE + 1)]
    with StoredTexts(pairs) as stored:
        assert list(stored) == pairs
        places = list(range(0, len(pairs), 7))[::-1]
        assert list(ReorderedTexts(stored, places)) == pairs[::7][::-1]


@given(st.lists(st.text(max_size=40), min_size=1, max_size=8), st.integers(1, 5))
def test_vectors_are_of_length_one_whatever_the_text_and_equal_for_equal_texts(texts: list[str], size: int) -> None:
    vectors = NgramVectors([*texts, "other words"], size).of([*texts, texts[0].upper()])
    norms = np.linalg.norm(vectors, axis=1)
    assert ((abs(norms - 1) < 1e-4) | (norms == 0)).all()
    if normal(texts[0].upper()) == normal(texts[0]):
        assert vectors[0] == pytest.approx(vectors[-1], abs=1e-5)
