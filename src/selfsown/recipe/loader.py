"""A recipe as it is written: YAML text and `--set` changes, read into plain values."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from selfsown.records import SelfsownError


def shipped_recipes() -> dict[str, str]:
    """The recipes that we ship, by name, with their text."""
    folder = resources.files("selfsown.recipes")
    return {f.name[:-5]: f.read_text(encoding="utf-8") for f in folder.iterdir() if f.name.endswith(".yaml")}


def read_source(source: str | Path) -> tuple[Path, str]:
    """The path and the text of a recipe file, or of a ready recipe by its name."""
    path = Path(source)
    listed = ", ".join(sorted(shipped_recipes()))
    if path.suffix not in (".yaml", ".yml"):
        if str(source) in shipped_recipes():
            return Path(f"{source}.yaml"), shipped_recipes()[str(source)]
        raise SelfsownError(f"there is no recipe {str(source)!r}; ready ones are: {listed}; or name your own file.yaml")
    try:
        return path, path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise SelfsownError(f"there is no recipe file {path}; ready ones are: {listed}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SelfsownError(f"{path} cannot be read: {error}; a recipe is YAML in UTF-8") from error


def parse_yaml(path: Path, text: str) -> dict[str, Any]:
    """The plain values of a YAML text; a key given twice is an error, where YAML itself would take the last."""
    try:
        _no_twice(yaml.compose(text), path)
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path.name}:{mark.line + 1}" if mark else path.name
        raise SelfsownError(f"{place} is not YAML: {getattr(error, 'problem', error)}; mend that line") from error
    if not isinstance(found, dict):
        raise SelfsownError(f"{path.name} holds no recipe; it must be keys with values, such as 'real: programs'")
    return found


def _no_twice(node: yaml.Node | None, path: Path) -> None:
    seen: set[str] = set()
    for child in node.value if isinstance(node, yaml.CollectionNode) else ():
        for part in child if isinstance(child, tuple) else (child,):
            _no_twice(part, path)
        key = child[0] if isinstance(child, tuple) else None
        if isinstance(key, yaml.ScalarNode):
            if key.value in seen:
                line = key.start_mark.line + 1
                raise SelfsownError(f"{path.name}:{line} gives the key {key.value!r} a second time; keep one")
            seen.add(key.value)


def apply_change(values: dict[str, Any], wish: str) -> None:
    """Set "seed=1", "real=FILE" or "train.sft.steps=100" in the values, opening up a way that stands by name alone."""
    key, equals, written = wish.partition("=")
    if not (key and equals):
        raise SelfsownError(f"--set {wish!r} is not of the form key=value, such as --set seed=1")
    try:
        value = yaml.safe_load(written)
    except yaml.YAMLError as error:
        raise SelfsownError(f"--set {wish!r}: {written!r} is not YAML; put it in quotes") from error
    if key == "real" and written and Path(written).expanduser().exists():
        value = str(Path(written).expanduser())  # whatever YAML would make of such a name
    if "." not in key:
        values[key] = value
        return
    field, _, rest = key.partition(".")
    way, _, knob = rest.rpartition(".")
    before = values.get(field)
    listed: list[Any] = list(before) if isinstance(before, list) else [before]
    if field == "real" and way == "file" and isinstance(before, str):
        listed = [{"file": {"path": before}}]
    names = [next(iter(each), None) if isinstance(each, dict) else each for each in listed]
    if not way or way not in names:
        there = ", ".join(str(name) for name in names if isinstance(name, str)) or "nothing"
        like = "a knob is field.way.knob=value, such as train.sft.steps=100"
        raise SelfsownError(f"--set {wish!r}: {field} has no {way!r}, it has: {there}; {like}")
    at = names.index(way)
    knobs = listed[at][way] if isinstance(listed[at], dict) else {}
    listed[at] = {way: {**(knobs or {}), knob: value}}
    values[field] = listed if isinstance(before, list) else listed[0]
