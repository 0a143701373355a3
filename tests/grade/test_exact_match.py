"""A row is right if it says the known answer."""

from __future__ import annotations

import pytest

from selfsown.grade import exact_match
from selfsown.records import Row


@pytest.mark.parametrize("answer", ["42", " 42", "42\n"])
def test_the_known_answer_is_right_whatever_the_spaces_around_it(answer: str) -> None:
    (grade,) = exact_match.grade([Row("6 * 7", answer, target="42 ")])
    assert (grade.score, grade.grader, grade.evidence) == (1.0, "exact_match", "oracle")


@pytest.mark.parametrize("answer", ["", "43", "4 2", "42.", "the answer is 42"])
def test_another_answer_is_wrong_and_the_reason_names_the_known_one(answer: str) -> None:
    (grade,) = exact_match.grade([Row("6 * 7", answer, target="42")])
    assert grade.score == 0.0
    assert "'42'" in grade.reason


def test_without_a_known_answer_nothing_can_be_said() -> None:
    (grade,) = exact_match.grade([Row("6 * 7", "")])
    assert (grade.score, grade.failed) == (0.0, True)
    assert "no known answer" in grade.reason
