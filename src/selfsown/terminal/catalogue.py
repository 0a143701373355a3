"""Everything that a recipe may name, as text: shipped recipes, and the methods of each stage with their options."""

from __future__ import annotations

import ast
import importlib.util
import inspect

from selfsown.errors import SelfsownError
from selfsown.recipe.inputs import STAGES
from selfsown.recipe.loader import shipped_recipes
from selfsown.recipe.steps import find, methods, options

RECIPE_KEYS = {"tasks": "real", "models": "student, teacher, judge"}  # where a folder and the recipe's keys differ


def catalogue() -> str:
    """One line for each recipe and each method, in the loop's order."""
    lines = ["shipped recipes (selfsown run NAME)"]
    lines += [f"  {name:<16}{_description(text)}" for name, text in sorted(shipped_recipes().items())]
    for stage in STAGES:
        lines += ["", RECIPE_KEYS.get(stage, stage)]
        for method in methods(stage):
            listed = _options(stage, method) or "no options"
            lines.append(f"  {method:<15} {_first_sentence(stage, method)}  ({listed})")
    return "\n".join(lines)


def _description(text: str) -> str:
    key = "description:"
    return next(line.removeprefix(key).strip() for line in text.splitlines() if line.startswith(key))


def _first_sentence(stage: str, method: str) -> str:
    """The first paragraph of the method's file, read without importing it or what it needs."""
    spec = importlib.util.find_spec(f"selfsown.{stage}.{method}")
    if not spec or not spec.origin:
        return ""
    with open(spec.origin, encoding="utf-8") as file:
        docstring = ast.get_docstring(ast.parse(file.read())) or ""
    return " ".join(docstring.split("\n\n")[0].split())


def _options(stage: str, method: str) -> str:
    """The options with their defaults, or why the method cannot be imported here."""
    try:
        function = find(stage, method)
    except SelfsownError as error:
        return str(error)
    empty = inspect.Parameter.empty
    return ", ".join(
        name if option.default is empty else f"{name}={option.default!r}"
        for name, option in options(stage, function).items()
    )
