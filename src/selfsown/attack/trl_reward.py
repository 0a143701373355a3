"""A reward function for TRL's GRPOTrainer as a grader: `reward(completions, **columns) -> list[float]` in a file.

Source: TRL, GRPO Trainer, "Using a custom reward function": a function is given prompts, completions and all columns of
the data set by keyword, and returns one number for each completion, or None where it does not apply.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any

from selfsown.errors import RecipeError
from selfsown.files.functions import blame, load_function
from selfsown.records import Grade, JsonObject, Row

ANSWER_COLUMNS = ("answer", "answers", "solution", "target", "ground_truth", "reference", "label", "gold")
_NO_TEXT = (TypeError, KeyError, AttributeError, IndexError)  # of a function that expects a conversation

Reward = Callable[..., Sequence[float | None]]


def load_reward(name: str) -> Reward:
    """The function that FILE.py:FUNCTION names. Raises RecipeError where there is none, or the file does not load."""
    function: Reward = load_function(name, "--grader")
    if "completions" not in inspect.signature(function).parameters:
        raise RecipeError(
            f"{name} takes no completions; a reward function is reward(completions, **columns) -> list[float]"
        )
    return function


def grades(function: Reward, rows: Sequence[Row]) -> list[Grade]:
    """The rewards as grades from 0 to 1: a reward below 0 is 0, and one above 1 is 1.

    The known answer is passed under each usual name of its column. Completions are texts; where the function cannot
    read them, messages. Raises RecipeError where the function fails, or returns another number of rewards.
    """
    try:
        try:
            rewards = _rewards(function, rows, conversational=False)
        except _NO_TEXT:
            rewards = _rewards(function, rows, conversational=True)
    except Exception as error:
        raise RecipeError(f"the reward function failed: {blame(error)}") from error
    if len(rewards) != len(rows):
        raise RecipeError(f"the reward function gave {len(rewards)} rewards for {len(rows)} completions")
    return [_grade(reward) for reward in rewards]


def _rewards(function: Reward, rows: Sequence[Row], *, conversational: bool) -> list[float | None]:
    columns: dict[str, list[Any]] = {
        "prompts": [_message("user", row.prompt) if conversational else row.prompt for row in rows],
        "completions": [_message("assistant", row.answer) if conversational else row.answer for row in rows],
        **{name: [row.target for row in rows] for name in ANSWER_COLUMNS},
    }
    for name in dict.fromkeys(name for row in rows for name in row.metadata):
        columns.setdefault(name, [row.metadata.get(name) for row in rows])
    return list(function(**_accepted(function, columns)))


def _message(role: str, text: str) -> list[JsonObject]:
    return [{"role": role, "content": text}]


def _accepted(function: Reward, columns: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """The columns that the function takes; all of them where it takes any keyword."""
    parameters = inspect.signature(function).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return columns
    return {name: values for name, values in columns.items() if name in parameters}


def _grade(reward: float | None) -> Grade:
    if reward is None:
        return Grade(0.0, "it does not apply", evidence="none")
    value = float(reward)
    return Grade(0.0 if math.isnan(value) else min(1.0, max(0.0, value)), evidence="oracle")
