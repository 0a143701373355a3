"""A recipe may require error rates of its graders: `run` and `make` refuse until a calibration has shown them."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path

from selfsown.calibration.metrics import Metric
from selfsown.calibration.results import METRICS, Calibration, metrics_of
from selfsown.errors import ExitCode, RecipeError, RunFolderError, SelfsownError
from selfsown.folder_recipe import without_transport
from selfsown.option_types import GraderRequirement
from selfsown.recipe.recipe import Recipe
from selfsown.recipe.steps import Step, parameters
from selfsown.records import Json, JsonObject
from selfsown.stages import ROLE_MODELS

FILE = "calibration.json"
ATTACK: GraderRequirement = "attack"  # the share of the worst family of probes
ATTACK_FILE = "attack.json"  # written by `selfsown attack`
HIGHER_IS_BETTER = ("kappa", "agreement")  # of all other metrics, less is better


def check_requirements(recipe: Recipe, folder: Path) -> None:
    """SelfsownError if a grader has requirements that no calibration, or no attack, in the folder has shown.

    It must be of the same grader: its options, its models and, of a custom method, its code.
    """
    if not recipe.grader_requirements:
        return
    if empty := next((name for name, metrics in recipe.grader_requirements.items() if not metrics), ""):
        raise RecipeError(f"grader_requirements: {empty} has no requirement; name a metric, such as kappa: 0.6")
    _check_attack(recipe, folder)
    measured = [name for name, metrics in recipe.grader_requirements.items() if set(metrics) - {ATTACK}]
    if not measured:
        return
    path = folder / FILE
    command = recipe.command("calibrate", str(folder))
    if not path.exists():
        raise SelfsownError(f"grader_requirements: {', '.join(measured)} must be calibrated first: {command}")
    calibrated = _read(path, command)
    for step in recipe.grade:
        if step.method not in measured:
            continue
        requirements = recipe.grader_requirements[step.method]
        metrics = calibrated.get(_key(identity(recipe, step)))
        if metrics is None:
            raise SelfsownError(
                f"grader_requirements: {step.name} was not calibrated as it is in the recipe now: {command}"
            )
        if unmet := shortcomings(metrics, requirements):
            raise SelfsownError(f"grader_requirements: {step.name} may not be used: {'; '.join(unmet)}")


def _check_attack(recipe: Recipe, folder: Path) -> None:
    """SelfsownError if a grader must have been attacked, and was not, or more wrong answers passed than are allowed."""
    path, command = folder / ATTACK_FILE, recipe.command("attack", str(folder))
    for step in recipe.grade:
        bound = (recipe.grader_requirements or {}).get(step.method, {}).get(ATTACK)
        if bound is None:
            continue
        attacked = _read(path, command, (ATTACK,)) if path.exists() else {}
        metrics = attacked.get(_key(identity(recipe, step)))
        if metrics is None:
            raise SelfsownError(
                f"grader_requirements: {step.name} was not attacked as it is in the recipe now: {command}"
            )
        metric = metrics.get(ATTACK)
        if not metric:
            raise SelfsownError(f"grader_requirements: too little could be tried on {step.name} to tell: {command}")
        if metric.value > bound:
            raise SelfsownError(
                f"grader_requirements: {step.name} may not be used: {metric.value:.3f} of the wrong answers of one "
                f"family pass; allowed: {bound:g}; see {path}"
            )


def require(recipe: Recipe, calibration: Calibration) -> None:
    """SelfsownError with code 4 if a grader does not meet the recipe's requirements, or failed on every row."""
    if unmet := unmet_requirements(recipe, calibration):
        raise SelfsownError(f"grader_requirements: {'; '.join(unmet)}", code=ExitCode.FAILED)
    failed = []
    for step, grader in zip(recipe.grade, calibration.graders, strict=True):
        share = grader.metrics.get("failed")
        if share and share.value == 1:
            failed.append(step.name)
    if failed:
        message = f"{', '.join(failed)} graded none of {calibration.rows:,} rows: all failed"
        raise SelfsownError(message, code=ExitCode.FAILED)


def unmet_requirements(recipe: Recipe, calibration: Calibration) -> list[str]:
    """The requirements of the recipe that its graders do not meet, one sentence for each."""
    unmet = []
    for step, grader in zip(recipe.grade, calibration.graders, strict=True):
        requirements = (recipe.grader_requirements or {}).get(step.method, {})
        unmet += [f"{step.name}: {sentence}" for sentence in shortcomings(grader.metrics, requirements)]
    return unmet


def shortcomings(metrics: Mapping[str, Metric | None], requirements: Mapping[GraderRequirement, float]) -> list[str]:
    """The requirements that are not met, one sentence for each: the whole interval must meet the bound."""
    sentences = []
    for name, bound in requirements.items():
        if name == ATTACK:
            continue
        metric = metrics.get(name)
        if not metric or not (isfinite(metric.low) and isfinite(metric.high)):
            sentences.append(f"its {name} could not be measured; required: {bound:g}")
            continue
        at_least = name in HIGHER_IS_BETTER
        if metric.low < bound if at_least else max(abs(metric.low), abs(metric.high)) > bound:
            value = f"{metric.value:.3f} [{metric.low:.3f}, {metric.high:.3f}] on {metric.n} rows"
            side = "at least" if at_least else "at most"
            sentences.append(f"its {name} is {value}; the whole interval must be {side} {bound:g}")
    return sentences


def identity(recipe: Recipe, step: Step) -> JsonObject:
    """What decides how the step grades: its options, the models that it asks, and the code of a custom method."""
    roles = [role for role in ROLE_MODELS if role in parameters(step.function)]
    models = {role: without_transport(model.dump()) for role in roles if (model := _model_of(recipe, role))}
    result = {"grader": step.dump(), "models": models}
    if step.method.endswith(".py"):
        source = Path(inspect.getsourcefile(step.function) or step.method)
        result["code"] = hashlib.sha256(source.read_bytes()).hexdigest()[:16]
    return result


def _model_of(recipe: Recipe, role: str) -> Step | None:
    """The model of the role; without training, the teacher is the judge if the recipe names none."""
    model: Step | None = getattr(recipe, role)
    return recipe.teacher if role == "judge" and not model and not recipe.trains else model


def _read(path: Path, command: str, names: Sequence[str] = METRICS) -> dict[str, dict[str, Metric | None]]:
    """The metrics of each grader that was measured, by its identity."""
    try:
        graders = json.loads(path.read_text(encoding="utf-8"))["graders"]
        return {_key(grader): metrics_of(grader, names) for grader in graders}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise RunFolderError(f"{path} is damaged ({error!r}); write it again: {command}") from error


def _key(grader: Mapping[str, Json]) -> str:
    return json.dumps([grader["grader"], grader["models"], grader.get("code")], sort_keys=True)
