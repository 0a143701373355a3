"""Whether the judge is the model that wrote the rows: then it marks its own work, which is to be said."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

SOLVERS = (
    "self_consistency",
    "solver_gap",
    "code_roundtrip",
)  # graders that have the judge do the work again, and do not go by its opinion
Model = tuple[str, ...]


def self_judging(recipe: Mapping[str, Any], takes: Callable[[str], Collection[str]]) -> str:
    """In a sentence without its end; "" where another model judges, or none.

    recipe: plain values, as in a folder's recipe.yaml. takes: what a grader of this name takes.
    """
    trains = bool(recipe.get("student"))
    of_student = trains and (recipe.get("generate_with") == "student" or not recipe.get("teacher"))
    writer = ("student",) if of_student else _model(recipe.get("teacher"))
    if recipe.get("judge"):
        judge = _model(recipe["judge"])
    else:
        judge = ("student",) if trains else _model(recipe.get("teacher"))
    steps = [_step(each) for each in recipe.get("grade") or []]
    judges = {
        (*judge[:-1], name)
        for way, knobs in steps
        if way not in SOLVERS and "judge" in takes(way)
        for name in knobs.get("judges") or judge[-1:]
    }
    if writer not in judges:
        return ""
    who = "student" if of_student else "teacher"
    if len(judges) > 1:
        return f"one of the judges is the {who} itself: it marks its own work"
    return f"the judge is the {who} itself: it marks its own work"


def _step(step: Any) -> tuple[str, Mapping[str, Any]]:
    """A way and its knobs, as a recipe writes them."""
    way, knobs = next(iter(step.items())) if isinstance(step, dict) and step else (step, None)
    return str(way), knobs or {}


def _model(step: Any) -> Model:
    """What tells a model from others: where it is, and its name there."""
    way, knobs = _step(step)
    if way not in ("endpoint", "anthropic"):
        return (way, str(sorted(knobs.items(), key=repr)))
    found = urlsplit(str(knobs.get("url", way)))
    return (found.netloc.lower() + found.path.rstrip("/"), str(knobs.get("model")))


def grader_inputs(folder: Path, way: str) -> list[str]:
    """What a grader takes, read from its file, which is not run. folder: where ways of the user's own lie."""
    try:
        spec = None if way.endswith(".py") else importlib.util.find_spec(way if "." in way else f"selfsown.grade.{way}")
        path = Path(spec.origin) if spec and spec.origin else folder / way
        parsed = ast.parse(path.read_text(encoding="utf-8"))
    except (ImportError, OSError, SyntaxError, ValueError):
        return []
    defined = (node for node in parsed.body if isinstance(node, ast.FunctionDef) and node.name == "grade")
    return [each.arg for node in defined for each in (*node.args.posonlyargs, *node.args.args)]
