"""What was graded well stays; what could be repaired comes back as a new row."""

from __future__ import annotations

from dataclasses import replace

from selfsown.curate import min_score
from selfsown.grade import verify
from selfsown.records import Grade
from selfsown.tasks.programs import World

WORLD = World(rows=20)
RIGHT = replace(WORLD.pose(0)[0], origin="synthetic", generation=3, draw=7, maker="parrot", method="propose")
WRONG = replace(RIGHT, answer="99999")


def test_a_row_graded_well_enough_is_left_as_it_is() -> None:
    rows = [RIGHT.graded(Grade(score)) for score in (0.5, 0.75, 1.0)]
    assert list(min_score.curate(rows, WORLD)) == rows


def test_what_nobody_graded_is_rejected() -> None:
    for row in (RIGHT, RIGHT.graded(Grade(1.0, "another way", by="roundtrip", trust="none"))):
        (out,) = min_score.curate([row], WORLD)
        assert (out.end, out.reason) == ("rejected", "passed: nobody graded it")
    (out,) = min_score.curate([RIGHT.graded(Grade(1.0, by="judge"))], WORLD, graders=("execute", "maths"))
    assert (out.end, out.reason) == ("rejected", "passed: not graded by execute or maths")
    abstained = RIGHT.graded(Grade(1.0, by="judge")).graded(Grade(1.0, by="roundtrip", trust="none"))
    assert list(min_score.curate([abstained], WORLD)) == [abstained]


def test_a_row_is_rejected_with_the_reason_of_its_lowest_grade() -> None:
    row = RIGHT.graded(Grade(0.9, "fine", by="rules")).graded(Grade(0.1, "a copy", by="novelty"))
    (out,) = min_score.curate([row], WORLD)
    assert (out.end, out.reason) == ("rejected", "novelty: a copy")


def test_least_is_the_score_that_passes() -> None:
    row = RIGHT.graded(Grade(0.7))
    assert [out.end for out in min_score.curate([row], WORLD, min_score=0.8)] == ["rejected"]
    assert [out.end for out in min_score.curate([row], WORLD, min_score=0.7)] == [""]


def test_a_repaired_row_comes_out_as_a_new_right_one_after_the_wrong_one() -> None:
    (grade,) = verify.grade([WRONG], WORLD, correct=True)
    wrong, right = min_score.curate([WRONG.graded(grade)], WORLD)
    assert (wrong.id, wrong.end) == (WRONG.id, "rejected")
    assert (right.prompt, right.answer, right.end) == (RIGHT.prompt, RIGHT.answer, "")
    assert (right.origin, right.method, right.parents) == ("synthetic", "repair", (WRONG.id,))
    assert (right.maker, right.generation, right.draw) == ("parrot", 3, 7)
    assert (right.problem, right.level, right.traits) == (RIGHT.problem, RIGHT.level, RIGHT.traits)
    assert right.score == 1.0
    assert right.grades[0].by == "verify"
    assert right.grades[0].repair is None
    assert WORLD.check(right, right.answer).score == 1.0


def test_a_repair_that_cannot_be_read_makes_no_row() -> None:
    row = WRONG.graded(Grade(0.0, "wrong", by="judge", repair=("nonsense", "more nonsense")))
    (out,) = min_score.curate([row], WORLD)
    assert out.end == "rejected"


def test_without_any_grader_in_the_recipe_there_is_nothing_to_go_by_and_all_pass() -> None:
    assert list(min_score.curate([RIGHT], WORLD, 0)) == [RIGHT]
    assert [row.reason for row in min_score.curate([RIGHT], WORLD, 1)] == ["passed: nobody graded it"]
    assert {row.end for row in min_score.curate([RIGHT], WORLD, 0, graders=("judge",))} == {"rejected"}
