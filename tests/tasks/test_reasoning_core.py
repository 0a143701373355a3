"""The task of the package reasoning-core: what it poses, what its scores come to, and that no answer runs."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from selfsown.errors import RecipeError
from selfsown.generate.solve import generate
from selfsown.models import Reply
from selfsown.recipe.steps import step
from selfsown.records import EVALUATION_ONLY, Row
from selfsown.tasks import Posing, is_right, reasoning_core
from selfsown.tasks.reasoning_core import Task
from testing.echo_model import Parrot

INSTALLED = pytest.mark.skipif(not find_spec("reasoning_core"), reason="reasoning-core is not installed")
DESCRIBED: dict[str, Any] = {"tasks": ["equation_system", "rule_switching"]}


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return list(Task(("equation_system", "rule_switching"), rows=24, difficulty=2).pose(0))


def held_out(rows: list[Row]) -> set[str]:
    return {row.key for row in rows if EVALUATION_ONLY.items() <= row.metadata.items()}


@INSTALLED
def test_tasks_and_levels_take_turns_and_a_new_process_poses_the_same(rows: list[Row]) -> None:
    assert Counter((row.metadata["task"], row.level) for row in rows) == dict.fromkeys(
        [(task, level) for task in DESCRIBED["tasks"] for level in (1, 2)], 6
    )
    assert len({row.key for row in rows}) == 24
    reasoning_core._process.close()
    assert list(Task(("equation_system", "rule_switching"), rows=24, difficulty=2).pose(0)) == rows


@INSTALLED
@pytest.mark.parametrize("name", ["lambda_reduction", "arithmetics"])
def test_generators_that_seed_themselves_anew_pose_the_same_rows_in_a_new_process(name: str) -> None:
    rows = list(Task(name, rows=3).pose(0))
    reasoning_core._process.close()
    assert list(Task(name, rows=3).pose(0)) == rows


@INSTALLED
def test_no_problem_is_posed_though_it_is_held_out() -> None:
    task = Task("rule_switching", rows=20)
    posed = list(task.pose(0))
    new = list(task.problems(0, 20, 1))
    assert held_out(posed)
    assert not held_out(posed) & {row.key for row in new}
    assert not any(row.answer for row in new)


@INSTALLED
def test_right_answers_score_one_and_wrong_ones_less(rows: list[Row]) -> None:
    task = Task(("equation_system", "rule_switching"), rows=24)
    assert all(task.check(row, row.answer).score == 1 for row in rows)
    for row in rows:
        for wrong in (f"{row.answer}7", f"{row.answer} is wrong", "", f"{row.answer} or 12345"):
            assert task.check(row, wrong).score < 1, wrong
    wrong_grade = task.check(rows[0], "12345")
    assert wrong_grade.correction == (rows[0].prompt, rows[0].answer)
    assert task.check(Row("2 + 2 =", "4"), "4").failed
    swapped = replace(rows[0], metadata={**rows[0].metadata, "task": "rule_switching"})
    assert task.check(swapped, rows[0].answer).failed


@INSTALLED
def test_solve_poses_new_problems_that_the_task_checks(rows: list[Row]) -> None:
    task = Task("equation_system", rows=8)
    assert isinstance(task, Posing)
    made = list(generate(rows, Parrot(lambda prompt, at: Reply(prompt, "0")), task, 0, 0, count=4))
    assert len(made) == 4
    assert not any(task.check(row, row.answer).failed for row in made)
    assert all(is_right(task, row, row.target) for row in made)
    assert made[0].target in str(task.hinted(made[0]))


@INSTALLED
def test_with_a_system_message_exactly_one_answer_is_in_tags() -> None:
    task = Task("equation_system", rows=1, system="Answer in <answer> tags.")
    (row,) = task.pose(0)
    assert row.answer == f"<answer>{row.target}</answer>"
    assert task.check(row, f"So: <answer> {row.target} </answer>").score == 1
    assert task.check(row, row.target).score == 0
    assert task.check(row, f"<answer>1</answer> <answer>{row.target}</answer>").score == 0


@INSTALLED
@pytest.mark.parametrize(
    "name", ["sequential_induction", "inverse_math", "set_expression", "controlled_code_execution"]
)
def test_no_answer_is_run_as_a_program(name: str, tmp_path: Path) -> None:
    task, mark = Task(name, rows=1), tmp_path / "ran"
    (row,) = task.pose(0)
    code = f"open({str(mark)!r}, 'w')"
    for answer in (code, f"[{code}]", f"U[n] = {code}", f"eval({code!r})", f"__import__('os').system('touch {mark}')"):
        assert task.check(row, answer).score < 1
    assert not mark.exists()
    assert task.check(row, row.answer).score == 1


@INSTALLED
def test_no_other_scorer_of_its_tasks_can_evaluate_an_answer() -> None:
    """Files of the tasks that call anything which evaluates texts; where it is not an answer, it is named here."""
    from reasoning_core.registry import _task_to_module_map, list_tasks

    spec = find_spec("reasoning_core")
    assert spec
    assert spec.origin
    evaluates = re.compile(r"(?<![\w.])(?:eval|exec|sympify|parse_expr|sp\.sympify|sympy\.sympify)\(")
    files = {_task_to_module_map[name][0]: name for name in list_tasks()}
    root = Path(spec.origin).parent / "tasks"
    texts = {module: (root / f"{module.replace('.', '/')}.py").read_text("utf-8") for module in files}
    generators = {"code_analysis", "code_execution", "generated.controlled_code_execution"}  # run programs they made
    assert {module for module in texts if evaluates.search(texts[module])} - generators == {
        "sequential_induction",
        "dev.math_inverse",
    }


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"task": "rule_switch"}, "there is no task 'rule_switch'; did you mean 'rule_switching'"),
        ({"task": ()}, "task names none"),
        ({"task": "rule_switching", "held_out_problems": 0.0}, "between 0 and 1"),
        ({"task": "rule_switching", "system": "Be brief."}, "must ask for <answer> tags"),
    ],
)
def test_options_that_do_not_fit_are_refused(options: dict[str, Any], message: str) -> None:
    with (
        mock.patch.object(reasoning_core, "_described", return_value=DESCRIBED),
        pytest.raises(RecipeError, match=message),
    ):
        step("tasks", "reasoning_core", options)()


def test_what_the_package_cannot_pose_is_one_line() -> None:
    with (
        mock.patch.object(reasoning_core, "_described", return_value=DESCRIBED),
        mock.patch.object(reasoning_core._process, "request", return_value={"error": "ModuleNotFoundError: no pyggp"}),
        pytest.raises(RecipeError, match=r"rule_switching cannot be posed: ModuleNotFoundError: no pyggp$"),
    ):
        list(Task("rule_switching").pose(0))


def test_without_the_package_one_line_says_what_to_install() -> None:
    reasoning_core._described.cache_clear()
    with (
        mock.patch.object(reasoning_core, "find_spec", return_value=None),
        pytest.raises(RecipeError, match=r"pip install reasoning-core$"),
    ):
        Task("rule_switching")
