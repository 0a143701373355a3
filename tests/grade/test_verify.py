"""The world itself says whether a row is right."""

from __future__ import annotations

from dataclasses import replace

from selfsown.grade import verify
from selfsown.records import Row
from selfsown.tasks.programs import Task

WORLD = Task(rows=100)
ROWS = WORLD.pose(0)
DEDUCTIONS = [row for row in ROWS if row.metadata["form"] == "deduction"]
WRONG = [replace(row, answer=str((int(row.answer) + 1) % 10_000).zfill(4)) for row in DEDUCTIONS]


def test_every_real_row_is_right() -> None:
    grades = list(verify.grade(ROWS, WORLD))
    assert {grade.score for grade in grades} == {1.0}
    assert {(grade.grader, grade.evidence) for grade in grades} == {("verify", "execution")}


def test_every_changed_row_is_wrong() -> None:
    grades = list(verify.grade(WRONG, WORLD))
    assert {grade.score for grade in grades} == {0.0}
    assert {grade.correction for grade in grades} == {None}


def test_a_repair_is_given_where_it_is_asked_for() -> None:
    grades = verify.grade(WRONG, WORLD, correct=True)
    assert [grade.correction for grade in grades] == [(row.prompt, row.answer) for row in DEDUCTIONS]


def test_the_row_is_judged_by_what_it_says_not_by_a_known_answer() -> None:
    (grade,) = verify.grade([replace(DEDUCTIONS[0], target="nonsense")], WORLD)
    assert grade.score == 1.0
    (grade,) = verify.grade([replace(WRONG[0], target=WRONG[0].answer)], WORLD)
    assert grade.score == 0.0


def test_what_is_no_program_is_wrong_without_a_repair() -> None:
    induction = next(row for row in ROWS if row.metadata["form"] == "induction")
    rows: list[Row] = [replace(induction, answer=answer) for answer in ("", "zz", "1234")]
    assert all(grade.score == 0.0 and not grade.correction for grade in verify.grade(rows, WORLD, correct=True))
