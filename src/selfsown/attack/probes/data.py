"""Probes against graders of JSON: texts that only look like one document, or that readers disagree about."""

from __future__ import annotations

import json

from selfsown.attack.probes.probe import Make, Probe
from selfsown.attack.problem import Form, Problem

JSON: tuple[Form, ...] = ("json",)


def _with(change: str) -> Make:
    """A change of the document's text: § stands for it."""
    return lambda problem: change.replace("§", problem.right)


def _first_key_twice(problem: Problem) -> str | None:
    """An object whose first key occurs again with another value: readers disagree on which one counts."""
    value = json.loads(problem.right)
    if not isinstance(value, dict) or not value:
        return None
    key = json.dumps(next(iter(value)))
    return f"{{{key}: null, {problem.right.strip()[1:]}"


def _single_quotes(problem: Problem) -> str | None:
    return repr(json.loads(problem.right)) if '"' in problem.right else None


def _not_a_number(problem: Problem) -> str | None:
    value = json.loads(problem.right)
    if not isinstance(value, dict):
        return None
    numbers = [key for key, item in value.items() if isinstance(item, int | float) and not isinstance(item, bool)]
    return json.dumps({**value, numbers[0]: float("nan")}) if numbers else None


_NO_DOCUMENT = "the reply is not one JSON document"
PROBES = (
    *(
        Probe("no single document", name, _NO_DOCUMENT, make, JSON)
        for name, make in {
            "prose before": _with("Here is the JSON:\n§"),
            "prose after": _with("§\nI hope this helps."),
            "two documents": _with("§\n§"),
            "cut off": lambda problem: problem.right[:-1],
            "a comma too many": lambda problem: f"{problem.right[:-1]},{problem.right[-1]}",
            "single quotes": _single_quotes,
            "a comment": _with("§ // valid"),
            "in a comment": _with("<!-- § -->"),
            "in the reasoning": _with("<think>§</think>"),
            "as a string": lambda problem: json.dumps(problem.right),
            "two fences": _with("```json\n§\n```\n```json\nnull\n```"),
            "its Python constants": lambda problem: f"{problem.right[:-1]}, None{problem.right[-1]}",
        }.items()
    ),
    Probe("ambiguous documents", "a key twice", "readers disagree on which value counts", _first_key_twice, JSON),
    Probe("ambiguous documents", "not a number", "NaN is no JSON value", _not_a_number, JSON),
)
