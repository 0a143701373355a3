"""The recipes in examples/ are recipes."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfsown.recipe.recipe import Recipe

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_it_loads_with_what_it_asks_for(path: Path) -> None:
    if "reasoning_gym" in path.stem:
        pytest.importorskip("reasoning_gym")
    changes = ["student.hf.model=FOLDER"] if "FOLDER" in path.read_text(encoding="utf-8") else []
    recipe = Recipe.load(str(path), changes)
    assert recipe.description
    assert recipe.control
