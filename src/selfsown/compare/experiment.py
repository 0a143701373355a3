"""What a comparison runs: which arms, over which seeds, on how many real rows."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from selfsown.compare.arms import BUILT_IN_ARMS, FIXED_CHANGES, Arm, parse_arms
from selfsown.compare.child_processes import ArmRun
from selfsown.compare.cost_claim import PALMYRA_RATIO
from selfsown.files.user_rows import UserRows
from selfsown.holdout import split
from selfsown.intake import prepared_rows
from selfsown.recipe.recipe import Recipe
from selfsown.records import SelfsownError


@dataclass(frozen=True)
class Experiment:
    """A planned comparison.

    multiples: the arms of real rows alone, by their training rows relative to `rows`, which the other arms have.
    held_out: held-out rows, counted with --real-rows alone. claim: the claimed cost of plain training relative to the
    loop at equal scores; 0 for no claim. needs_direction: the goal must be better or worse, as for a verdict.
    files: of a proof for two files, the names of the synthetic and of the real one; its arms are measured with early
    stopping.
    """

    source: str
    recipe: Recipe
    arms: list[Arm]
    seeds: list[int]
    multiples: dict[float, str]
    rows: int
    held_out: int
    claim: float = 0.0
    needs_direction: bool = False
    files: tuple[str, str] | None = None

    @property
    def reference(self) -> str:
        """The arm that the others are compared with: graded, otherwise the first arm."""
        names = [arm.name for arm in self.arms]
        return "graded" if "graded" in names else names[0]

    def from_seed(self, first: int) -> Experiment:
        """The same with as many seeds from this one on, such as others than those on which a setting was chosen."""
        if first < 0:
            raise SelfsownError(f"--first-seed is {first}; it must be 0 or more")
        return replace(self, seeds=list(range(first, first + len(self.seeds))))

    def runs(self, folder: Path) -> list[ArmRun]:
        """Seed by seed, so that every arm has a result early."""
        return [
            ArmRun(arm.name, seed, self.source, folder / arm.folder / f"seed-{seed}", (*arm.changes, f"seed={seed}"))
            for seed in self.seeds
            for arm in self.arms
        ]


def plan_experiment(
    source: str,
    changes: Sequence[str],
    requested_arms: Sequence[str],
    seeds: int,
    real_rows: Sequence[str],
    claim: float = 0.0,
) -> Experiment:
    """The comparison that the command line describes.

    source: a recipe name or file. changes: of all arms, as for `--set`. real_rows: multiples such as "1x,2x,4x".
    Raises SelfsownError where the arguments are invalid.
    """
    if seeds < 1:
        raise SelfsownError(f"--seeds is {seeds}; it must be 1 or more, and 2 or more for an interval")
    if claim < 0 or (claim and not real_rows):
        raise SelfsownError(
            f"--claim is {claim:g}; expected the cost of plain training relative to the loop, together with "
            "--real-rows 1x,2x,4x"
        )
    recipe = Recipe.load(source, changes)
    common = list(changes)
    if recipe.grader_requirements:
        common.append("grader_requirements=")  # measured in a folder of its own
    seed_numbers = list(range(seeds))
    rows = held_out = 0
    size_arms: dict[float, Arm] = {}
    multiples = parse_multiples(real_rows)
    if multiples:
        rows, held_out, size_changes = real_rows_needed(recipe, multiples, seed_numbers)
        common += size_changes
        size_arms = {multiple: _size_arm(multiple, round(multiple * rows), common) for multiple in multiples}
        if not claim and recipe.name == "palmyra":
            claim = PALMYRA_RATIO
    requested_arms = requested_arms or (["graded"] if multiples else list(BUILT_IN_ARMS))
    arms = [*parse_arms(recipe, common, requested_arms), *size_arms.values()]
    names = {multiple: arm.name for multiple, arm in size_arms.items()}
    return Experiment(source, recipe, arms, seed_numbers, names, rows, held_out, claim)


def parse_multiples(words: Sequence[str]) -> list[float]:
    """ "1x,2x,16x" as numbers, in ascending order."""
    multiples = [part.strip() for word in words for part in word.split(",") if part.strip()]
    for multiple in multiples:
        if not re.fullmatch(r"[0-9]+(\.[0-9]+)?x", multiple) or not float(multiple[:-1]):
            raise SelfsownError(f"--real-rows {multiple!r} is not a multiple; expected for example 1x,2x,4x,8x,16x")
    return sorted({float(multiple[:-1]) for multiple in multiples})


def real_rows_needed(recipe: Recipe, multiples: Sequence[float], seeds: Sequence[int]) -> tuple[int, int, list[str]]:
    """Training rows of the recipe, held-out rows, and the changes by which every size has enough real rows.

    Raises SelfsownError where a file has too few rows for the largest multiple.
    """
    task = recipe.real()
    sides = [
        split(list(prepared_rows(replace(recipe, seed=seed), task)), recipe.held_out, seed, task.name) for seed in seeds
    ]
    available = min(len(training) for training, _ in sides)
    held_out = len(sides[0][1])
    rows = recipe.max_train_rows or available
    largest = math.ceil(multiples[-1] * rows)
    if largest <= available:
        return rows, held_out, [f"max_train_rows={rows}"]
    if isinstance(task, UserRows) or not hasattr(task, "rows"):
        raise SelfsownError(
            f"{task.name} has {available:,} training rows, {available / rows:g} times the {rows:,} of the recipe, but "
            f"{multiples[-1]:g}x is requested; request less, add rows, or set "
            f"max_train_rows={int(available / multiples[-1])}"
        )
    task_rows = f"real.{recipe.real.method}.rows={held_out + largest}"
    return rows, held_out, [task_rows, f"held_out={held_out}", f"max_train_rows={rows}"]


def _size_arm(multiple: float, rows: int, common: Sequence[str]) -> Arm:
    """Plain training on so many real rows."""
    changes = (*common, "generate=[]", f"max_train_rows={rows}", *FIXED_CHANGES)
    return Arm(
        f"real-{multiple:g}x", f"{rows:,} real rows alone, trained as long or by the same early stopping", changes
    )
