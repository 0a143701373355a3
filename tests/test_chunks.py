"""Chunks of a document: nothing lost, nothing too long, no word cut that need not be, headings kept."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfsown.files.chunking import chunks, sections

TEXTS = st.text(st.sampled_from("ab cd.\n\n!?。 é#"), max_size=400) | st.text(max_size=200)
WORDS = st.lists(st.text(st.sampled_from("abcdefg"), min_size=1, max_size=9), max_size=80, unique=True).map(" ".join)


def bare(text: str) -> str:
    return "".join(text.split())


@given(TEXTS, st.integers(20, 60))
def test_chunks_put_together_are_the_text_and_none_is_too_long_or_blank(text: str, size: int) -> None:
    found = list(chunks(text, size))
    assert bare("".join(found)) == bare(text)
    assert all(chunk == chunk.strip() and 0 < len(chunk) <= size for chunk in found)


@given(WORDS, st.integers(20, 60), st.integers(0, 10))
def test_no_word_is_cut_that_fits_and_what_overlaps_is_whole_words(text: str, size: int, overlap: int) -> None:
    found = list(chunks(text, size, overlap))
    words, at = text.split(), 0
    for chunk in found:
        said = chunk.split()
        back = next(back for back in range(len(words) + 1) if words[at - back : at - back + len(said)] == said)
        assert len(" ".join(words[at - back : at])) <= overlap
        assert back < len(said)
        at += len(said) - back
    assert at == len(words)


@given(TEXTS, st.integers(20, 60), st.integers(1, 30))
def test_chunks_that_overlap_hold_each_word_and_end_for_any_text(text: str, size: int, overlap: int) -> None:
    found = list(chunks(text, size, min(overlap, size // 2)))
    assert all(0 < len(chunk) <= size for chunk in found)
    assert set(bare(text)) == set(bare("".join(found)))
    assert len(found) <= max(1, len(text))


def test_a_chunk_overlaps_the_one_before_by_what_was_asked_for() -> None:
    text = " ".join(f"word{at:03}" for at in range(100))
    found = list(chunks(text, 100, 30))
    for one, other in itertools.pairwise(found):
        assert other.startswith(one[-23:])


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("One two three.\n\nFour five six seven. Eight nine ten.", "One two three."),
        ("One two three four. Five six seven eight nine ten.", "One two three four."),
        ("One two three four\nfive six seven eight nine ten.", "One two three four"),
        ("One two three four five six seven eight nine ten.", "One two three four five"),
        ("一二三四五六七八九十一二三四五六七。一二三四五六七八九十一二三", "一二三四五六七八九十一二三四五六七。"),
        ("x" * 60, "x" * 25),
    ],
)
def test_the_best_place_to_cut_is_taken(text: str, first: str) -> None:
    assert next(chunks(text, 25)) == first


@given(TEXTS)
def test_sections_put_together_are_the_text(text: str) -> None:
    assert bare("".join(part for _, part in sections(text))) == bare(text)


def test_sections_carry_the_path_of_their_headings() -> None:
    text = "Hello.\n\n# Guide\n\n## Install\nRun it.\n```\n# a comment\n```\n\n## Use\nAsk.\n\nMore\n====\nThe *end*.\n"
    assert [(path, part.split("\n")[-2]) for path, part in sections(text)] == [
        ("", ""),
        ("Guide > Install", ""),
        ("Guide > Use", ""),
        ("More", "The *end*."),
    ]
    assert "# a comment" in list(sections(text))[1][1]
    assert list(sections(text))[1][1].startswith("# Guide")


def test_front_matter_is_no_text() -> None:
    assert list(sections("---\ntitle: x\n---\n# H\nbody\n")) == [("H", "# H\nbody\n")]
