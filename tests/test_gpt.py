"""`gpt`, `star` and `gpt-spec`, made small: what is examined is not learned from, and no hint or rule shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfsown.loop import run
from selfsown.recipe.recipe import Recipe
from selfsown.records import Row
from selfsown.run_folder import RunFolder, generation_dir

pytest.importorskip("torch")
SMALL = [
    "base_train.sft.steps=4",
    "train.sft.steps=4",
    "generations=1",
    "student.tiny.width=16",
    "student.tiny.layers=1",
]
SMALL += ["control=false"]
SUMS = ["real.addition.longer_rows=5", "real.addition.rows=150", "held_out=50", "generate.solve.count=60"]
HOUSE = ["real.house_rules.held_out_rows=15", "real.house_rules.rows=100", "held_out=50", "generate.solve.count=60"]


@pytest.mark.parametrize("name", ["gpt", "star", "gpt-spec"])
def test_a_small_run_learns_from_nothing_that_is_examined_and_shows_no_hint_and_no_rule(
    name: str, tmp_path: Path
) -> None:
    recipe = Recipe.load(name, [*SMALL, *(HOUSE if name == "gpt-spec" else SUMS)])
    history = run(recipe, tmp_path / "run")
    store = RunFolder(tmp_path / "run")
    real, held_out, made = (store.rows(at) or [] for at in ("real", "held_out", f"{generation_dir(1)}/rows"))
    assert history[-1].score(recipe.goal)
    assert history[-1].counts["made"] == len(made) >= 60
    assert {row.method for row in made} == {"solve"}
    assert not {row.key for row in held_out} & {row.key for row in real}
    assert not {row.key for row in held_out} & {row.key for row in made if row.status == "kept"}
    if name == "gpt-spec":
        assert {row.metadata["form"] for row in real} == {"explicit", "no_rules"}
        assert not any("\n" in row.prompt for row in made)
        return
    assert {row.level for row in real} == {1, 2}
    assert {row.level for row in held_out} >= {3, 4, 5, 6, 7, 8}
    assert max(row.level for row in made) == 3
    if name == "star":
        _hints(recipe, real, made)


def _hints(recipe: Recipe, real: list[Row], made: list[Row]) -> None:
    """An untrained model solves nothing, so every problem is tried twice; the real rows show what a hint is."""
    assert sum(row.metadata["hint"] == "yes" for row in made) > 50
    assert all("?" in row.prompt for row in made)
    shown = sum("?" not in row.prompt for row in real)
    assert 0 < shown < len(real)
