"""Changes of a recipe from the command line: `--set seed=1`, `--set real=FILE`, `--set train.sft.steps=100`."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import yaml

from selfsown.errors import RecipeError, SelfsownError, closest, suggest
from selfsown.recipe.keys import LIST_KEYS, STEP_STAGES, TRAIN_KEYS, RecipeKeys
from selfsown.recipe.loader import QUOTED
from selfsown.recipe.steps import find, methods, options
from selfsown.recipe.yaml_values import load_yaml
from selfsown.records import Json, JsonObject

KEYS = [field.name for field in fields(RecipeKeys)]
# They fit one kind of student.
OPTIMIZER_OPTIONS = {"learning_rate", "embedding_learning_rate", "weight_decay", "prompt_weight"}
HOW = "an option is set as KEY.METHOD.OPTION=value, such as train.sft.steps=100"


def apply_change(values: JsonObject, change: str, beside: Path = Path()) -> None:
    """Apply one change to the plain values of a recipe. RecipeError where it does not fit.

    beside: the folder of custom methods.
    """
    key, equals, text = change.partition("=")
    if not (key and equals):
        raise RecipeError(f"--set {change!r}: expected key=value, such as --set seed=1")
    value = _parsed(change, key, text)
    if key == "real" and text and Path(text).expanduser().exists():
        value = str(Path(text).expanduser())  # a path, whatever YAML makes of such a name
    field, dot, rest = key.partition(".")
    if field not in KEYS:
        remedy = _right_path(values, key, text, beside) or suggest(field, KEYS, "selfsown list keys")
        raise RecipeError(f"--set {change!r}: there is no key {field!r}{remedy}")
    if dot and field not in STEP_STAGES and field not in LIST_KEYS:
        raise RecipeError(f"--set {change!r}: {field} has no methods; write {field}=value, or for options: {HOW}")
    if not dot:
        _change_student(values, field, next(iter(value), "") if isinstance(value, dict) else str(value))
        values[key] = value
        return
    if _names_another_model(values, field, rest):
        model = rest.partition(".")[0]
        _change_student(values, field, model)
        values[field] = model
    if not _set_option(values, field, rest, value):
        raise RecipeError(f"--set {change!r}: {_no_such_method(values, field, rest, text, beside)}")


def _names_another_model(values: JsonObject, field: str, rest: str) -> bool:
    """Whether METHOD.OPTION is of a model that the recipe does not have in this role: another student, or a first
    teacher or judge."""
    model, dot, _ = rest.partition(".")
    before = method_name(values.get(field))
    free = field == "student" or not before
    return bool(dot and free and model != before and STEP_STAGES.get(field) == "models" and model in methods("models"))


def _change_student(values: JsonObject, field: str, method: str) -> None:
    """Where the student becomes one of another kind, its trainer has other defaults: what the recipe sets of the old
    trainer's optimizer is left out."""
    if field != "student" or method == method_name(values.get("student")):
        return
    for key in TRAIN_KEYS:
        steps = values.get(key)
        for step in steps if isinstance(steps, list) else [steps]:
            for chosen in step.values() if isinstance(step, dict) else ():
                for name in OPTIMIZER_OPTIONS & {*(chosen or ())}:
                    del chosen[name]


def _parsed(change: str, key: str, text: str) -> Any:
    """The value of the change, which is YAML."""
    if text.lstrip().startswith(("{{", "{%")):
        return text
    try:
        return load_yaml(text)
    except yaml.YAMLError as error:
        if "{{" in text:
            remedy = f"put it in quotes, a template in double quotes: {QUOTED}"
        elif any(text.count(left) > text.count(right) for left, right in ("{}", "[]")):
            remedy = f"a bracket is not closed; put the whole change in single quotes: --set '{key}={text} …'"
        else:
            quoted = text.strip('"').replace("'", "''")
            remedy = f"put the value in single quotes, within double ones: --set \"{key}='{quoted}'\""
        raise RecipeError(f"--set {change!r}: the value is not valid YAML; {remedy}") from error


def _set_option(values: JsonObject, field: str, rest: str, value: Any) -> bool:
    """Set METHOD.OPTION of a key, also of a method that is written by its name alone; whether it has that method."""
    method, _, option = rest.rpartition(".")
    before = values.get(field)
    if field == "real" and method == "file" and isinstance(before, str):
        before = {"file": {"path": before}}
    steps: list[Json] = list(before) if isinstance(before, list) else [before]
    names = [method_name(step) for step in steps]
    if not method or method not in names:
        return False
    index = names.index(method)
    step = steps[index]
    chosen = step[method] if isinstance(step, dict) else {}
    steps[index] = {method: {**(chosen or {}), option: value}}
    values[field] = steps if isinstance(before, list) else steps[0]
    return True


def _no_such_method(values: JsonObject, field: str, rest: str, text: str, beside: Path) -> str:
    """That the recipe's key has no such method, and the path that was probably meant."""
    method, _, option = rest.rpartition(".")
    before = values.get(field)
    names = [name for step in (before if isinstance(before, list) else [before]) if (name := method_name(step))]
    problem = f"{field} has no method {method!r} in this recipe" if method else f"{option!r} is no method of {field}"
    if path := _right_path(values, f"{field}.{option}", text, beside):
        return problem + path
    if near := closest(method, names) if method else "":
        return f"{problem}; did you mean {field}.{near}.{option}={text}?"
    return f"{problem}; available: {', '.join(names) or 'none'}; {HOW}"


def _right_path(values: JsonObject, key: str, text: str, beside: Path) -> str:
    """ "; did you mean train.sft.steps=3?": the recipe's options of the name that the path ends with, those of the
    path's own key if there are any."""
    field, option = key.partition(".")[0], key.rpartition(".")[2]
    paths = []
    for name in (*STEP_STAGES, *LIST_KEYS):
        before = values.get(name)
        for step in before if isinstance(before, list) else [before]:
            method = method_name(step)
            if method and option in _option_names(STEP_STAGES.get(name, name), method, beside):
                paths.append(f"{name}.{method}.{option}={text}")
    paths = [path for path in paths if path.startswith(f"{field}.")] or ([] if field in KEYS else paths)
    return f"; did you mean {' or '.join(paths)}?" if paths else ""


def method_name(step: Json) -> str:
    """Of a step as a recipe writes it; "" where it is none."""
    name = next(iter(step), "") if isinstance(step, dict) else step
    return name if isinstance(name, str) else ""


def _option_names(stage: str, method: str, beside: Path) -> list[str]:
    try:
        return [*options(stage, find(stage, method, beside))]
    except SelfsownError:  # of a method that does not exist, or whose package is not installed
        return []
