"""What any of several graders finds good stays, and the others are still heard by `passed`."""

from __future__ import annotations

import pytest

from selfsown.curate import any_grader, min_score
from selfsown.records import Grade, Row, SelfsownError
from selfsown.tasks.programs import Task


def row(at: int, **scores: float) -> Row:
    grades = tuple(Grade(score, "said so", grader=by) for by, score in scores.items())
    return Row("p", str(at), sample_index=at).replace_fields(grades=grades)


ROWS = [row(at, judge=float(at % 2), reward=at / 8) for at in range(8)]


def kept(rows: list[Row]) -> list[str]:
    return [row.answer for row in rows if not row.status]


def test_one_grader_s_bar_or_the_other_s_best_share_is_enough() -> None:
    out = list(any_grader.curate(ROWS, min_score={"judge": 1.0}, top_share={"reward": 0.25}))
    assert kept(out) == ["1", "3", "5", "6", "7"]
    assert out[4].reason == "any_grader: judge 0.00 below 1.00, reward 0.50 below 0.75"
    assert kept(list(any_grader.curate(ROWS, min_score={"judge": 1.0}))) == ["1", "3", "5", "7"]
    assert kept(list(any_grader.curate(ROWS, top_share={"reward": 0.25}))) == ["6", "7"]


def test_what_none_of_the_graders_graded_is_rejected() -> None:
    out = list(any_grader.curate(ROWS, min_score={"panel": 1.0}, top_share={"gap": 0.25}))
    assert kept(out) == []
    assert {row.reason for row in out} == {"any_grader: not graded by panel or gap"}
    mixed = [row(0, judge=1.0), row(1, execute=0.0)]
    assert kept(list(any_grader.curate(mixed, min_score={"judge": 1.0}))) == ["0"]


def test_where_all_have_the_same_score_nobody_is_among_the_best() -> None:
    rows = [row(at, reward=0.4) for at in range(4)]
    assert kept(list(any_grader.curate(rows, top_share={"reward": 0.25}))) == []
    assert kept(list(any_grader.curate(rows, top_share={"reward": 1.0}))) == ["0", "1", "2", "3"]


def test_without_any_grader_it_is_refused() -> None:
    with pytest.raises(SelfsownError, match="min_score and top_share are empty"):
        list(any_grader.curate(ROWS))


def test_passed_hears_those_that_it_is_told_to_hear() -> None:
    rows = [row(0, execute=1.0, judge=0.0), row(1, execute=0.0, judge=1.0), row(2, judge=0.0)]
    assert kept(list(min_score.curate(rows, Task(), graders=("execute",)))) == ["0"]
    assert kept(list(min_score.curate(rows, Task()))) == []
