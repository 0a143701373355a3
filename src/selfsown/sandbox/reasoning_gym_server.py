"""The package reasoning-gym in a process of its own: problems by their number, and scores of answers to them.

A problem is rebuilt from its seed and index wherever it is scored, so rows need not carry it. The process has a fixed
hash seed, because some generators iterate over sets: the same index gives the same problem in every run.

An answer is a model's, and some scorers of the package evaluate it as Python (`eval`, sympy's `parse_expr`). Here they
parse literals, or expressions of numbers, single letters and usual functions, and every score is computed in a fork
with limits on time and memory.
"""

from __future__ import annotations

import ast
import importlib
import json
import random
import re
from functools import lru_cache
from typing import Any

from selfsown.sandbox import limited_score
from selfsown.sandbox.expressions import is_expression

BLOCK = 10_000  # problems of one seed

# Scorers that evaluate a list in Python's notation, and scorers that evaluate an expression.
_EVALUATES_LISTS = ("string_insertion", "spiral_matrix", "binary_matrix", "n_queens")
_EVALUATES_EXPRESSIONS = (
    "countdown",
    "puzzle24",
    "polynomial_multiplication",
    "simple_integration",
    "intermediate_integration",
)
# Scorers that read the first of several answers: the parts of which an answer has no more than the package's own.
_PARTS = {
    "fraction_simplification": re.compile(r"\d+"),
    "time_intervals": re.compile(r"\d+(?:\.\d+)?"),
    "letter_jumble": re.compile(r"\S+"),
}
_MOVES = {"sokoban": re.compile(r"[UDLR\s,;.>-]*")}  # it passes over other letters
_ACCEPTS_ANY = ("game_of_life_halting",)  # its scorer takes every text for "True"; here the text is compared


def serve() -> None:
    """The work of the process."""
    _disarm()
    limited_score.serve(_reply)


def _reply(request: dict[str, Any]) -> Any:
    problem = tuple(request.get(name, "") for name in ("task", "level", "config", "seed"))
    if request["do"] == "describe":
        return _describe()
    if request["do"] == "pose":
        start, stop = request["start"], min(request["start"] + request["count"], BLOCK)
        entries = [_entry(problem, index) for index in range(start, stop)]
        return [[entry["question"], _text(entry["answer"])] for entry in entries]
    entry = _entry(problem, request["index"])
    if entry["question"] != request["question"]:
        return {"error": "another version of the package poses another problem under this number"}
    return {**_score(problem, entry, request["answer"]), "known": _text(entry["answer"])}


def _describe() -> dict[str, Any]:
    """For each task, its number of levels and what its configuration may set; and the package's system prompts."""
    from dataclasses import fields

    from reasoning_gym.factory import DATASETS
    from reasoning_gym.utils import SYSTEM_PROMPTS

    names = sorted(name for name in DATASETS if name != "composite")  # a mixture: name several tasks instead
    tasks = {name: {"levels": _levels(name), "config": [f.name for f in fields(DATASETS[name][1])]} for name in names}
    return {"tasks": tasks, "system_prompts": dict(SYSTEM_PROMPTS)}


def _levels(task: str) -> int:
    from reasoning_gym.factory import create_curriculum, has_curriculum

    attributes = create_curriculum(task).attributes if has_curriculum(task) else {}
    return max((len(attribute.levels) for attribute in attributes.values()), default=0)


@lru_cache(maxsize=256)
def _dataset(task: str, level: int, config: str, seed: int) -> Any:
    """level 0: the package's defaults; else this level of each attribute of the curriculum, or its hardest."""
    from reasoning_gym.coaching.base_curriculum import DefaultCurriculumContext, RangeAttributeMode
    from reasoning_gym.factory import DATASETS, create_curriculum

    chosen = {**json.loads(config or "{}"), "seed": seed, "size": BLOCK}
    dataset, configuration = DATASETS[task]
    if level:
        curriculum = create_curriculum(task)
        curriculum.set_global_level(level - 1)
        context = DefaultCurriculumContext(RangeAttributeMode.UPPER_BOUND)
        return dataset(curriculum.generate_configuration(chosen, context))
    return dataset(configuration(**chosen))


@lru_cache(maxsize=4096)
def _entry(problem: tuple[Any, ...], index: int) -> dict[str, Any]:
    import numpy as np

    random.seed(index)  # for generators that use the shared one
    np.random.seed(index % 2**32)
    entry: dict[str, Any] = _dataset(*problem)[index]
    return entry


def _text(answer: Any) -> str:
    return "" if answer is None else str(answer)


def _score(problem: tuple[Any, ...], entry: dict[str, Any], answer: str) -> dict[str, Any]:
    """The package's score of the answer, from 0 to 1, and why it is 0 where the answer could not be scored."""
    if problem[0] in _EVALUATES_EXPRESSIONS and not is_expression(answer):
        return {"score": 0.0, "reason": "the answer is not an expression of numbers and symbols"}
    if problem[0] == "puzzle24" and _numbers(answer) != sorted(map(int, entry["metadata"]["numbers"])):
        return {"score": 0.0, "reason": "the answer does not use the numbers of the prompt"}  # the package takes any
    if problem[0] in _ACCEPTS_ANY:
        return {"score": float(answer.casefold() == _text(entry["answer"]).casefold()), "reason": ""}
    if _holds_more(problem[0], answer, _text(entry["answer"])):
        return {"score": 0.0, "reason": "the answer holds more than one answer"}
    dataset = _dataset(*problem)
    return limited_score.limited_score(lambda: dataset.score_answer(answer, entry))


def _holds_more(task: str, answer: str, known: str) -> bool:
    """Whether the scorer would read a part of the answer, and pass over what else is in it."""
    if task in _MOVES:
        return not _MOVES[task].fullmatch(answer)
    parts = _PARTS.get(task)
    return parts is not None and len(parts.findall(answer)) > len(parts.findall(known))


def _numbers(text: str) -> list[int]:
    return sorted(int(number) for number in re.findall(r"[0-9]{1,9}", text))


def _disarm() -> None:
    """Let scorers that evaluate a list parse it instead: their module's own `eval` hides Python's."""
    from reasoning_gym.factory import DATASETS

    for name in _EVALUATES_LISTS:
        if name in DATASETS:
            module = importlib.import_module(DATASETS[name][0].__module__)
            module.eval = ast.literal_eval  # type: ignore[attr-defined]
