"""Each thing is said once."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import pytest

from selfsown.curate import dedup
from selfsown.records import Row

A, B = Row("p", "a", origin="synthetic", generation=1), Row("p", "b", origin="synthetic", generation=1)


def test_different_rows_stay() -> None:
    rows = [A, B, replace(A, prompt="q"), replace(A, answer="a ")]
    assert list(dedup.curate(rows, [], [])) == rows


def test_of_rows_that_say_the_same_only_the_first_stays() -> None:
    rows = [A, replace(A, sample_index=1), B, replace(A, sample_index=2)]
    out = list(dedup.curate(rows, [], []))
    assert [row.id for row in out] == [row.id for row in rows]
    assert [row.status for row in out] == ["", "rejected", "", "rejected"]
    assert out[1].reason == out[3].reason == f"dedup: same text as {A.id}"


def test_what_a_real_row_or_an_earlier_generation_said_is_rejected() -> None:
    real, past = Row("p", "a"), replace(B, generation=0)
    out = list(dedup.curate([A, B], [real], [past]))
    assert [row.reason for row in out] == [f"dedup: same text as {each.id}" for each in (real, past)]


def test_prompt_and_answer_must_both_be_alike() -> None:
    assert not next(dedup.curate([Row("ab", "c")], [Row("a", "bc")], [])).status


def test_even_two_rows_that_are_the_same_in_everything_are_said_once() -> None:
    assert [row.status for row in dedup.curate([A, A], [], [])] == ["", "rejected"]


@pytest.mark.parametrize(
    "answer",
    [
        unicodedata.normalize("NFD", "Là-bas, l'été :\n12 %"),
        "Là\u2011bas, l’été\u00a0:\r\n12\u202f%",
        "Là-b\u00adas, l'été :\n１２ %\u200b",
    ],
)
def test_a_copy_in_other_bytes_is_a_copy_and_is_left_as_it_was_written(answer: str) -> None:
    first, copy = replace(A, answer="Là-bas, l'été :\n12 %"), replace(A, answer=answer, sample_index=1)
    out = list(dedup.curate([first, copy], [], []))
    assert [row.status for row in out] == ["", "rejected"]
    assert out[1].answer == answer
    other = replace(A, answer=answer.replace("t", "T"), sample_index=2)
    assert not next(dedup.curate([other], [first], [])).status, "letter case counts"
