"""A recipe as it is written: YAML text and `--set` changes, read into plain values."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from selfsown.errors import RecipeError, suggest
from selfsown.records import Json, JsonObject

QUOTED = 'prompt: "{{ subject }}"'  # how YAML holds a template


def shipped_recipes() -> dict[str, str]:
    """The text of every shipped recipe, by name."""
    folder = resources.files("selfsown.recipes")
    return {f.name[:-5]: f.read_text(encoding="utf-8") for f in folder.iterdir() if f.name.endswith(".yaml")}


def read_source(source: str | Path) -> tuple[Path, str]:
    """The path and the text of a recipe file, or of a shipped recipe by its name. RecipeError where there is none."""
    path = Path(source)
    if path.suffix not in (".yaml", ".yml"):
        shipped = shipped_recipes()
        if str(source) in shipped:
            return Path(f"{source}.yaml"), shipped[str(source)]
        raise RecipeError(f"there is no recipe {str(source)!r}{suggest(str(source), shipped)}; or a FILE.yaml")
    try:
        return path, path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise RecipeError(f"there is no recipe file {path}{suggest(path.stem, shipped_recipes())}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path} cannot be read: {error}; a recipe is YAML in UTF-8") from error


def parse_yaml(path: Path, text: str) -> JsonObject:
    """The plain values of a YAML text. RecipeError where it is no mapping, or gives a key twice."""
    try:
        _refuse_duplicate_keys(yaml.compose(text), path)
        tree = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path.name}:{mark.line + 1}" if mark else path.name
        raise RecipeError(
            f"{place} is not valid YAML: {getattr(error, 'problem', error)}; correct that line"
            + (f", and quote a template: {QUOTED}" if "{{" in text else "")
        ) from error
    if not isinstance(tree, dict):
        raise RecipeError(
            f"{path.name} holds no recipe; it must be a mapping of keys to values, such as 'real: programs'"
        )
    return tree


def _refuse_duplicate_keys(node: yaml.Node | None, path: Path) -> None:
    """YAML itself would silently take the last value of a key that is given twice."""
    seen: set[str] = set()
    for child in node.value if isinstance(node, yaml.CollectionNode) else ():
        for part in child if isinstance(child, tuple) else (child,):
            _refuse_duplicate_keys(part, path)
        key = child[0] if isinstance(child, tuple) else None
        if isinstance(key, yaml.ScalarNode):
            if key.value in seen:
                line = key.start_mark.line + 1
                raise RecipeError(f"{path.name}:{line} gives the key {key.value!r} a second time; keep one")
            seen.add(key.value)


def apply_change(values: JsonObject, change: str) -> None:
    """Apply "seed=1", "real=FILE" or "train.sft.steps=100" to the values. RecipeError where it does not fit."""
    key, equals, text = change.partition("=")
    if not (key and equals):
        raise RecipeError(f"--set {change!r}: expected key=value, such as --set seed=1")
    try:
        value = text if text.lstrip().startswith(("{{", "{%")) else yaml.safe_load(text)
    except yaml.YAMLError as error:
        where = f", a template in double quotes: {QUOTED}" if "{{" in text else ""
        raise RecipeError(f"--set {change!r}: {text!r} is not valid YAML; put it in quotes{where}") from error
    if key == "real" and text and Path(text).expanduser().exists():
        value = str(Path(text).expanduser())  # a path, whatever YAML makes of such a name
    if "." in key:
        _set_option(values, key, value, change)
    else:
        values[key] = value


def _set_option(values: JsonObject, key: str, value: Any, change: str) -> None:
    """Set KEY.METHOD.OPTION, also of a method that is written by its name alone."""
    field, _, rest = key.partition(".")
    method, _, option = rest.rpartition(".")
    before = values.get(field)
    steps: list[Json] = list(before) if isinstance(before, list) else [before]
    if field == "real" and method == "file" and isinstance(before, str):
        steps = [{"file": {"path": before}}]
    names = [next(iter(step), None) if isinstance(step, dict) else step for step in steps]
    if not method or method not in names:
        available = [name for name in names if isinstance(name, str)]
        raise RecipeError(
            f"--set {change!r}: {field} has no method {method!r}{suggest(method, available)}; an option is set as "
            "KEY.METHOD.OPTION=value, such as train.sft.steps=100"
        )
    index = names.index(method)
    options = steps[index][method] if isinstance(steps[index], dict) else {}
    steps[index] = {method: {**(options or {}), option: value}}
    values[field] = steps if isinstance(before, list) else steps[0]
