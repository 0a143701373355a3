"""Rows that a strong solver gets right and a weak one does not; what both can, or neither, has no gap."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from selfsown.grade import solver_gap
from selfsown.models import Model, Reply
from selfsown.recipe.recipe import Recipe
from selfsown.records import Row, SelfsownError
from selfsown.tasks import Task
from selfsown.tasks.file import Task as File
from selfsown.tasks.programs import Task as Programs
from testing.echo_model import Parrot, knowing

TASK: Task = File("rows.jsonl", prompt="q", answer="a")
EASY, HARD, IMPOSSIBLE = Row("2 + 2?", "4"), Row("17 * 23?", "391"), Row("What am I thinking of?", "a horse")
STRONG, WEAK = knowing([EASY, HARD]), knowing([EASY])


def gaps(judge: Model, teacher: Model, *rows: Row, task: Task = TASK, **knobs: object) -> list[float]:
    return [grade.score for grade in solver_gap.grade(rows, judge, teacher, task, 0, **knobs)]  # type: ignore[arg-type]


def test_only_what_the_strong_one_can_and_the_weak_one_cannot_has_a_gap() -> None:
    assert gaps(STRONG, WEAK, EASY, HARD, IMPOSSIBLE) == [0.0, 1.0, 0.0]
    assert gaps(WEAK, STRONG, EASY, HARD, IMPOSSIBLE) == [0.0, 0.0, 0.0]
    assert gaps(WEAK, STRONG, HARD, strong="teacher") == [1.0]


def test_a_row_whose_answer_is_wrong_has_none_for_the_strong_solver_does_not_find_it() -> None:
    assert gaps(STRONG, WEAK, Row("17 * 23?", "392")) == [0.0]


def test_the_gap_is_that_between_the_pass_rates() -> None:
    often, seldom = (Parrot(lambda prompt, at, k=k: "391" if at % 4 < k else "400") for k in (3, 1))
    (grade,) = solver_gap.grade([HARD], often, seldom, TASK, 0, samples=8)
    assert (grade.score, grade.grader, grade.evidence) == (0.5, "solver_gap", "vote")
    assert grade.reason == "solved by the strong solver 6 of 8 times, by the weak solver 2 of 8"


def test_where_the_world_checks_answers_it_decides_and_not_the_row() -> None:
    world = Programs(rows=40)
    rows = list(world.pose(0))[:20]
    wrong = [replace(row, answer=row.answer + "x", target="") for row in rows]
    solver, nobody = knowing(rows), knowing([])
    grades = list(solver_gap.grade(wrong, solver, nobody, world, 0))
    assert {grade.score for grade in grades} == {1.0}
    assert {grade.evidence for grade in grades} == {"execution"}


def test_of_worked_answers_what_the_pattern_finds_is_compared() -> None:
    row, knobs = Row("17 * 23?", "10 * 23 is 230, and 7 * 23 is 161.\n#### 391"), {"pattern": "#### (.*)"}
    other, wrong = (Parrot(lambda prompt, at, n=n: f"20 * 23 - 3 * 23 is\n#### {n}") for n in (391, 392))
    assert gaps(other, wrong, row, **knobs) == [1.0]
    assert gaps(wrong, other, row, **knobs) == [0.0]


def test_words_count_as_the_same_answer_by_how_much_they_agree() -> None:
    row = Row("Who wrote it?", "Jane Austen wrote it.")
    near = Parrot(lambda prompt, at: "It was Jane Austen")
    assert gaps(near, WEAK, row) == [1.0]
    assert gaps(near, WEAK, row, min_similarity=0.9) == [0.0]


def test_the_instruction_stands_before_each_prompt_and_each_prompt_is_solved_once() -> None:
    seen: list[str] = []
    solver = Parrot(lambda prompt, at: seen.append(prompt) or "391")
    list(solver_gap.grade([HARD, Row("17 * 23?", "5")], solver, WEAK, TASK, 0, samples=2, instruction="Briefly."))
    assert seen == ["Briefly.\n\n17 * 23?"] * 2


def test_a_reply_that_failed_says_nothing_and_who_mostly_fails_leaves_the_row_failed() -> None:
    broken = Parrot(lambda prompt, at: Reply(prompt, "391", failure="no end"))
    (grade,) = solver_gap.grade([HARD], STRONG, broken, TASK, 0)
    assert (grade.failed, grade.reason) == (True, "the weak solver: no end")
    (grade,) = solver_gap.grade([HARD], broken, WEAK, TASK, 0)
    assert (grade.failed, grade.reason) == (True, "the strong solver: no end")
    shaky = Parrot(lambda prompt, at: Reply(prompt, "391", failure="" if at else "a time-out"))
    (grade,) = solver_gap.grade([HARD], shaky, WEAK, TASK, 0)
    assert (grade.score, grade.reason) == (1.0, "solved by the strong solver 3 of 3 times, by the weak solver 0 of 4")
    (grade,) = solver_gap.grade([Row("", "a text")], STRONG, WEAK, TASK, 0)
    assert (grade.failed, grade.reason) == (True, "no prompt to solve")


def test_a_recipe_with_but_one_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"prompt": "1 + 1?"}', encoding="utf-8")
    made = {"real": {"file": {"path": str(tmp_path / "rows.jsonl")}}, "generate": ["sample"], "grade": ["solver_gap"]}
    there = {"endpoint": {"url": "http://localhost:8000/v1", "model": "m"}}
    with pytest.raises(SelfsownError, match=r"grade\.solver_gap compares two solvers.*judge="):
        Recipe.of({**made, "teacher": there})
    assert Recipe.of({**made, "teacher": there, "judge": there}).grade[0].method == "solver_gap"
