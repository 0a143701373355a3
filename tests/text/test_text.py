"""Counting n-grams and measuring variety."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfsown.text.normalize import agreement, effective_number, fenced, ngrams


def test_n_grams_overlap_and_know_where_a_text_starts_and_ends() -> None:
    assert ngrams(["aba", "ba"], 2) == {"\x02a": 1, "ab": 1, "ba": 2, "a\x03": 2, "\x02b": 1}
    assert ngrams(["ab"], 3) == {"\x02ab": 1, "ab\x03": 1}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("27 days", "It takes 27 DAYS.", 2 / 3),
        ("27 days", "29 days", 0.0),
        ("27 days", "27.5 days", 0.0),
        ("in 1912 for 5 pounds", "in 1912 for 7 pounds", 0.0),
        ("27 days", "27 days, from 4 May", 4 / 7),
        ("5", "-5", 0.0),
        ("4-7 May", "4 - 7 May", 1.0),
        ("1,000 km", "1000km", 1.0),
        ("27 days", "a month of days", 2 / 6),
        ("Jane Austen", "Austen, Jane", 1.0),
        ("yes", "no", 0.0),
        ("?", " ? ", 1.0),
        ("?", "!", 0.0),
        ("", "word", 0.0),
    ],
)
def test_short_texts_agree_by_their_words_and_not_at_all_where_numbers_differ(
    one: str, other: str, same: float
) -> None:
    assert agreement(one, other) == agreement(other, one) == pytest.approx(same)


def test_a_text_shorter_than_an_n_gram_has_none() -> None:
    assert not ngrams(["a", ""], 4)
    assert ngrams([""], 2) == {"\x02\x03": 1}


@given(st.lists(st.text(max_size=9)), st.integers(1, 5))
def test_a_text_has_as_many_n_grams_as_it_has_places_for_them(texts: list[str], size: int) -> None:
    assert ngrams(texts, size).total() == sum(max(0, len(text) + 3 - size) for text in texts)


def test_equally_frequent_kinds_count_fully() -> None:
    assert effective_number(Counter("abcd" * 5)) == pytest.approx(4)
    assert effective_number(Counter("aaaa")) == pytest.approx(1)
    assert effective_number(Counter()) == 0.0


@given(st.text(min_size=1))
def test_there_are_in_effect_at_least_one_and_at_most_as_many_kinds_as_there_are(text: str) -> None:
    counts = Counter(text)
    assert 1 - 1e-9 <= effective_number(counts) <= len(counts) + 1e-9


def test_an_uneven_spread_is_in_effect_fewer_kinds() -> None:
    assert effective_number(Counter({"a": 9, "b": 1})) < effective_number(Counter({"a": 6, "b": 4})) < 2


@given(st.text(), st.text())
def test_no_text_can_end_its_own_fence(text: str, more: str) -> None:
    marked = fenced(text)
    end = marked.rpartition("\n")[2]
    assert marked.count(end) == 1
    assert text in marked
    assert fenced(marked + more).count(fenced(marked + more).rpartition("\n")[2]) == 1
