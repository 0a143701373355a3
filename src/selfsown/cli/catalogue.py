"""Everything a recipe may name: the ready recipes and each way of each verb, with its knobs."""

from __future__ import annotations

import ast
import importlib.util
import inspect

from selfsown.recipe.inputs import STAGES
from selfsown.recipe.loader import shipped_recipes
from selfsown.recipe.steps import find, methods, options
from selfsown.records import SelfsownError

_TITLES = {"tasks": "real", "models": "student, teacher, judge"}


def catalogue() -> str:
    """One line for each recipe and each way, in the loop's order."""
    lines = ["ready recipes (selfsown run NAME)"]
    lines += [f"  {name:<16}{_about(text)}" for name, text in sorted(shipped_recipes().items())]
    for verb in STAGES:
        lines += ["", _TITLES.get(verb, verb)]
        lines += [f"  {way:<15} {_sentence(verb, way)}  ({_knobs(verb, way) or 'no knobs'})" for way in methods(verb)]
    return "\n".join(lines)


def _about(text: str) -> str:
    return next(line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("about:"))


def _sentence(verb: str, way: str) -> str:
    """The sentence that opens the way's file, read without importing what it needs."""
    spec = importlib.util.find_spec(f"selfsown.{verb}.{way}")
    if not spec or not spec.origin:
        return ""
    with open(spec.origin, encoding="utf-8") as file:
        said = ast.get_docstring(ast.parse(file.read())) or ""
    return " ".join(said.split("\n\n")[0].split())


def _knobs(verb: str, way: str) -> str:
    try:
        function = find(verb, way)
    except SelfsownError as error:
        return str(error)
    given = options(verb, function).items()
    empty = inspect.Parameter.empty
    return ", ".join(name if knob.default is empty else f"{name}={knob.default!r}" for name, knob in given)
