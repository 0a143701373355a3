"""The task of the package reasoning-gym: what it poses, what its scores come to, and that no answer of a model runs."""

from __future__ import annotations

import re
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from selfsown.errors import RecipeError
from selfsown.evaluate.accuracy import evaluate
from selfsown.generate.solve import generate
from selfsown.holdout import split
from selfsown.models import Reply
from selfsown.recipe.steps import step
from selfsown.records import EVALUATION_ONLY, TRAINING_ONLY, Row
from selfsown.tasks import PartialCredit, Posing, is_right, reasoning_gym
from selfsown.tasks.reasoning_gym import Task
from testing.echo_model import Parrot

EVALUATING = ("string_insertion", "spiral_matrix", "binary_matrix", "n_queens", "countdown", "puzzle24")
EVALUATING += ("polynomial_multiplication", "simple_integration", "intermediate_integration")
SUMS = Task("chain_sum", rows=120, difficulty=3)
ROWS = list(SUMS.pose(0))


def held_out(rows: list[Row]) -> set[str]:
    return {row.key for row in rows if EVALUATION_ONLY.items() <= row.metadata.items()}


def test_the_same_seed_poses_the_same_rows_in_a_new_process() -> None:
    reasoning_gym._process.close()
    assert list(SUMS.pose(0)) == ROWS
    assert {row.key for row in SUMS.pose(1)} != {row.key for row in ROWS}


@pytest.mark.parametrize("name", ["syllogism", "family_relationships", "graph_color"])
def test_generators_that_iterate_over_sets_pose_the_same_rows_in_a_new_process(name: str) -> None:
    task = Task(name, rows=20)
    rows = list(task.pose(0))
    reasoning_gym._process.close()
    assert list(task.pose(0)) == rows


def test_no_problem_is_on_both_sides_or_posed_though_held_out() -> None:
    out = held_out(ROWS)
    assert len({row.key for row in ROWS}) == len(ROWS) == 120
    assert 10 <= len(out) <= 50
    for seed in (1, 2):  # of 200 problems of level 1, so that held-out ones would be met
        posed = {row.key for row in SUMS.problems(1, 150, seed)}
        assert len(posed) > 60
        assert not posed & out
    others = held_out(list(SUMS.pose(5)))
    assert not others & ({row.key for row in ROWS} - out)  # a problem has one side in all runs


def test_the_split_holds_out_the_problems_of_that_side_and_no_others() -> None:
    learned, out = split(ROWS, 0.1, 0, "reasoning_gym")
    assert {row.key for row in out} == held_out(ROWS)
    assert all(TRAINING_ONLY.items() <= row.metadata.items() for row in learned)


def test_levels_are_those_of_the_curriculum_and_evenly_posed() -> None:
    assert Counter(row.level for row in ROWS) == {1: 40, 2: 40, 3: 40}
    terms = {row.level: len(row.prompt.rpartition(":")[2].replace("-", "+").split("+")) for row in ROWS}
    assert terms == {1: 2, 2: 3, 3: 4}
    levels = Counter(row.level for row in SUMS.problems(2, 200, 0))
    assert set(levels) == {1, 2}
    assert levels[2] > levels[1]


def test_several_tasks_take_turns_and_a_task_with_fewer_levels_stays_at_its_hardest() -> None:
    task = Task(("chain_sum", "coin_flip", "needle_haystack"), rows=30)
    assert [row.metadata["task"] for row in task.pose(0)][:4] == [*task._names, "chain_sum"]
    assert task.top_level == 0
    assert {row.level for row in task.problems(0, 6, 0)} == {0}
    mixed = list(Task(("chain_sum", "bf"), rows=70, difficulty=4).pose(0))
    assert max(row.level for row in mixed if row.metadata["task"] == "chain_sum") == 4
    assert max(row.level for row in mixed if row.metadata["task"] == "bf") == 3


