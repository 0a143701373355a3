"""The arms of a comparison: the recipe with changes, each written as for `--set`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import yaml

from selfsown.errors import RecipeError, suggest
from selfsown.preflight.dry_run import dry_run, held_out_sample
from selfsown.preflight.stub_student import stand_in
from selfsown.recipe.inputs import EvaluateInputs
from selfsown.recipe.recipe import Recipe
from selfsown.records import Row, Score, SelfsownError

FIXED_CHANGES = ("rollback=false", "control=false")  # equal training for all arms; the arm real is the control
RESERVED_KEYS = {
    "seed": "--seeds sets the number of seeds, --first-seed the first",
    "rollback": "it is false in every arm",
    "control": "the arm real is the control",
}
EXAMPLE = "or a change such as init_from=base"


@dataclass(frozen=True)
class Arm:
    """changes: everything that turns the recipe file into this arm, except for the seed."""

    name: str
    description: str
    changes: tuple[str, ...]

    @property
    def folder(self) -> str:
        """The name if it is a valid file name, otherwise a similar name with a hash that is unique to this arm."""
        safe = re.sub(r"[^A-Za-z0-9.=_-]+", "_", self.name)[:80]
        return safe if safe == self.name else f"{safe}-{hashlib.sha256(self.name.encode()).hexdigest()[:6]}"

    def recipe(self, source: str, seed: int) -> Recipe:
        try:
            return Recipe.load(source, [*self.changes, f"seed={seed}"])
        except SelfsownError as error:
            raise RecipeError(f"arm {self.name} is invalid: {error}") from error


def _shuffled(recipe: Recipe) -> list[str]:
    curate = ["shuffle_grades", *recipe.dump()["curate"]]
    return [f"curate={yaml.safe_dump(curate, default_flow_style=True, width=10**6).strip()}"]


@dataclass(frozen=True)
class BuiltInArm:
    """An arm known by its name. changes: the changes that turn a recipe into this arm."""

    name: str
    description: str
    changes: Callable[[Recipe], list[str]]


BUILT_IN_ARMS = {
    arm.name: arm
    for arm in (
        BuiltInArm("graded", "the recipe as it is", lambda recipe: []),
        BuiltInArm("ungraded", "every readable row passes", lambda recipe: ["grade=[]"]),
        BuiltInArm("shuffled", "each row has another row's grades", _shuffled),
        BuiltInArm("replace", "the newest rows replace the real ones", lambda recipe: ["mix=replace"]),
        BuiltInArm("vote", "graded by the student's own majority", lambda recipe: ["grade=self_consistency"]),
        BuiltInArm(
            "real", "real rows alone, trained as long or by the same early stopping", lambda recipe: ["generate=[]"]
        ),
    )
}


def parse_arms(recipe: Recipe, common: Sequence[str], requested: Sequence[str]) -> list[Arm]:
    """The requested arms: built-in names, which may be joined by commas, and changes, which may be joined by `;`."""
    _check_reserved(common)
    arms: dict[str, Arm] = {}
    for word in requested:
        for name in [word] if "=" in word else filter(None, word.split(",")):
            arms[name] = _arm(recipe, common, name.strip())
    if not arms:
        raise SelfsownError(f"--arms names no arm; available: {', '.join(BUILT_IN_ARMS)}; {EXAMPLE}")
    return list(arms.values())


def _arm(recipe: Recipe, common: Sequence[str], name: str) -> Arm:
    if name in BUILT_IN_ARMS:
        built_in = BUILT_IN_ARMS[name]
        return Arm(name, built_in.description, (*common, *built_in.changes(recipe), *FIXED_CHANGES))
    if "=" not in name:
        raise SelfsownError(f"unknown arm {name!r}{suggest(name, BUILT_IN_ARMS)}; {EXAMPLE}")
    changes = [part.strip() for part in name.split(";") if part.strip()]
    _check_reserved(changes)
    return Arm(name, f"the recipe with {name}", (*common, *changes, *FIXED_CHANGES))


def _check_reserved(changes: Sequence[str]) -> None:
    for change in changes:
        key = change.partition("=")[0]
        if key in RESERVED_KEYS and change not in FIXED_CHANGES:
            raise SelfsownError(f"{change!r} cannot be set in a comparison: {RESERVED_KEYS[key]}; leave it out")


def preflight_arms(arms: Sequence[Arm], source: str, needs_direction: bool = False) -> list[Row]:
    """Dry-run every arm before any arm is trained. Returns the real rows that the first arm trains on.

    needs_direction: the goal must be a score of which more or less is better. Raises SelfsownError, which names the
    arm, where an arm is invalid, or measured by another goal or on other held-out rows than the first arm.
    """
    first: tuple[object, list[Row]] | None = None
    trained: list[Row] = []
    for arm in arms:
        recipe = arm.recipe(source, 0)
        try:
            real, held_out = dry_run(recipe, recipe.real())
        except SelfsownError as error:
            raise RecipeError(f"arm {arm.name} is invalid: {error}{_without(arm, arms)}") from error
        measures = (recipe.goal, recipe.evaluate)
        if first and first[0] != measures:
            raise RecipeError(
                f"arm {arm.name} has another goal or evaluate than arm {arms[0].name}; they must be the same"
            )
        if first and first[1] != held_out:
            raise RecipeError(
                f"arm {arm.name} is measured on other held-out rows than arm {arms[0].name}; "
                "change max_train_rows instead of real or held_out"
            )
        if needs_direction and not first:
            score_directions(recipe.goal, _untrained_scores(recipe, real, held_out))
        trained = trained or list(real)
        first = first or (measures, held_out)
    return trained


def _untrained_scores(recipe: Recipe, real: Sequence[Row], held_out: Sequence[Row]) -> list[Score]:
    """The scores of an untrained student on a few rows."""
    student = stand_in(recipe.student(rows=real, seed=0), [*real, *held_out])
    task = recipe.real()
    inputs = EvaluateInputs(model=student, held_out=held_out_sample(held_out, task), task=task)
    return [score for step in recipe.evaluate for score in step.collect(Score, inputs)]


def score_directions(goal: str, scores: Sequence[Score]) -> dict[str, str]:
    """For each score that can be better or worse, whether higher or lower is better.

    Raises SelfsownError where the goal cannot be better or worse.
    """
    directions: dict[str, str] = {score.key: score.direction for score in scores if score.direction != "neither"}
    same_name = [score for score in scores if score.name == goal.partition("[")[0]]
    goal_scores = [score for score in same_name if score.key == goal] or same_name  # a few rows may lack its stratum
    if all(score.direction == "neither" for score in goal_scores):
        remedy = f"compare by one of {', '.join(directions)}: --set goal=…"
        if not directions:
            remedy = "add another score: --set evaluate=…"
        raise RecipeError(f"goal is {goal}, for which neither higher nor lower is better: no verdict; {remedy}")
    return directions


def _without(arm: Arm, arms: Sequence[Arm]) -> str:
    """The remedy; none for the first arm, where the recipe itself may be wrong."""
    if arm == arms[0]:
        return ""
    others = " ".join(f"'{other.name}'" if ";" in other.name else other.name for other in arms if other != arm)
    return f"; leave it out: --arms {others}"
