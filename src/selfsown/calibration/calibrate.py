"""The graders graded: how often each accepts what is wrong and rejects what is right, and what leads it astray."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selfsown import cost
from selfsown.calibration.labeled_rows import Labelled, of_file, of_real
from selfsown.calibration.metrics import Measure, difference, gain, kappa, partial_correlation, rate
from selfsown.calibration.requirements import identity, shortcomings
from selfsown.holdout import sides
from selfsown.intake import Intake, prepared
from selfsown.models import RemoteModel
from selfsown.preflight.dry_run import posed
from selfsown.recipe.recipe import Recipe
from selfsown.recipe.steps import Step, parameters
from selfsown.records import Grade, Row, SelfsownError
from selfsown.run_folder import RunFolder
from selfsown.stages import ROLE_MODELS, affordable, derive_seed
from selfsown.usage.ledger import total

MEASURES: tuple[str, ...] = ("false_accepts", "false_rejects", "agreement", "kappa", "failed")
MEASURES += ("position_bias", "length_bias", "self_preference")


@dataclass(frozen=True)
class Bench:
    """What every grader is tried on. least: the score that passes."""

    labelled: Sequence[Labelled]
    roles: Mapping[str, Any]
    least: float
    from_real: bool
    seed: int


def measured(recipe: Recipe, folder: Path, labels: Path | None = None, rows: int = 200) -> dict[str, Any]:
    """Measure each grader of the recipe on labelled rows, at most so many, or on real rows and mutants of them.

    It is written to the folder's calibration.json; the models' replies are in its journal, and are not paid for again.
    """
    if not recipe.grade:
        raise SelfsownError(f"{recipe.name} names no grader, so there is nothing to calibrate")
    task, seed = recipe.real(), derive_seed(recipe.seed, "calibrate")
    real = _real(recipe)
    labelled = of_file(labels, task, rows, seed) if labels else of_real(real, task, rows, seed)
    for role in ROLE_MODELS:
        if other := getattr(recipe, role):
            affordable(recipe, role, other(rows=[], seed=0))
    with RunFolder.locked(folder, recipe.dump(), recipe.steps(), remake=not recipe.trains) as store:
        models = _models(recipe, store, real)
        try:
            bench = Bench(labelled, {"task": task, "real": real, **models}, _least(recipe), not labels, seed)
            graders = [identity(recipe, step) | _tried(step, bench) for step in recipe.grade]
        finally:
            for model in models.values():
                if stop := getattr(model, "stop", None):
                    stop()
        source = labels.name if labels else "real rows, and mutants of them"
        found = {"source": source, "rows": len(labelled), "good": sum(each.good for each in labelled)}
        found |= {"graders": graders, "cost": _cost(folder)}
        store.write_json("calibration", found)
    return found


def falls_short(recipe: Recipe, found: Mapping[str, Any]) -> list[str]:
    """What the recipe demands of its graders, and does not get, in words."""
    pairs = zip(recipe.grade, found["graders"], strict=True)
    wanted = [(step, measured, (recipe.grader_requirements or {}).get(step.method, {})) for step, measured in pairs]
    return [f"{step.name}: {each}" for step, measured, least in wanted for each in shortcomings(measured, least)]


def demand(recipe: Recipe, found: Mapping[str, Any]) -> None:
    """SelfsownError where a grader is not as good as the recipe demands (code 1), or failed at every row (code 4)."""
    if poor := falls_short(recipe, found):
        raise SelfsownError(f"trust: {'; '.join(poor)}", code=1)
    pairs = zip(recipe.grade, found["graders"], strict=True)
    silent = [step.name for step, measured in pairs if (measured.get("failed") or {}).get("value") == 1]
    if silent:
        raise SelfsownError(f"{', '.join(silent)} graded none of {found['rows']:,} rows: all failed", code=4)


def _real(recipe: Recipe) -> list[Row]:
    """The real rows that are not held out, as `run` or `make` would take them."""
    task = recipe.real()
    if recipe.trains:
        return posed(recipe, task, Intake())[0]
    both = sides(lambda: prepared(recipe, task), recipe.held_out, recipe.seed, task.name)
    return [row for held_out, row in both if not held_out]


def _models(recipe: Recipe, store: RunFolder, real: Sequence[Row]) -> dict[str, Any]:
    """The models that the recipe names; where nobody is trained, the teacher is the judge if no other is."""
    made = {
        role: step(rows=real, seed=derive_seed(recipe.seed, "calibrate", role), journal=store.journal, role=role)
        for role in ROLE_MODELS
        if (step := getattr(recipe, role))
    }
    if "judge" not in made and "teacher" in made and not recipe.trains:
        made["judge"] = made["teacher"]
    return made


def _least(recipe: Recipe) -> float:
    """The score from which on the recipe keeps a row."""
    for step in recipe.curate:
        if step.method == "min_score":
            return float(step.options.get("min_score", parameters(step.function)["min_score"].default))
    return 0.5


def _tried(step: Step, bench: Bench) -> dict[str, Any]:
    """All measures of the grader, or why there are none."""
    asked = [role for role in ROLE_MODELS if role in parameters(step.function)]
    if missing := [role for role in asked if role not in bench.roles]:
        return {
            "unmeasured": f"it asks the {missing[0]}, which is the student, and not trained yet; name another model"
        }
    rows = [each.row for each in bench.labelled]
    grades = _graded(step, bench, rows)
    if bench.from_real and grades and all(grade.evidence == "rule" for grade in grades):
        return {"unmeasured": "it goes by rules, not by what is right; bring labelled rows: --labels FILE"}
    pairs = zip(bench.labelled, grades, strict=True)
    said = [(each, grade) for each, grade in pairs if not grade.failed and grade.evidence != "none"]
    good, accepted = [each.good for each, _ in said], [grade.score >= bench.least for _, grade in said]
    both = list(zip(good, accepted, strict=True))
    scores, lengths = [grade.score for _, grade in said], [float(len(each.row.answer)) for each, _ in said]
    own = set(step.options.get("judges") or {getattr(bench.roles[role], "name", "") for role in asked} - {""})
    known = [at for at, (each, _) in enumerate(said) if each.row.source]
    ours = [said[at][0].row.source in own for at in known]
    backwards = _graded(step, bench, rows[::-1])[::-1]
    found: dict[str, Measure | None] = {
        "false_accepts": rate(both.count((False, True)), good.count(False)),
        "false_rejects": rate(both.count((True, False)), good.count(True)),
        "agreement": rate(sum(a == b for a, b in both), len(both)),
        "kappa": kappa(good, accepted),
        "failed": rate(len(rows) - len(said), len(rows)),
        "position_bias": gain(_gains(rows, grades, backwards)),
        "length_bias": partial_correlation(scores, lengths, good),
        "self_preference": difference([scores[at] for at in known], ours, [good[at] for at in known]),
    }
    plain = {name: measure._asdict() if measure else None for name, measure in found.items()}
    return plain | {"false_accepts_by_kind": _by_kind(said, accepted)}


def _graded(step: Step, bench: Bench, rows: Sequence[Row]) -> list[Grade]:
    """One grade for each of the rows. What models take is told apart in the ledger."""
    place = f"calibrate.{step.method}"
    roles = {
        name: role.for_step(place) if isinstance(role, RemoteModel) else role for name, role in bench.roles.items()
    }
    grades = step.collect(Grade, **roles, rows=rows, seed=bench.seed)
    if len(grades) != len(rows):
        raise SelfsownError(f"{step.name} gave {len(grades)} grades for {len(rows)} rows; it must give one each")
    if wrong := [grade.score for grade in grades if not 0 <= grade.score <= 1]:
        raise SelfsownError(f"{step.name} gave the score {wrong[0]}; it must lie from 0 to 1")
    return grades


def _gains(rows: Sequence[Row], grades: Sequence[Grade], backwards: Sequence[Grade]) -> list[float]:
    """For each prompt with siblings: what the first gained by standing first, and the last lost by standing last."""
    places: dict[object, list[int]] = {}
    for at, row in enumerate(rows):
        if row.prompt:
            places.setdefault(row.full_prompt, []).append(at)
    found = []
    for first, *_, last in (each for each in places.values() if len(each) > 1):
        if not any(grade.failed for at in (first, last) for grade in (grades[at], backwards[at])):
            before, after = (grades[at].score - backwards[at].score for at in (first, last))
            found.append((before - after) / 2)
    return found


def _by_kind(said: Sequence[tuple[Labelled, Grade]], accepted: Sequence[bool]) -> dict[str, Any]:
    """False accepts for each way in which a row was made wrong."""
    kinds = sorted({each.kind for each, _ in said if each.kind})
    found = {}
    for kind in kinds:
        hits = [accepted[at] for at, (each, _) in enumerate(said) if each.kind == kind]
        if measure := rate(sum(hits), len(hits)):
            found[kind] = measure._asdict()
    return found


def _cost(folder: Path) -> dict[str, Any] | None:
    """What calibrating took in this folder, all in all; None where no model behind a server was asked."""
    spent = cost.read(folder)
    lines = [line for line in spent.lines if line.stage.startswith("calibrate.")] if spent else []
    all_of_it = total(lines).to_json()
    return {name: all_of_it[name] for name in ("requests", "input", "output", "untold", "usd")} if lines else None