def test_right_answers_score_one_and_wrong_ones_less() -> None:
    assert all(SUMS.check(row, row.answer).score == 1 for row in ROWS)
    row = ROWS[0]
    wrong = SUMS.check(row, str(int(row.answer) + 1))
    assert (wrong.score, wrong.correction) == (0.0, (row.prompt, row.answer))
    assert SUMS.check(row, "").score == 0
    assert SUMS.check(Row("2 + 2 =", "4"), "4").failed


def test_partial_credit_is_kept_and_is_not_right() -> None:
    task = Task("chain_sum", rows=10, config={"min_digits": 4})
    row = next(iter(task.pose(0)))
    partial = task.check(row, f"it is {row.answer}")
    assert 0.2 < partial.score < 1
    assert "scores it 0." in partial.reason
    long = task.check(row, f"{row.answer} ")
    assert long.score == 1  # blanks around a reply are not part of it
    close = f"{row.answer}!"
    assert task.check(row, close).score > 0.5
    assert isinstance(task, PartialCredit)
    assert not is_right(task, row, close)
    assert is_right(task, row, row.answer)
    model = Parrot(lambda prompt, at: Reply(prompt, close))
    (score,) = evaluate(model, [row], task)
    assert score.value == 0.0


def test_solve_poses_new_problems_that_the_task_checks() -> None:
    assert isinstance(SUMS, Posing)
    made = list(generate(ROWS, Parrot(lambda prompt, at: Reply(prompt, "0")), SUMS, 2, 0, count=12))
    assert len(made) == 12
    grades = [SUMS.check(row, row.answer) for row in made]
    assert not any(grade.failed for grade in grades)
    assert all((grade.score == 1) == (row.target == "0") for grade, row in zip(grades, made, strict=True))
    assert made[0].target in str(SUMS.hinted(made[0]))


def test_with_a_system_message_exactly_one_answer_is_in_tags() -> None:
    task = Task("chain_sum", rows=10, system="default")
    row = next(iter(task.pose(0)))
    assert row.answer == f"<answer>{row.target}</answer>"
    assert "<answer>" in row.metadata["system"]
    assert task.check(row, f"I think: {row.target}? <answer> {row.target} </answer>").score == 1
    wrong = str(int(row.target) + 1)
    for reply in (
        row.target,
        f"<answer>{wrong}</answer><answer>{row.target}</answer>",
        f"<answer>{wrong} <answer>{row.target}</answer>",
        "<answer></answer>",
    ):
        assert task.check(row, reply).score == 0, reply


@pytest.mark.parametrize("name", EVALUATING)
def test_no_answer_is_run_as_a_program(name: str, tmp_path: Path) -> None:
    task = Task(name, rows=1)
    row, mark = next(iter(task.pose(0))), tmp_path / "ran"
    code = f"open({str(mark)!r}, 'w')"
    for answer in (
        code,
        f"[{code}]",
        f"eval({code!r})",
        f"__import__('os').system('touch {mark}')",
        f"(x for x in [{code}])",
    ):
        assert task.check(row, answer).score < 1
    assert not mark.exists()
    assert task.check(row, row.answer).score == 1


def test_no_other_scorer_of_the_package_evaluates_an_answer() -> None:
    spec = find_spec("reasoning_gym")
    assert spec
    assert spec.origin
    evaluates = re.compile(r"(?<![\w.])(?:eval|exec|sympify|parse_expr|sp\.parse_expr|sympy\.parse_expr)\(answer")

    paths = [path for path in Path(spec.origin).parent.rglob("*.py") if evaluates.search(path.read_text("utf-8"))]
    assert {path.stem for path in paths} == set(EVALUATING)


@pytest.mark.parametrize("name", ["game_of_life_halting", "letter_jumble", "fraction_simplification"])
def test_answers_that_the_package_alone_accepts_are_refused(name: str) -> None:
    task = Task(name, rows=4)
    for row in task.pose(0):
        assert task.check(row, row.answer).score == 1
        assert task.check(row, f"{row.answer} is wrong").score < 1
    assert task.check(row, "perhaps").score < 1


