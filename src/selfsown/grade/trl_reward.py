"""A reward function written for TRL's trainers (GRPO, RLOO) as a grader."""

from __future__ import annotations

import asyncio
import inspect
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from selfsown.errors import RecipeError
from selfsown.files.functions import blame, load_function
from selfsown.option_types import Count
from selfsown.records import Grade, Row
from selfsown.text.chat import answer_message, prompt_messages

_PLACE = "grade.trl_reward.function"
_OURS = ("prompts", "completions", "completion_ids", "trainer_state", "log_extra", "log_metric")


def grade(
    rows: Sequence[Row],
    *,
    function: str,
    messages: bool = False,
    target_column: str = "solution",
    low: float = 0.0,
    high: float = 1.0,
    batch_size: Count = 64,
) -> Iterator[Grade]:
    """The function is called as TRL calls it: with prompts, completions and every column as lists.

    function: ./file.py:name, or package.module:name, such as trl.rewards:accuracy_reward. messages: pass prompts and
    completions as lists of messages, as TRL does for a conversational data set. target_column: the name of the column
    with the known answer; the other columns are the rows' metadata. low, high: the rewards that count as 0 and as 1.
    batch_size: rows in a call. A reward of None leaves the row to other graders.

    Raises RecipeError where the function cannot be loaded or called, or gives other rewards than these.
    """
    if not low < high:
        raise RecipeError(f"grade.trl_reward: low is {low:g} and high is {high:g}; low must be below high")
    reward = load_function(function, _PLACE)
    for start in range(0, len(rows), batch_size):
        batch = rows[start : start + batch_size]
        rewards = _call(reward, function, _arguments(batch, messages, target_column))
        if len(rewards) != len(batch):
            raise RecipeError(f"{_PLACE}: {function} gave {len(rewards)} rewards for {len(batch)} rows")
        for value in rewards:
            yield _grade(value, function, low, high)


def _arguments(rows: Sequence[Row], messages: bool, target_column: str) -> dict[str, Any]:
    """Metadata that a row does not have is None, as in a data set."""
    names = dict.fromkeys(name for row in rows for name in row.metadata)
    columns: dict[str, Any] = {name: [row.metadata.get(name) for row in rows] for name in names}
    columns[target_column] = [row.target or None for row in rows]
    if messages:
        columns["prompts"] = [prompt_messages(row.prompt, row.metadata) for row in rows]
        columns["completions"] = [[answer_message(row.answer, row.metadata)] for row in rows]
    else:
        columns |= {"prompts": [str(row.full_prompt) for row in rows], "completions": [row.answer for row in rows]}
    return columns | {"trainer_state": None, "log_extra": _ignore, "log_metric": _ignore}


def _ignore(*_: Any) -> None:
    """In place of TRL's functions that log."""


def _call(reward: Callable[..., Any], name: str, arguments: dict[str, Any]) -> Sequence[Any]:
    """The rewards; a function without **kwargs gets the arguments that it names."""
    parameters = inspect.signature(reward).parameters.values()
    named = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    if missing := [p.name for p in named if p.default is p.empty and p.name not in arguments]:
        columns = ", ".join(sorted(column for column in arguments if column not in _OURS)) or "none"
        raise RecipeError(f"{_PLACE}: {name} needs {', '.join(missing)}; columns of the rows: {columns}")
    if not any(p.kind is p.VAR_KEYWORD for p in parameters):
        arguments = {p.name: arguments[p.name] for p in named if p.name in arguments}
    try:
        result = reward(**arguments)
        return list(asyncio.run(result) if inspect.iscoroutine(result) else result)
    except Exception as error:
        raise RecipeError(f"{_PLACE}: {name} failed: {blame(error)}") from error


def _grade(value: Any, name: str, low: float, high: float) -> Grade:
    if value is None:
        return Grade(0.0, "the function gave no reward", grader="trl_reward", evidence="none")
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise RecipeError(f"{_PLACE}: {name} gave {value!r}, which is not a number") from error
    if math.isnan(number):
        return Grade(0.0, "the reward is not a number", grader="trl_reward", failed=True)
    if not low <= number <= high:
        bound = f"low: {number:g}" if number < low else f"high: {number:g}"
        raise RecipeError(f"{_PLACE}: {name} gave {number:g}, outside {low:g} to {high:g}; set {bound} or beyond")
    return Grade((number - low) / (high - low), f"reward {number:g}", grader="trl_reward")
