"""The arms of a comparison: the recipe with changes, each written as `--set` would write it."""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import yaml

from selfsown.preflight.dry_run import SAMPLE_ROWS, dry_run
from selfsown.recipe.recipe import Recipe
from selfsown.records import Row, Score, SelfsownError

ALONE = ("rollback=false", "control=false")  # every arm trains equally long and is seen to its end; real is the control
OWN = {"seed": "--seeds says how many, from 0", "rollback": "it is false in every arm", "control": "the arm real is it"}


@dataclass(frozen=True)
class Arm:
    """changes: all that turns the recipe's file into this arm, but for the seed."""

    name: str
    what: str
    changes: tuple[str, ...]

    @property
    def folder(self) -> str:
        """The name where a file system bears it; otherwise as near as can be, and never another arm's."""
        plain = re.sub(r"[^A-Za-z0-9.=_-]+", "_", self.name)[:80]
        return plain if plain == self.name else f"{plain}-{hashlib.sha256(self.name.encode()).hexdigest()[:6]}"

    def recipe(self, source: str, seed: int) -> Recipe:
        try:
            return Recipe.load(source, [*self.changes, f"seed={seed}"])
        except SelfsownError as error:
            raise SelfsownError(f"arm {self.name} does not fit: {error}") from error


def _shuffled(recipe: Recipe) -> str:
    curate = ["shuffle_grades", *recipe.dump()["curate"]]
    return f"curate={yaml.safe_dump(curate, default_flow_style=True, width=10**6).strip()}"


# Each by its name: what it is, and the change that makes it of the recipe.
BUILT_IN: dict[str, tuple[str, Callable[[Recipe], str]]] = {
    "graded": ("the recipe as it is", lambda recipe: ""),
    "ungraded": ("every readable row passes", lambda recipe: "grade=[]"),
    "shuffled": ("each row with another row's grades", _shuffled),
    "replace": ("the newest rows in place of the real ones", lambda recipe: "mix=replace"),
    "vote": ("graded by the student's own majority", lambda recipe: "grade=self_consistency"),
    "real": ("real rows alone, as many training steps", lambda recipe: "generate=[]"),
}


def arms_of(recipe: Recipe, common: Sequence[str], wanted: Sequence[str]) -> list[Arm]:
    """The arms that are asked for: built-in names, which may be joined by commas, and changes joined by `;`."""
    _not_ours(common)
    found: dict[str, Arm] = {}
    for word in wanted:
        for name in [word] if "=" in word else filter(None, word.split(",")):
            found[name] = _arm(recipe, common, name.strip())
    if not found:
        raise SelfsownError(f"--arms names none; there is: {', '.join(BUILT_IN)}; or a change, such as init_from=base")
    return list(found.values())


def _arm(recipe: Recipe, common: Sequence[str], name: str) -> Arm:
    if name in BUILT_IN:
        what, change = BUILT_IN[name]
        changes = [change(recipe)] if change(recipe) else []
    elif "=" in name:
        what, changes = f"the recipe with {name}", [part.strip() for part in name.split(";") if part.strip()]
        _not_ours(changes)
    else:
        close = difflib.get_close_matches(name, BUILT_IN, 1)
        hint = f"; did you mean {close[0]!r}?" if close else ";"
        raise SelfsownError(
            f"there is no arm {name!r}{hint} there is: {', '.join(BUILT_IN)}; or a change, such as init_from=base"
        )
    return Arm(name, what, (*common, *changes, *ALONE))


def _not_ours(changes: Sequence[str]) -> None:
    for change in changes:
        key = change.partition("=")[0]
        if key in OWN and change not in ALONE:
            raise SelfsownError(f"{change!r} cannot be set in a comparison: {OWN[key]}; leave it out")


def fitting(arms: Sequence[Arm], source: str, directed: bool = False) -> None:
    """Rehearse every arm before any runs; SelfsownError names the one that does not fit, or is measured otherwise.

    directed: more or less of the goal must be better, too.
    """
    first: tuple[object, list[Row]] | None = None
    for arm in arms:
        recipe = arm.recipe(source, 0)
        try:
            real, held_out = dry_run(recipe, recipe.real())
        except SelfsownError as error:
            raise SelfsownError(f"arm {arm.name} does not fit: {error}{_without(arm, arms)}") from error
        measured = (recipe.goal, recipe.evaluate)
        if first and first[0] != measured:
            raise SelfsownError(
                f"arm {arm.name} is measured otherwise than {arms[0].name}; keep goal and evaluate alike"
            )
        if first and first[1] != held_out:
            raise SelfsownError(
                f"arm {arm.name} is measured on other held-out rows than {arms[0].name}; "
                "change learn, not real or held_out"
            )
        if directed and not first:
            directions(recipe.goal, _tried(recipe, real, held_out))
        first = first or (measured, held_out)


def _tried(recipe: Recipe, real: Sequence[Row], held_out: Sequence[Row]) -> list[Score]:
    """What is measured of a student that nobody has trained, on a few rows."""
    roles = {
        "model": recipe.student(rows=real, seed=0),
        "held_out": held_out[:SAMPLE_ROWS],
        "task": recipe.real(),
        "seed": 0,
    }
    return [score for step in recipe.evaluate for score in step.collect(Score, **roles)]


def directions(goal: str, scores: Sequence[Score]) -> dict[str, str]:
    """Which way is better, of each score that has such a way; SelfsownError where the goal has none."""
    up: dict[str, str] = {score.key: score.direction for score in scores if score.direction != "neither"}
    like = [score for score in scores if score.name == goal.partition("[")[0]]
    same = [score for score in like if score.key == goal] or like  # a few rows may not show the goal's own stratum
    if all(score.direction == "neither" for score in same):
        others = f"compare by one of {', '.join(up)}: --set goal=…" if up else "measure another: --set evaluate=…"
        raise SelfsownError(f"goal is {goal}, and neither more nor less of it is better: nothing is proved; {others}")
    return up


def _without(arm: Arm, arms: Sequence[Arm]) -> str:
    """The remedy; where the first arm does not fit, the recipe itself may be wrong."""
    others = " ".join(f"'{each.name}'" if ";" in each.name else each.name for each in arms if each != arm)
    return "" if arm == arms[0] else f"; leave it out: --arms {others}"
