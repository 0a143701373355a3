"""A text is new if no real row says the same."""

from __future__ import annotations

import pytest

from selfsown.grade import novelty
from selfsown.records import Row

REAL = [Row("", "Emma  Olivia"), Row("2 + 2?", "4")]


@pytest.mark.parametrize("row", [Row("", "Emma"), Row("2 + 2?", "5"), Row("2+2?", "4"), Row("", "Emma Olivia!")])
def test_what_no_real_row_says_is_new(row: Row) -> None:
    (grade,) = novelty.grade([row], REAL)
    assert (grade.score, grade.grader) == (1.0, "novelty")


@pytest.mark.parametrize("text", ["Emma  Olivia", "emma olivia", " EMMA\tOLIVIA "])
def test_a_copy_is_not_new_letter_case_and_spaces_aside(text: str) -> None:
    (grade,) = novelty.grade([Row("", text, origin="synthetic")], REAL)
    assert grade.score == 0.0
    assert REAL[0].id in grade.reason


def test_a_copied_answer_to_the_same_prompt_is_not_new() -> None:
    (grade,) = novelty.grade([Row("2 + 2?", "4", origin="synthetic")], REAL)
    assert REAL[1].id in grade.reason
