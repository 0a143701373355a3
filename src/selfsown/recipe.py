"""The whole run on one page: a dataclass, its fields in the order in which the data meets them.

A YAML file is the same thing written down: `Recipe.load(file) == Recipe(...)`, and `dump` reverses it.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from importlib import resources
from pathlib import Path
from typing import Any, Literal, get_type_hints

import yaml

from selfsown.records import SelfsownError
from selfsown.steps import Step, fitted, step, ways

STEP_FIELDS = {"real": "tasks", "student": "models", "teacher": "models", "judge": "models", "base": "train"}
STEP_FIELDS |= {"mix": "mix", "train": "train"}
LIST_FIELDS = ("generate", "grade", "curate", "evaluate", "guard")


@dataclass(frozen=True)
class Recipe:
    """real: the source of real rows; held_out: how many are set aside to measure on (below 1: a share).

    teacher and judge: other models, where the student shall not be its own. base: the training of
    generation 0, on real rows alone. start: what each generation's training starts from. goal: the score
    that the run is about. level: the hardest level that generation 1 writes (0: the top); the next is
    opened when accuracy at it reaches mastery. patience: rolled-back generations in a row that end the run.
    """

    real: Step
    student: Step
    generate: tuple[Step, ...]
    grade: tuple[Step, ...]
    curate: tuple[Step, ...]
    mix: Step
    train: Step
    evaluate: tuple[Step, ...]
    guard: tuple[Step, ...]
    goal: str
    name: str = "recipe"
    about: str = ""
    seed: int = 0
    held_out: int | float = 0.1
    teacher: Step | None = None
    judge: Step | None = None
    base: Step | None = None
    start: Literal["last", "base"] = "last"
    generations: int = 6
    level: int = 0
    mastery: float = 0.9
    patience: int = 2

    @classmethod
    def load(cls, source: str | Path, changes: Sequence[str] = ()) -> Recipe:
        """From a YAML file or the name of a ready recipe; changes are "key=value", as of `--set`."""
        path, text = _read(source)
        tree = _tree(path, text)
        for change in changes:
            _change(tree, change)
        try:
            return cls.of({"name": path.stem, **tree}, path.parent)
        except SelfsownError as error:
            raise SelfsownError(f"{path.name}: {error}") from error

    @classmethod
    def of(cls, tree: Mapping[str, Any], beside: Path = Path()) -> Recipe:
        """From plain values, as YAML gives them; ways of the user's own lie in the folder `beside`."""
        there = {field.name: field for field in fields(cls)}
        hints = get_type_hints(cls)
        found: dict[str, Any] = {}
        for key, value in tree.items():
            if key not in there:
                close = difflib.get_close_matches(str(key), there, 1)
                hint = f"; did you mean {close[0]!r}?" if close else ";"
                raise SelfsownError(f"there is no key {key!r}{hint} there is: {', '.join(there)}")
            if key in STEP_FIELDS:
                found[key] = None if value is None else _one(key, value, beside)
            elif key in LIST_FIELDS:
                listed = value if isinstance(value, list) else [value]
                found[key] = tuple(_one(key, each, beside) for each in listed if each is not None)
            else:
                found[key] = fitted(key, value, hints[key])
        needed = [
            name for name in ("real", "student", "generate", "mix", "train", "evaluate", "goal") if not found.get(name)
        ]
        if needed:
            raise SelfsownError(f"{needed[0]} is missing{_say_how(needed[0])}")
        recipe = cls(**{"grade": (), "curate": (), "guard": (), **found})
        recipe._fits()
        return recipe

    def dump(self) -> dict[str, Any]:
        """Plain values that `of` reads back."""
        found: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Step):
                value = value.dump()
            elif isinstance(value, tuple):
                value = [each.dump() for each in value]
            if value is not None:
                found[field.name] = _plain(value)
        return found

    def steps(self) -> list[Step]:
        """Every step, in the order of the loop."""
        named = [self.real, self.student, self.teacher, self.judge, *self.generate, *self.grade, *self.curate]
        named += [self.mix, self.base, self.train, *self.evaluate, *self.guard]
        return [each for each in named if each]

    def _fits(self) -> None:
        """What two keys must agree on."""
        world = self.real()
        if not world.verifiable and any(each.way == "verify" for each in self.grade):
            raise SelfsownError(
                f"grade.verify needs a world that checks answers; {world.name} has none: take vote, exact or rules"
            )
        if not world.forms and any(each.way == "restate" for each in self.curate):
            raise SelfsownError(
                f"curate.restate needs a world that asks in several ways; {world.name} does not: leave it out"
            )
        if self.level > world.top_level:
            raise SelfsownError(f"level is {self.level}, but the hardest level of {world.name} is {world.top_level}")
        for key, least in (("generations", 0), ("patience", 1)):
            if getattr(self, key) < least:
                raise SelfsownError(f"{key} is {getattr(self, key)}; it must be {least} or more")
        if self.held_out <= 0:
            raise SelfsownError(
                f"held_out is {self.held_out}; rows must be set aside to measure on: a number, or a share below 1"
            )


