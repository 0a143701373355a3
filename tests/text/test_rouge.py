"""ROUGE-L by its definition, and the nearest of many texts."""

from __future__ import annotations

import random

import pytest

from selfsown.text.rouge import RougeIndex, rouge_l, words


def subsequence(one: list[str], other: list[str]) -> int:
    """The longest common subsequence, by the plain table."""
    table = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
    for i, left in enumerate(one):
        for j, right in enumerate(other):
            table[i + 1][j + 1] = table[i][j] + 1 if left == right else max(table[i][j + 1], table[i + 1][j])
    return table[-1][-1]


@pytest.mark.parametrize(
    ("one", "other", "score"),
    [
        ("the cat sat", "the cat sat", 1.0),
        ("The cat, sat!", "the CAT sat", 1.0),
        ("the cat sat", "sat cat the", 1 / 3),
        ("the cat sat", "a dog ran", 0.0),
        ("police killed the gunman", "police kill the gunman", 0.75),
        ("the cat sat on the mat", "the cat", 0.5),
        ("", "", 1.0),
        ("", "word", 0.0),
        ("猫が好きです", "猫が嫌いです", 8 / 12),
    ],
)
def test_it_is_the_f_measure_of_the_longest_common_subsequence(one: str, other: str, score: float) -> None:
    assert rouge_l(words(one), words(other)) == pytest.approx(score)


def test_it_agrees_with_the_plain_table_on_texts_of_chance() -> None:
    rng = random.Random(0)
    for _ in range(500):
        one, other = ([rng.choice("abcde") for _ in range(rng.randint(1, 90))] for _ in range(2))
        assert rouge_l(one, other) == pytest.approx(2 * subsequence(one, other) / (len(one) + len(other)))


@pytest.mark.parametrize("least", [0.3, 0.7, 1.0])
def test_the_nearest_is_found_among_many_as_if_each_were_compared(least: float) -> None:
    rng = random.Random(1)
    texts = [" ".join(rng.choice("abcdefgh") for _ in range(rng.randint(1, 12))) for _ in range(300)]
    told = RougeIndex(texts[:200], least)
    for text in texts[200:]:
        scores = [rouge_l(words(text), words(old)) for old in told.texts]
        best = max(scores)
        assert told.nearest(text) == ((best, scores.index(best)) if best >= least else (0.0, -1))
        told.add(text)


def test_a_text_that_was_added_is_compared_with_from_then_on() -> None:
    told = RougeIndex(["one two three"])
    assert told.nearest("red green blue") == (0.0, -1)
    told.add("red green blue")
    assert told.nearest("Red, green, blue") == (1.0, 1)
