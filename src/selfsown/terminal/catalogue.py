"""`selfsown list`: one line for each recipe and method, or one of them with all its options; as text or JSON."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from shutil import get_terminal_size
from textwrap import wrap

from selfsown.catalogue import source as catalogue
from selfsown.catalogue.source import MethodEntry, OptionEntry, RecipeEntry
from selfsown.errors import RecipeError, closest
from selfsown.stage_names import RECIPE_KEYS, STAGE_FUNCTIONS

NAME_WIDTH = 20
MAX_WIDTH = 110  # of wrapped text


@dataclass(frozen=True)
class Listing:
    """What is listed. in_full: with options and details."""

    recipes: Sequence[RecipeEntry] = ()
    methods: Sequence[MethodEntry] = ()
    keys: Sequence[OptionEntry] = ()
    in_full: bool = False

    def to_json(self) -> dict[str, object]:
        """The fields of the entries, as docs/recipes.md describes them."""
        return {name: [asdict(entry) for entry in getattr(self, name)] for name in ("recipes", "methods", "keys")}


def find(name: str, *, with_options: bool = True) -> Listing:
    """What the name stands for: "" all, "recipes", "keys", a stage, a recipe, a method, or a file of one's own.

    with_options: also of a list of many methods, which takes longer. RecipeError where there is no such name.
    """
    recipes = catalogue.recipes()
    read = catalogue.method if with_options else catalogue.headline
    if not name:
        stages = STAGE_FUNCTIONS
        return Listing(recipes, [read(stage, method) for stage in stages for method in catalogue.stage_methods(stage)])
    if name == "recipes":
        return Listing(recipes)
    if name == "keys":
        return Listing(keys=catalogue.recipe_keys())
    if name.endswith(".py"):
        return Listing(methods=catalogue.custom_methods(Path(name)), in_full=True)
    named = Listing([entry for entry in recipes if entry.name == name], _methods(name), in_full=True)
    if named.recipes or named.methods:
        return named
    for stage in STAGE_FUNCTIONS:
        if name in (stage, *RECIPE_KEYS.get(stage, ())):
            return Listing(methods=[read(stage, method) for method in catalogue.stage_methods(stage)])
    names = {"recipes", "keys", *STAGE_FUNCTIONS, *(entry.name for entry in recipes)}
    methods = [method for stage in STAGE_FUNCTIONS for method in catalogue.stage_methods(stage)]
    near = closest(name.rpartition(".")[2], {*names, *methods})
    hint = f"did you mean {near!r}?" if near else "`selfsown list` names all"
    raise RecipeError(f"there is no recipe, stage or method {name!r}; {hint}")


def _methods(name: str) -> list[MethodEntry]:
    """The methods of this name, or of this STAGE.METHOD, KEY.METHOD or STUDENT.OBJECTIVE."""
    key, _, method = name.rpartition(".")
    entries = []
    for stage in STAGE_FUNCTIONS:
        names, of_stage = catalogue.stage_methods(stage), not key or key in (stage, *RECIPE_KEYS.get(stage, ()))
        entries += [
            catalogue.method(stage, shipped) for shipped in names if shipped == name or (of_stage and shipped == method)
        ]
    return entries


def show(listing: Listing, is_terminal: bool) -> str:
    """The text of a listing; on a terminal, lines are no longer than it is wide."""
    width = get_terminal_size().columns if is_terminal else 0
    if listing.in_full:
        parts = [_recipe_text(entry) for entry in listing.recipes]
        return "\n\n".join([*parts, *(_method_text(entry, width) for entry in listing.methods)])
    parts = []
    if listing.recipes:
        parts.append(_lines("recipes", ((entry.name, entry.description) for entry in listing.recipes), width))
    for stage in dict.fromkeys(entry.stage for entry in listing.methods):
        entries = [entry for entry in listing.methods if entry.stage == stage]
        heading = ", ".join(entries[0].keys)
        parts.append(_lines(heading, ((entry.name, entry.description) for entry in entries), width))
    if listing.keys:
        parts.append(_lines("keys", ((entry.name, _option_text(entry)) for entry in listing.keys), width))
    return "\n\n".join(parts)


def _lines(heading: str, entries: Iterable[tuple[str, str]], width: int) -> str:
    return "\n".join([heading, *(_cut(f"  {name:<{NAME_WIDTH}} {text}", width) for name, text in entries)])


def _cut(line: str, width: int) -> str:
    """The line, shortened after a word where it is longer than the width; 0: never."""
    if not 0 < width < len(line):
        return line
    return line[: max(line[:width].rfind(" "), 1)].rstrip(",;: ") + "…"


def _recipe_text(entry: RecipeEntry) -> str:
    needs = f"\nIt needs: {', '.join(entry.needs)}" if entry.needs else "\nIt needs nothing else."
    return f"recipe {entry.name}: {entry.description}{needs}\n\n{entry.comment}\n\nIts YAML: selfsown show {entry.name}"


def _method_text(entry: MethodEntry, width: int) -> str:
    """A method with its options, each with type, default and meaning, and what else its documentation says."""
    lines = [f"{entry.keys[0]}: {entry.name}", _wrapped(entry.description, width)]
    if len(entry.keys) > 1:
        lines.append(f"For the keys {', '.join(entry.keys)}.")
    lines.append("\noptions" if entry.options else "\nIt has no options.")
    for option in entry.options:
        text = f"{option.name:<{NAME_WIDTH}} {_option_text(option)}"
        limit = min(width, MAX_WIDTH) if width else len(text) + 3
        lines += wrap(text, max(limit, 40), initial_indent="  ", subsequent_indent=" " * (NAME_WIDTH + 3))
    names = "|".join(option.name for option in entry.options)
    paragraphs = entry.details.split("\n\n") if entry.details else []
    lines += [f"\n{text}" for text in paragraphs if not (names and re.match(rf"({names})(, \w+)*: ", text))]
    return "\n".join(lines)


def _wrapped(text: str, width: int) -> str:
    """The paragraph at this width; 0: as it is, and so are lines that stand below each other."""
    return text if not width or "\n" in text else "\n".join(wrap(text, max(min(width, MAX_WIDTH), 40)))


def _option_text(option: OptionEntry) -> str:
    default = "required" if option.default is None else f"default {option.default}"
    return f"{option.type}; {default}{f': {option.meaning}' if option.meaning else ''}"