def ready() -> dict[str, str]:
    """The recipes that we ship, by name, with their text."""
    folder = resources.files("selfsown.recipes")
    return {f.name[:-5]: f.read_text(encoding="utf-8") for f in folder.iterdir() if f.name.endswith(".yaml")}


def _read(source: str | Path) -> tuple[Path, str]:
    path = Path(source)
    if path.suffix not in (".yaml", ".yml"):
        if str(source) in (shipped := ready()):
            return Path(f"{source}.yaml"), shipped[str(source)]
        listed = ", ".join(sorted(shipped))
        raise SelfsownError(f"there is no recipe {str(source)!r}; ready ones are: {listed}; or name your own file.yaml")
    try:
        return path, path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise SelfsownError(f"there is no recipe file {path}; ready ones are: {', '.join(sorted(ready()))}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SelfsownError(f"{path} cannot be read: {error}; a recipe is YAML in UTF-8") from error


def _tree(path: Path, text: str) -> dict[str, Any]:
    """The plain values; a key given twice is an error, where YAML itself would take the last."""
    try:
        _no_twice(yaml.compose(text), path)
        tree = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path.name}:{mark.line + 1}" if mark else path.name
        raise SelfsownError(f"{place} is not YAML: {getattr(error, 'problem', error)}") from error
    if not isinstance(tree, dict):
        raise SelfsownError(f"{path.name} holds no recipe; it must be keys with values, such as 'real: programs'")
    return tree


def _no_twice(node: yaml.Node | None, path: Path) -> None:
    seen: set[str] = set()
    for child in node.value if isinstance(node, yaml.CollectionNode) else ():
        for part in child if isinstance(child, tuple) else (child,):
            _no_twice(part, path)
        if isinstance(child, tuple):
            if child[0].value in seen:
                line = child[0].start_mark.line + 1
                raise SelfsownError(f"{path.name}:{line} gives the key {child[0].value!r} a second time; keep one")
            seen.add(child[0].value)


def _change(tree: dict[str, Any], change: str) -> None:
    """Set "train.tiny.steps=100" in the tree, opening up steps that stand there by name alone."""
    key, equals, written = change.partition("=")
    if not (key and equals):
        raise SelfsownError(f"--set {change!r} is not of the form key=value, such as --set seed=1")
    value = yaml.safe_load(written)
    parts = key.split(".")
    if len(parts) == 1:
        tree[key] = value
        return
    field, way, *knob = parts
    if len(knob) != 1 or field not in (*STEP_FIELDS, *LIST_FIELDS):
        raise SelfsownError(f"--set {change!r}: a knob is field.way.knob=value, such as train.tiny.steps=100")
    before = tree.get(field)
    listed: list[Any] = list(before) if isinstance(before, list) else [before]
    names = [next(iter(each)) if isinstance(each, dict) else each for each in listed]
    if way not in names:
        raise SelfsownError(f"--set {change!r}: {field} has no {way!r}; it has: {', '.join(map(str, names))}")
    at = names.index(way)
    knobs = listed[at][way] if isinstance(listed[at], dict) else {}
    listed[at] = {way: {**(knobs or {}), knob[0]: value}}
    tree[field] = listed if field in LIST_FIELDS else listed[0]


def _one(key: str, value: Any, beside: Path) -> Step:
    """A step written as `way` or as `way: {knob: value}`; real rows may be named by their file alone."""
    verb = STEP_FIELDS.get(key, key)
    if isinstance(value, dict) and len(value) == 1:
        ((way, knobs),) = value.items()
    elif isinstance(value, str):
        way, knobs = value, {}
    else:
        raise SelfsownError(f"{key} is {value!r}; write the name of a way, or 'way: {{knob: value}}'")
    if not isinstance(knobs or {}, dict):
        raise SelfsownError(f"{key}.{way} is {knobs!r}; its knobs are written as {{knob: value}}")
    if verb == "tasks" and not way.endswith(".py") and way not in ways("tasks"):
        if not Path(way).suffix and not Path(way).exists():
            listed = ", ".join(each for each in ways("tasks") if each != "file")
            raise SelfsownError(
                f"real: there is no world and no file {way!r}; worlds: {listed}; or name a file of rows"
            )
        way, knobs = "file", {"path": way, **(knobs or {})}
    return step(verb, way, knobs, beside)


def _say_how(key: str) -> str:
    return (
        ": name the file of real rows with --set real=FILE"
        if key == "real"
        else "; see `selfsown list` for what there is"
    )


def _plain(value: Any) -> Any:
    """Tuples as lists, all the way down."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value
