"""A text keeps to the characters and lengths of the real rows, and to a pattern."""

from __future__ import annotations

import pytest

from selfsown.grade import rules
from selfsown.records import Grade, Row, SelfsownError

REAL = [Row("", text) for text in ("emma", "olivia", "ava", "zoe")]


def graded(text: str, pattern: str = "") -> Grade:
    (grade,) = rules.grade([Row("", text)], REAL, pattern=pattern)
    return grade


@pytest.mark.parametrize("text", ["emma", "ziv", "maze", "omaeil"])
def test_what_looks_like_the_real_rows_keeps_to_the_rules(text: str) -> None:
    assert (graded(text).score, graded(text).grader) == (1.0, "rules")


def test_every_real_row_keeps_to_the_rules() -> None:
    assert all(grade.score == 1.0 for grade in rules.grade(REAL, REAL))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Emma", "'E'"),
        ("em ma", "' '"),
        ("xxbx", "'bx'"),
        ("ev", "2 characters; real rows have 3 to 6"),
        ("", "0 characters"),
        ("oliviaa", "7 characters"),
    ],
)
def test_what_breaks_a_rule_says_which(text: str, reason: str) -> None:
    assert graded(text).score == 0.0
    assert reason in graded(text).reason


def test_the_whole_answer_must_match_the_pattern() -> None:
    assert graded("emma", pattern="[a-z]+a").score == 1.0
    assert graded("zoe", pattern="[a-z]+a").score == 0.0
    assert graded("emma", pattern="em").score == 0.0
    assert "'em'" in graded("emma", pattern="em").reason


def test_a_pattern_that_is_none_is_explained() -> None:
    with pytest.raises(SelfsownError, match="pattern"):
        graded("emma", pattern="(")
