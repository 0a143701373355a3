"""Whether a server answers at the addresses of the teacher and the judge, before a new folder is touched."""

from __future__ import annotations

from pathlib import Path

from selfsown.models import Reachable
from selfsown.recipe.recipe import Recipe
from selfsown.stages import ROLE_MODELS


def check_servers(recipe: Recipe, folder: Path) -> None:
    """Raises ModelError where none does. A folder with a journal may have all replies, and needs no server."""
    if (folder / "replies.sqlite").exists() or not recipe.generate:
        return
    for role in ROLE_MODELS:
        step = getattr(recipe, role)
        if step and step.is_remote and isinstance(model := step(rows=[], seed=0), Reachable):
            model.check_server()
