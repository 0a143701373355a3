"""Reward functions written for TRL grade rows as TRL would call them, and say in one line what does not fit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from selfsown.errors import RecipeError
from selfsown.recipe.steps import step
from selfsown.records import Grade, Row

ROWS = [
    Row("2 + 2?", "4", target="4", metadata={"unit": "m"}),
    Row("2 + 3?", "6", target="5", metadata={"unit": "m", "hint": "count"}),
]
FUNCTIONS = '''
"""Rewards."""
import asyncio

def right(completions, solution, **kwargs):
    return [float(one == other) for one, other in zip(completions, solution)]

def columns(prompts, completions, unit, hint, **kwargs):
    assert kwargs["trainer_state"] is None
    kwargs["log_metric"]("seen", 1.0)
    assert prompts == ["2 + 2?", "2 + 3?"] and unit == ["m", "m"] and hint == [None, "count"]
    return [None, 1]

def strict(completions):
    return [-1.0 if len(one) > 3 else 2.0 for one in completions]

async def later(completions, **kwargs):
    await asyncio.sleep(0)
    return [0.25 for _ in completions]

def chat(prompts, completions, **kwargs):
    return [float(one[0]["content"] == "4" and p[-1]["role"] == "user") for p, one in zip(prompts, completions)]

def broken(completions, **kwargs):
    raise ValueError("no such thing")

def short(completions, **kwargs):
    return [1.0]

def words(completions, **kwargs):
    return ["good" for _ in completions]

def lost(completions, **kwargs):
    return [float("nan") for _ in completions]

def tokens(completion_ids, **kwargs):
    return [1.0 for _ in completion_ids]
'''


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "rewards.py"
    path.write_text(FUNCTIONS, encoding="utf-8")
    return path


def graded(name: str, rows: Sequence[Row] = ROWS, **options: Any) -> list[Grade]:
    return list(step("grade", "trl_reward", {"function": name, **options})(rows=rows))


def test_rewards_become_grades(file: Path) -> None:
    assert [(g.score, g.reason, g.grader) for g in graded(f"{file}:right")] == [
        (1.0, "reward 1", "trl_reward"),
        (0.0, "reward 0", "trl_reward"),
    ]
    assert [g.score for g in graded(f"{file}:later")] == [0.25, 0.25]


def test_metadata_are_columns_and_none_leaves_a_row_to_other_graders(file: Path) -> None:
    first, second = graded(f"{file}:columns")
    assert first.evidence == "none"
    assert second.score == 1.0


def test_the_known_answer_has_the_name_that_the_function_expects(file: Path) -> None:
    with pytest.raises(RecipeError, match="right needs solution; columns of the rows: answer, hint, unit"):
        graded(f"{file}:right", target_column="answer")


def test_low_and_high_map_rewards_to_scores(file: Path) -> None:
    assert [g.score for g in graded(f"{file}:strict", low=-1, high=3)] == [0.75, 0.75]
    with pytest.raises(RecipeError, match="strict gave 2, outside 0 to 1; set high: 2 or beyond"):
        graded(f"{file}:strict")
    with pytest.raises(RecipeError, match="low must be below high"):
        graded(f"{file}:strict", low=1.0)


def test_messages_are_passed_as_for_a_conversational_data_set(file: Path) -> None:
    assert [g.score for g in graded(f"{file}:chat", messages=True)] == [1.0, 0.0]


def test_a_reward_that_is_not_a_number_fails_its_row(file: Path) -> None:
    assert [g.failed for g in graded(f"{file}:lost")] == [True, True]


@pytest.mark.slow
def test_trl_s_own_functions_grade() -> None:
    pytest.importorskip("trl")
    answers = [Row("2 + 2?", r"\boxed{4}", target="$4$"), Row("2 + 3?", r"\boxed{6}", target="$5$")]
    name = "trl.rewards.accuracy_rewards:accuracy_reward"
    assert [g.score for g in graded(name, answers, messages=True)] == [1.0, 0.0]
    thought = [Row("p", "<think>\nso\n</think>\n4"), Row("p", "4")]
    name = "trl.rewards.format_rewards:think_format_reward"
    assert [g.score for g in graded(name, thought, messages=True)] == [1.0, 0.0]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("rewards.py", "it must be ./file.py:name or package.module:name"),
        ("{folder}/none.py:right", "there is no file .*none.py"),
        ("{folder}/rewards.py:rigth", "has no function 'rigth'; did you mean 'right'"),
        ("no.such.module:f", "no.such.module cannot be imported: ModuleNotFoundError"),
        ("{folder}/rewards.py:broken", r"broken failed: ValueError: no such thing \(rewards.py:\d+\)"),
        ("{folder}/rewards.py:short", "short gave 1 rewards for 2 rows"),
        ("{folder}/rewards.py:words", "words gave 'good', which is not a number"),
        ("{folder}/rewards.py:tokens", "tokens needs completion_ids; columns of the rows: hint, solution, unit"),
        ("{folder}/broken.py:f", r"broken.py cannot be loaded: ZeroDivisionError: division by zero \(broken.py:1\)"),
    ],
)
def test_what_does_not_fit_is_one_line(name: str, message: str, file: Path) -> None:
    (file.parent / "broken.py").write_text("1 / 0\n")
    with pytest.raises(RecipeError, match=message) as error:
        graded(name.format(folder=file.parent))
    assert "\n" not in str(error.value)
