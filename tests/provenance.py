"""Rows as the engine keeps them: with their provenance, which generators leave to it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from selfsown.recipe.steps import step
from selfsown.records import Row
from selfsown.stages import as_synthetic


def recorded(method: str, rows: Iterable[Row], teacher: Any, generation: int = 2) -> list[Row]:
    """What a generator yielded, as rows of this generation by this method and teacher."""
    return list(as_synthetic(rows, step("generate", method), generation, teacher))
