"""Shipped recipes: each a YAML file that `selfsown run NAME` or `selfsown make NAME` takes."""

from __future__ import annotations

from pathlib import Path


def shipped_recipes() -> dict[str, str]:
    """The text of every shipped recipe, by name."""
    return {path.stem: path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("*.yaml")}
