"""A recipe as YAML with some of its keys changed: what is not changed keeps its comments."""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from typing import Any

import yaml

from selfsown.recipe import loader
from selfsown.recipe.changes import apply_change
from selfsown.recipe.recipe import Recipe, check_values

WIDTH = 110


def changed_text(source: str, changes: Sequence[str]) -> str:
    """The recipe's text with these changes. RecipeError where one does not fit."""
    path, text = loader.read_source(source)
    values = loader.parse_yaml(path, text)
    before = copy.deepcopy(values)
    for change in changes:
        apply_change(values, change, path.parent)
    check_values(values, path.parent)
    if values.get("real"):
        Recipe.of({"name": path.stem, **values}, path.parent)
    for key, value in values.items():
        if key not in before or value != before[key]:
            text = _replaced(text, key, value)
    return text if text.endswith("\n") else f"{text}\n"


def _replaced(text: str, key: str, value: Any) -> str:
    """The text with another value of the key, which ends where the next key or a comment in the first column begins."""
    flow = None if isinstance(value, dict | list) else False
    block = yaml.safe_dump({key: value}, sort_keys=False, allow_unicode=True, width=WIDTH, default_flow_style=flow)
    pattern = re.compile(rf"^{re.escape(key)}[ ]*:.*\n?(?:(?![\w#]).*\n?)*", re.MULTILINE)
    if pattern.search(text):
        return pattern.sub(lambda _: block, text, count=1)
    return f"{text.rstrip()}\n{block}"
