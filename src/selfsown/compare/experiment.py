"""What a comparison is to run: which arms, over which seeds, on how many real rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from selfsown.compare.arms import ALONE, BUILT_IN, Arm, arms_of
from selfsown.compare.child_processes import Run
from selfsown.compare.cost_claim import PALMYRA
from selfsown.compare.data_efficiency import multiples_of, sizes
from selfsown.recipe.recipe import Recipe
from selfsown.records import SelfsownError


@dataclass(frozen=True)
class Plan:
    """multiples: the arms of real rows alone, by how many times the `rows` that the others learn from. claim: how many
    times as much plain training is said to cost at equal scores (0: nobody asks). directed: whether more or less of the
    goal must be better, as for a verdict."""

    source: str
    recipe: Recipe
    arms: list[Arm]
    seeds: list[int]
    multiples: dict[float, str]
    rows: int
    held_out: int
    claim: float = 0.0
    directed: bool = False

    @property
    def reference(self) -> str:
        """What the others are held against: graded, or the first arm."""
        names = [arm.name for arm in self.arms]
        return "graded" if "graded" in names else names[0]

    def runs(self, folder: Path) -> list[Run]:
        """Seed by seed, so that one seed of every arm is there early."""
        return [
            Run(arm.name, seed, self.source, folder / arm.folder / f"seed-{seed}", (*arm.changes, f"seed={seed}"))
            for seed in self.seeds
            for arm in self.arms
        ]


def plan(
    source: str, changes: Sequence[str], wanted: Sequence[str], seeds: int, real_rows: Sequence[str], claim: float = 0.0
) -> Plan:
    """What a comparison is to run; SelfsownError where its words do not fit."""
    if seeds < 1:
        raise SelfsownError(f"--seeds is {seeds}; it must be 1 or more, and 2 or more for an interval")
    if claim < 0 or (claim and not real_rows):
        raise SelfsownError(
            f"--claim is {claim:g}; it is how many times as much plain training costs: add --real-rows 1x,2x,4x"
        )
    recipe, common, alone, numbers = Recipe.load(source, changes), list(changes), dict[float, Arm](), list(range(seeds))
    common += ["evidence="] * bool(recipe.grader_requirements)  # it is measured in a folder of its own
    rows = held_out = 0
    wanted = wanted or (["graded"] if real_rows else list(BUILT_IN))
    if multiples := multiples_of(real_rows):
        rows, held_out, more = sizes(recipe, multiples, numbers)
        common += more
        for multiple in multiples:
            learn = round(multiple * rows)
            own = (*common, "generate=[]", f"max_train_rows={learn}", *ALONE)
            alone[multiple] = Arm(f"real-{multiple:g}x", f"{learn:,} real rows alone, as many training steps", own)
    arms = [*arms_of(recipe, common, wanted), *alone.values()]
    asked = claim or (PALMYRA if multiples and recipe.name == "palmyra" else 0.0)
    return Plan(source, recipe, arms, numbers, {k: arm.name for k, arm in alone.items()}, rows, held_out, asked)
