"""What was graded well stays; what could be repaired comes back as a new row."""

from __future__ import annotations

from dataclasses import replace

from selfsown.curate import min_score
from selfsown.grade import verify
from selfsown.records import Grade
from selfsown.tasks.programs import Task

WORLD = Task(rows=20)
RIGHT = replace(WORLD.pose(0)[0], origin="synthetic", generation=3, sample_index=7, source="parrot", method="propose")
WRONG = replace(RIGHT, answer="99999")


def test_a_row_graded_well_enough_is_left_as_it_is() -> None:
    rows = [RIGHT.graded(Grade(score)) for score in (0.5, 0.75, 1.0)]
    assert list(min_score.curate(rows, WORLD)) == rows


def test_what_nobody_graded_is_rejected() -> None:
    for row in (RIGHT, RIGHT.graded(Grade(1.0, "another way", grader="roundtrip", evidence="none"))):
        (out,) = min_score.curate([row], WORLD)
        assert (out.status, out.reason) == ("rejected", "min_score: not graded")
    (out,) = min_score.curate([RIGHT.graded(Grade(1.0, grader="judge"))], WORLD, graders=("unit_tests", "math_equal"))
    assert (out.status, out.reason) == ("rejected", "min_score: not graded by unit_tests or math_equal")
    abstained = RIGHT.graded(Grade(1.0, grader="judge")).graded(Grade(1.0, grader="roundtrip", evidence="none"))
    assert list(min_score.curate([abstained], WORLD)) == [abstained]


def test_a_row_is_rejected_with_the_reason_of_its_lowest_grade() -> None:
    row = RIGHT.graded(Grade(0.9, "fine", grader="rules")).graded(Grade(0.1, "a copy", grader="novelty"))
    (out,) = min_score.curate([row], WORLD)
    assert (out.status, out.reason) == ("rejected", "novelty: a copy")


def test_least_is_the_score_that_passes() -> None:
    row = RIGHT.graded(Grade(0.7))
    assert [out.status for out in min_score.curate([row], WORLD, min_score=0.8)] == ["rejected"]
    assert [out.status for out in min_score.curate([row], WORLD, min_score=0.7)] == [""]


def test_a_repaired_row_comes_out_as_a_new_right_one_after_the_wrong_one() -> None:
    (grade,) = verify.grade([WRONG], WORLD, correct=True)
    wrong, right = min_score.curate([WRONG.graded(grade)], WORLD)
    assert (wrong.id, wrong.status) == (WRONG.id, "rejected")
    assert (right.prompt, right.answer, right.status) == (RIGHT.prompt, RIGHT.answer, "")
    assert (right.origin, right.method, right.parents) == ("synthetic", "correction", (WRONG.id,))
    assert (right.source, right.generation, right.sample_index) == ("parrot", 3, 7)
    assert (right.problem, right.level, right.metadata) == (RIGHT.problem, RIGHT.level, RIGHT.metadata)
    assert right.score == 1.0
    assert right.grades[0].grader == "verify"
    assert right.grades[0].correction is None
    assert WORLD.check(right, right.answer).score == 1.0


def test_a_repair_that_cannot_be_read_makes_no_row() -> None:
    row = WRONG.graded(Grade(0.0, "wrong", grader="judge", correction=("nonsense", "more nonsense")))
    (out,) = min_score.curate([row], WORLD)
    assert out.status == "rejected"


def test_without_any_grader_in_the_recipe_there_is_nothing_to_go_by_and_all_pass() -> None:
    assert list(min_score.curate([RIGHT], WORLD, 0)) == [RIGHT]
    assert [row.reason for row in min_score.curate([RIGHT], WORLD, 1)] == ["min_score: not graded"]
    assert {row.status for row in min_score.curate([RIGHT], WORLD, 0, graders=("judge",))} == {"rejected"}
