"""Whether the judge is the model that wrote the rows, so that it grades its own work."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from selfsown.recipe.recipe import SERVERS
from selfsown.records import Json

SOLVERS = (
    "self_consistency",
    "solver_gap",
    "code_roundtrip",
)  # the judge solves the task again; its opinion is not asked
ModelKey = tuple[str, ...]


def self_judging(recipe: Mapping[str, Json], inputs_of: Callable[[str], Collection[str]]) -> str:
    """The warning, without its full stop; "" where another model judges, or none.

    recipe: plain values, as in a folder's recipe.yaml. inputs_of: the inputs of the grader of this name.
    """
    trains = bool(recipe.get("student"))
    student_writes = trains and (recipe.get("generate_with") == "student" or not recipe.get("teacher"))
    writer = ("student",) if student_writes else _model_key(recipe.get("teacher"))
    if recipe.get("judge"):
        judge = _model_key(recipe["judge"])
    else:
        judge = ("student",) if trains else _model_key(recipe.get("teacher"))
    judges = {
        (*judge[:-1], name)
        for method, options in map(_method_and_options, recipe.get("grade") or [])
        if method not in SOLVERS and "judge" in inputs_of(method)
        for name in options.get("judges") or judge[-1:]
    }
    if writer not in judges:
        return ""
    role = "student" if student_writes else "teacher"
    if len(judges) > 1:
        return f"one of the judges is the {role} itself, which grades its own work"
    return f"the judge is the {role} itself, which grades its own work"


def _method_and_options(step: Any) -> tuple[str, Mapping[str, Json]]:
    """A step as a recipe writes it."""
    method, options = next(iter(step.items())) if isinstance(step, dict) and step else (step, None)
    return str(method), options or {}


def _model_key(step: Any) -> ModelKey:
    """What distinguishes a model: its server, and its name there."""
    method, options = _method_and_options(step)
    if method not in SERVERS:
        return (method, str(sorted(options.items(), key=repr)))
    url = urlsplit(str(options.get("url", method)))
    return (url.netloc.lower() + url.path.rstrip("/"), str(options.get("model")))


def grader_inputs(folder: Path, method: str) -> list[str]:
    """The inputs of a grader, read from its file without running it. folder: where custom methods are."""
    try:
        module = method if "." in method else f"selfsown.grade.{method}"
        spec = None if method.endswith(".py") else importlib.util.find_spec(module)
        path = Path(spec.origin) if spec and spec.origin else folder / method
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (ImportError, OSError, SyntaxError, ValueError):
        return []
    functions = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "grade")
    return [argument.arg for node in functions for argument in (*node.args.posonlyargs, *node.args.args)]
