"""A recipe: what a user writes for a run, as a dataclass, as YAML and back.

`Recipe.load(file) == Recipe(...)`, and `dump` reverses `of`. The keys are documented in `recipe/keys.py`.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, get_type_hints

from selfsown.errors import RecipeError, SelfsownError, suggest
from selfsown.recipe import loader, requirements
from selfsown.recipe.changes import apply_change
from selfsown.recipe.columns import complete_real
from selfsown.recipe.keys import LIST_KEYS, NO_STEP, STEP_STAGES, TRAIN_KEYS, RecipeKeys
from selfsown.recipe.steps import Step, methods, step
from selfsown.recipe.values import validated
from selfsown.records import Json, JsonObject

SERVERS = ("anthropic", "endpoint")  # models behind a server
TRAINING_KEYS = ("student", "mix", "train", "evaluate", "goal")  # a recipe that trains needs them all
KEYS_OF_TRAINING = {  # they mean nothing where nothing is trained
    *("max_train_rows", "generate_with", "init_from", "generations", "train", "evaluate", "goal"),
    *("level_up_accuracy", "rollback", "guard", "patience", "control"),
}


@dataclass(frozen=True)
class Recipe(RecipeKeys):
    """Everything that a run needs, read from plain values or a file.

    arguments: what follows `selfsown run` or another command to name this recipe again: its source, and each change.
    """

    arguments: tuple[str, ...] = field(default=(), compare=False, kw_only=True)

    @classmethod
    def load(cls, source: str | Path, changes: Sequence[str] = ()) -> Recipe:
        """From a YAML file, or a shipped recipe by its name.

        changes: "key=value", as of `--set`. Raises RecipeError where the file or a change does not fit.
        """
        path, text = loader.read_source(source)
        values = loader.parse_yaml(path, text)
        for change in changes:
            apply_change(values, change, path.parent)
        try:
            recipe = cls.of({"name": path.stem, **values}, path.parent)
        except SelfsownError as error:
            raise type(error)(f"{path.name}: {error}", code=error.code) from error
        return replace(recipe, arguments=(str(source), *(word for change in changes for word in ("--set", change))))

    @classmethod
    def of(cls, tree: Mapping[str, Json], beside: Path = Path()) -> Recipe:
        """From plain values, as YAML has them; a function may stand for a method.

        beside: the folder of custom methods. Raises RecipeError where a key, method or option does not fit.
        """
        values = check_values(tree, beside)
        if missing := _missing_key(values, tree):
            raise RecipeError(f"{missing} is missing{_how_to_set(missing)}")
        values["real"] = complete_real(values["real"], values["generate"], values.get("grade", ()))
        defaults: JsonObject = {} if values.get("student") else {"held_out": 0}
        recipe = cls(**defaults | values)
        requirements.check(recipe)
        return recipe

    def command(self, name: str, *words: str) -> str:
        """A command on this recipe, as it is typed in a shell."""
        return shlex.join(["selfsown", name, *(self.arguments[:1] or (self.name,)), *words, *self.arguments[1:]])

    def dump(self) -> JsonObject:
        """Plain values, from which `of` makes the same recipe."""
        values: JsonObject = {}
        for key in fields(RecipeKeys):
            value = getattr(self, key.name)
            if isinstance(value, Step):
                value = value.dump() if value != NO_STEP else None
            elif isinstance(value, tuple):
                value = [step.dump() for step in value]
            if value is not None and (self.trains or key.name not in KEYS_OF_TRAINING):
                values[key.name] = _with_lists(value)
        return values


def check_values(tree: Mapping[str, Json], beside: Path) -> JsonObject:
    """The value of each key; RecipeError where a key, method or option does not fit."""
    names = [key.name for key in fields(RecipeKeys)]
    types = get_type_hints(RecipeKeys, include_extras=True)
    values: JsonObject = {}
    for key, value in sorted(tree.items(), key=lambda item: item[0] != "student"):  # it has its own objectives
        objectives = student.objectives if (student := values.get("student")) and key in TRAIN_KEYS else ""
        if key not in names:
            raise RecipeError(f"there is no key {key!r}{suggest(str(key), names, 'selfsown list keys')}")
        if key in STEP_STAGES:
            values[key] = None if value is None else _parse_step(key, value, beside, objectives)
        elif key in LIST_KEYS:
            items = value if isinstance(value, list | tuple) else [value]
            values[key] = tuple(_parse_step(key, item, beside, objectives) for item in items if item is not None)
        else:
            values[key] = validated(key, value, types[key])
    return values


def _missing_key(values: Mapping[str, Json], tree: Mapping[str, Json]) -> str:
    """The first key that the recipe must have and does not; "" where none is missing."""
    if not values.get("real"):
        return "real"
    missing = [name for name in TRAINING_KEYS if not values.get(name)]
    if missing and len(missing) < len(TRAINING_KEYS):  # without any of them it only makes rows
        return missing[0]
    return "generate" if tree.get("generate") is None else ""  # an empty list is a choice: real rows alone


def _parse_step(key: str, value: Any, beside: Path, objectives: str) -> Step:
    """A step, written as METHOD or as METHOD: {OPTION: value}; the file of real rows may stand for its task."""
    stage = STEP_STAGES.get(key, key)
    if isinstance(value, dict) and len(value) == 1:
        ((method, options),) = value.items()
    elif isinstance(value, str) or callable(value):
        method, options = value, {}
    else:
        raise RecipeError(f"{key} is {value!r}; it must be the name of a method, or METHOD: {{OPTION: value}}")
    if not isinstance(options or {}, dict):
        raise RecipeError(f"{key}.{method} is {options!r}; its options must be written as {{OPTION: value}}")
    if stage == "tasks" and isinstance(method, str):
        method, options = _parse_task(method, options or {}, beside)
    return step(stage, method, options, beside, key, objectives)


def _parse_task(method: str, options: Mapping[str, Json], beside: Path) -> tuple[str, Mapping[str, Json]]:
    """A task and its options: `real: FILE` means the task `file`, and a path is looked for beside the recipe."""
    if not method.endswith(".py") and method not in methods("tasks"):
        if not (Path(method).suffix or Path(method).exists() or (beside / method).exists()):
            tasks = [name for name in methods("tasks") if name != "file"]
            raise RecipeError(
                f"real: there is no task and no file {method!r}{suggest(method, tasks)}; or a file of rows"
            )
        method, options = "file", {"path": method, **options}
    path = options.get("path")
    if isinstance(path, str) and (beside / path).exists():
        options = {**options, "path": str(beside / path)}
    return method, options


def _how_to_set(key: str) -> str:
    if key == "real":
        return ": name the file of real rows with --set real=FILE"
    return "; `selfsown list` shows what is available"


def _with_lists(value: Any) -> Any:
    """The value with lists in place of tuples, at every depth."""
    if isinstance(value, dict):
        return {key: _with_lists(item) for key, item in value.items()}
    return [_with_lists(item) for item in value] if isinstance(value, list | tuple) else value


# The value of a key that a recipe leaves out.
DEFAULTS = {
    key.name: None if key.default is NO_STEP else _with_lists(key.default)
    for key in fields(RecipeKeys)
    if key.name != "real"
}
