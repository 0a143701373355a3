"""A recipe as it is written: YAML text, read into plain values."""

from __future__ import annotations

from pathlib import Path

import yaml

from selfsown.errors import RecipeError, closest
from selfsown.recipe.yaml_values import YamlLoader, load_yaml
from selfsown.recipes import shipped_recipes as shipped_recipes
from selfsown.records import JsonObject

SUFFIXES = (".yaml", ".yml")
QUOTED = 'prompt: "{{ subject }}"'  # how YAML holds a template


def read_source(source: str | Path) -> tuple[Path, str]:
    """The path and the text of a recipe file, or of a shipped recipe by its name. RecipeError where there is none."""
    path = Path(source)
    if path.suffix not in SUFFIXES:
        shipped = shipped_recipes()
        if str(source) in shipped:
            return Path(f"{source}.yaml"), shipped[str(source)]
        raise RecipeError(_no_recipe(path))
    try:
        return path, path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise RecipeError(f"there is no recipe file {path}{_suggest_recipe(path)}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path} cannot be read: {error}; a recipe is YAML in UTF-8") from error


def _no_recipe(path: Path) -> str:
    """Why what was named is no recipe, and what it may have meant."""
    if (path / "recipe.yaml").is_file():
        return f"{path} is the folder of a run, not a recipe; its recipe is {path / 'recipe.yaml'}"
    if path.is_dir():
        return f"{path} is a folder, not a recipe; name a FILE.yaml, or a recipe of `selfsown list recipes`"
    if path.is_file():
        return f"{path} is no recipe, which is a FILE.yaml; real rows are named with --set real={path}"
    return f"there is no recipe {str(path)!r}{_suggest_recipe(path)}"


def _suggest_recipe(path: Path) -> str:
    """A shipped recipe, or a YAML file in the same folder, of a similar name."""
    files = {file.stem: str(file) for suffix in SUFFIXES for file in path.parent.glob(f"*{suffix}")}
    names = {name: name for name in shipped_recipes()} | files
    if near := closest(path.stem, names):
        return f"; did you mean {names[near]!r}?"
    return f"; `selfsown list recipes` lists all {len(shipped_recipes())}, or name a FILE.yaml"


def parse_yaml(path: Path, text: str) -> JsonObject:
    """The plain values of a YAML text. RecipeError where it is no mapping, or gives a key twice."""
    try:
        _refuse_duplicate_keys(yaml.compose(text, YamlLoader), path)
        tree = load_yaml(text)
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