SEVERAL = ("gsm_symbolic", "fraction_simplification", "letter_jumble", "sokoban", "time_intervals")


@pytest.mark.parametrize("name", SEVERAL)
def test_two_answers_are_refused_where_the_package_reads_the_first(name: str) -> None:
    task = Task(name, rows=12)
    rows = list(task.pose(0))
    for row, other in zip(rows, [*rows[1:], rows[0]], strict=True):
        assert task.check(row, row.answer).score == 1
        if other.answer == row.answer:
            continue
        for link in (" or ", "; ", ", ", " | ", "\n"):
            if name != "sokoban" or link == " or ":  # moves after moves are one answer
                assert task.check(row, f"{row.answer}{link}{other.answer}").score < 1, (row.answer, link, other.answer)


@pytest.mark.parametrize(
    ("name", "notation"),
    [
        ("gsm_symbolic", "The answer is {}."),
        ("gsm_symbolic", "{} apples"),
        ("fraction_simplification", " {} "),
        ("sokoban", "{}\n"),
        ("letter_jumble", "{}"),
    ],
)
def test_right_answers_in_other_notations_stay_right(name: str, notation: str) -> None:
    task = Task(name, rows=6)
    assert [task.check(row, notation.format(row.answer)).score for row in task.pose(0)] == [1.0] * 6


def test_a_fraction_may_be_written_in_each_of_the_styles_of_the_package() -> None:
    task = Task("fraction_simplification", rows=6)
    for row in task.pose(0):
        top, bottom = re.findall(r"\d+", row.answer)
        for text in (f"{top}/{bottom}", f"${top}/{bottom}$", f"$\\frac{{{top}}}{{{bottom}}}$"):
            assert task.check(row, text).score == 1, text


def test_puzzle24_uses_the_numbers_of_its_prompt() -> None:
    task = Task("puzzle24", rows=4)
    rows = list(task.pose(0))
    assert [task.check(row, row.answer).score for row in rows] == [1.0] * 4
    assert task.check(rows[0], rows[1].answer).score == 0


def test_an_answer_that_takes_too_long_costs_its_row_alone() -> None:
    task = Task("countdown", rows=1)
    row = next(iter(task.pose(0)))
    slow = task.check(row, "9**9**9**9")
    assert (slow.score, slow.failed) == (0.0, False)
    assert "longer than 5 s" in slow.reason or "memory" in slow.reason
    assert task.check(row, row.answer).score == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"task": "chain_sums"}, "there is no task 'chain_sums'; did you mean 'chain_sum'"),
        ({"task": ()}, "task names none"),
        ({"task": "chain_sum", "difficulty": 12}, "the hardest level is 11"),
        ({"task": "gsm_symbolic", "difficulty": 1}, "gsm_symbolic has no levels"),
        ({"task": "chain_sum", "config": {"terms": 3}}, "chain_sum has no setting 'terms'"),
        ({"task": "chain_sum", "held_out_problems": 0.0}, "between 0 and 1"),
        ({"task": "chain_sum", "system": "Be brief."}, "must ask for <answer> tags"),
    ],
)
def test_options_that_do_not_fit_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        step("tasks", "reasoning_gym", options)()


def test_too_many_rows_and_settings_that_the_package_refuses_are_one_line() -> None:
    with pytest.raises(RecipeError, match=r"chain_sum has fewer than .* problems of level 1; lower rows"):
        list(Task("chain_sum", rows=500, difficulty=1).pose(0))
    with pytest.raises(RecipeError, match="chain_sum cannot be posed: AssertionError: min_terms must be positive"):
        list(Task("chain_sum", rows=5, config={"min_terms": 0}).pose(0))


def test_without_the_package_one_line_says_what_to_install() -> None:
    reasoning_gym._described.cache_clear()
    with (
        mock.patch.object(reasoning_gym, "find_spec", return_value=None),
        pytest.raises(RecipeError, match=r"pip install 'selfsown\[worlds\]'$"),
    ):
        Task("chain_sum")
