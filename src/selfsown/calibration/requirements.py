"""A recipe may demand how well a grader is to know good from bad; without the proof, nothing is made."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import Any

from selfsown.option_types import GraderMetric
from selfsown.recipe.recipe import Recipe
from selfsown.recipe.steps import Step, parameters
from selfsown.records import SelfsownError
from selfsown.run_folder import without_transport
from selfsown.stages import ROLE_MODELS

FILE = "calibration.json"
HIGHER = ("kappa", "agreement")  # of these there should be much, of all others little


def trusted(recipe: Recipe, folder: Path) -> None:
    """SelfsownError where a grader was not calibrated in the folder, as it stands in the recipe, or is too poor."""
    if not recipe.grader_requirements:
        return
    path = folder / FILE
    again = f"selfsown calibrate RECIPE {folder}"
    if not path.exists():
        raise SelfsownError(
            f"grader_requirements: {', '.join(recipe.grader_requirements)} must be calibrated first: {again}"
        )
    try:
        measured = {_mark(each): each for each in json.loads(path.read_text(encoding="utf-8"))["graders"]}
    except (KeyError, TypeError, ValueError) as error:
        raise SelfsownError(f"{path} is damaged ({error!r}); write it anew: {again}") from error
    for step in recipe.grade:
        if step.method in recipe.grader_requirements:
            found = measured.get(_mark(identity(recipe, step)))
            if not recipe.grader_requirements[step.method]:
                raise SelfsownError(
                    f"grader_requirements: {step.method} demands nothing; name a measure, such as kappa: 0.6"
                )
            if found is None:
                raise SelfsownError(
                    f"grader_requirements: {step.name} was not calibrated as it stands in the recipe now: {again}"
                )
            if poor := shortcomings(found, recipe.grader_requirements[step.method]):
                raise SelfsownError(f"grader_requirements: {step.name} may not be used: {'; '.join(poor)}")


def identity(recipe: Recipe, step: Step) -> dict[str, Any]:
    """What decides how the step grades: its knobs, and the models that it asks."""
    asked = [role for role in ROLE_MODELS if role in parameters(step.function)]
    models = {role: named for role in asked if (named := _named(recipe, role))}
    found = {"grader": step.dump(), "models": {role: without_transport(named.dump()) for role, named in models.items()}}
    if step.method.endswith(".py"):  # of the user's own
        source = Path(inspect.getsourcefile(step.function) or step.method)
        found["code"] = hashlib.sha256(source.read_bytes()).hexdigest()[:16]
    return found


def shortcomings(measured: Mapping[str, Any], demands: Mapping[GraderMetric, float]) -> list[str]:
    """What falls short, in words: the whole interval must keep to the demand."""
    found = []
    for name, bound in demands.items():
        measure = measured.get(name)
        if not measure or not all(isfinite(measure[side]) for side in ("low", "high")):
            found.append(f"its {name} could not be measured, and {bound:g} is demanded")
            continue
        low, high = measure["low"], measure["high"]
        if low < bound if name in HIGHER else max(abs(low), abs(high)) > bound:
            side = "at least" if name in HIGHER else "at most"
            shown = f"{measure['value']:.3f} [{low:.3f}, {high:.3f}] on {measure['n']}"
            found.append(f"its {name} is {shown}; {side} {bound:g} is demanded of the whole interval")
    return found


def _named(recipe: Recipe, role: str) -> Step | None:
    """Who fills the role, where the recipe says; a judge that it does not name is the teacher where none is trained."""
    named: Step | None = getattr(recipe, role)
    return recipe.teacher if role == "judge" and not named and not recipe.trains else named


def _mark(grader: Mapping[str, Any]) -> str:
    return json.dumps([grader["grader"], grader["models"], grader.get("code")], sort_keys=True)
