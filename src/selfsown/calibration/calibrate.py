"""Measure the graders of a recipe on rows with known labels: error rates, agreement and biases."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from selfsown import progress
from selfsown.calibration.labeled_rows import LabeledRow, labeled_from_file, labeled_from_real
from selfsown.calibration.metrics import (
    Metric,
    adjusted_difference,
    kappa,
    mean_gain,
    partial_correlation,
    rate,
)
from selfsown.calibration.requirements import identity
from selfsown.calibration.results import Calibration, GraderResult
from selfsown.calibration.role_models import min_score_of, role_models, stop_models, training_rows
from selfsown.errors import RecipeError, SelfsownError
from selfsown.models import Model, StepAware
from selfsown.recipe.inputs import GradeInputs
from selfsown.recipe.recipe import Recipe
from selfsown.recipe.steps import Step, parameters
from selfsown.records import Grade, JsonObject, Row
from selfsown.run_folder import RunFolder
from selfsown.stages import ROLE_MODELS, check_price, derive_seed
from selfsown.tasks import Task
from selfsown.usage.ledger import UsageEntry, recipe_prices, total, usage_entries

LEDGER_PREFIX = "calibrate."  # of the steps under which graders ask models here


@dataclass(frozen=True)
class Bench:
    """What every grader is tried on.

    models: by role. min_score: the score that passes. from_real: whether the rows are real ones and mutants of them.
    """

    rows: Sequence[LabeledRow]
    task: Task
    real: Sequence[Row]
    models: Mapping[str, Model]
    min_score: float
    from_real: bool
    seed: int


def calibrate(recipe: Recipe, folder: Path, labels: Path | None = None, max_rows: int = 200) -> Calibration:
    """Measure each grader of the recipe, and write calibration.json in the folder.

    labels: a file of labeled rows; without one, real rows with known answers and mutants of them. Replies of models are
    in the folder's journal, so that a second calibration does not pay for them again.

    Raises RecipeError if the recipe has no grader, DataError if the labels do not fit, and SelfsownError if a grader
    returns something else than one grade a row.
    """
    if not recipe.grade:
        raise RecipeError(f"{recipe.name} has no grader, so there is nothing to calibrate")
    task, seed = recipe.real(), derive_seed(recipe.seed, "calibrate")
    real = training_rows(recipe)
    labeled = (
        labeled_from_file(labels, task, max_rows, seed) if labels else labeled_from_real(real, task, max_rows, seed)
    )
    for role in ROLE_MODELS:
        if model := getattr(recipe, role):
            check_price(recipe, role, model(rows=[], seed=0))
    with RunFolder.locked(folder, recipe.dump(), recipe.steps(), remake=not recipe.trains) as store:
        models = role_models(recipe, store, real)
        progress.spend(store.journal.meter)
        try:
            bench = Bench(labeled, task, real, models, min_score_of(recipe), not labels, seed)
            graders = [_measure(recipe, step, bench) for step in progress.track(recipe.grade)]
        finally:
            stop_models(models.values())
        calibration = Calibration(
            source=labels.name if labels else "real rows and mutants of them",
            rows=len(labeled),
            good=sum(item.good for item in labeled),
            graders=graders,
            cost=_cost(recipe, store),
        )
        store.write_json("calibration", calibration.to_json())
    return calibration


def _measure(recipe: Recipe, step: Step, bench: Bench) -> GraderResult:
    """All metrics of the grader, or why it cannot be measured."""
    known = identity(recipe, step)
    roles = [role for role in ROLE_MODELS if role in parameters(step.function)]
    if missing := [role for role in roles if role not in bench.models]:
        reason = f"it asks the {missing[0]}, which is the student and not trained yet; name another model"
        return GraderResult(known, unmeasured=reason)
    rows = [item.row for item in bench.rows]
    with progress.step(f"measuring {step.name}", 2) as passes:
        grades = _grades(step, bench, rows)
        if bench.from_real and grades and all(grade.evidence == "rule" for grade in grades):
            reason = "it checks rules, not correctness; provide labeled rows: --labels FILE"
            return GraderResult(known, unmeasured=reason)
        passes.done += 1
        reversed_grades = _grades(step, bench, rows[::-1])[::-1]
    graded = _Graded.of(bench, grades)
    own_models = set(step.options.get("judges") or {bench.models[role].name for role in roles} - {""})
    metrics = {
        **graded.error_rates(),
        "failed": rate(len(rows) - len(graded.grades), len(rows)),
        "position_bias": mean_gain(_position_gains(rows, grades, reversed_grades)),
        "length_bias": graded.length_bias(),
        "self_preference": graded.self_preference(own_models),
    }
    return GraderResult(known, metrics, graded.false_accepts_by_kind())


def _grades(step: Step, bench: Bench, rows: Sequence[Row]) -> list[Grade]:
    """One grade for each of the rows; the ledger lists the requests under a step of their own."""
    name = LEDGER_PREFIX + step.method
    models: JsonObject = {
        role: model.for_step(name) if isinstance(model, StepAware) else model for role, model in bench.models.items()
    }
    inputs = GradeInputs(rows=rows, task=bench.task, real=bench.real, seed=bench.seed)
    grades = step.collect(Grade, replace(inputs, **models))
    if len(grades) != len(rows):
        raise SelfsownError(f"{step.name} gave {len(grades)} grades for {len(rows)} rows; it must give one each")
    if wrong := [grade.score for grade in grades if not 0 <= grade.score <= 1]:
        raise SelfsownError(f"{step.name} gave the score {wrong[0]}; it must be from 0 to 1")
    return grades


@dataclass(frozen=True)
class _Graded:
    """The rows that the grader graded, neither failed nor left to other graders. accepted: whether each one passed."""

    rows: Sequence[LabeledRow]
    grades: Sequence[Grade]
    accepted: Sequence[bool]

    @classmethod
    def of(cls, bench: Bench, grades: Sequence[Grade]) -> _Graded:
        pairs = zip(bench.rows, grades, strict=True)
        graded = [(item, grade) for item, grade in pairs if not grade.failed and grade.evidence != "none"]
        accepted = [grade.score >= bench.min_score for _, grade in graded]
        return cls([item for item, _ in graded], [grade for _, grade in graded], accepted)

    @property
    def good(self) -> list[bool]:
        return [item.good for item in self.rows]

    @property
    def scores(self) -> list[float]:
        return [grade.score for grade in self.grades]

    def error_rates(self) -> dict[str, Metric | None]:
        pairs = list(zip(self.good, self.accepted, strict=True))
        return {
            "false_accepts": rate(pairs.count((False, True)), self.good.count(False)),
            "false_rejects": rate(pairs.count((True, False)), self.good.count(True)),
            "agreement": rate(sum(good == accepted for good, accepted in pairs), len(pairs)),
            "kappa": kappa(self.good, self.accepted),
        }

    def length_bias(self) -> Metric | None:
        return partial_correlation(self.scores, [float(len(item.row.answer)) for item in self.rows], self.good)

    def self_preference(self, own_models: set[str]) -> Metric | None:
        """How much higher rows of the grader's own models score than others, among rows whose model is known."""
        known = [index for index, item in enumerate(self.rows) if item.row.source]
        own = [self.rows[index].row.source in own_models for index in known]
        scores, good = self.scores, self.good
        return adjusted_difference([scores[index] for index in known], own, [good[index] for index in known])

    def false_accepts_by_kind(self) -> dict[str, Metric]:
        """The share accepted of each kind of wrong row."""
        by_kind: dict[str, list[bool]] = defaultdict(list)
        for item, accepted in zip(self.rows, self.accepted, strict=True):
            if item.kind:
                by_kind[item.kind].append(accepted)
        rates = {kind: rate(sum(by_kind[kind]), len(by_kind[kind])) for kind in sorted(by_kind)}
        return {kind: metric for kind, metric in rates.items() if metric}


def _position_gains(rows: Sequence[Row], grades: Sequence[Grade], reversed_grades: Sequence[Grade]) -> list[float]:
    """For each prompt with several rows, half of what its first row gains and its last row loses by their positions."""
    positions: dict[object, list[int]] = {}
    for index, row in enumerate(rows):
        if row.prompt:
            positions.setdefault(row.full_prompt, []).append(index)
    gains = []
    for first, *_, last in (indexes for indexes in positions.values() if len(indexes) > 1):
        ends = [grade for index in (first, last) for grade in (grades[index], reversed_grades[index])]
        if not any(grade.failed for grade in ends):
            first_gain = grades[first].score - reversed_grades[first].score
            last_gain = grades[last].score - reversed_grades[last].score
            gains.append((first_gain - last_gain) / 2)
    return gains


def _cost(recipe: Recipe, store: RunFolder) -> UsageEntry | None:
    """The requests of all calibrations in the folder; None if no model server was asked."""
    ledger = usage_entries(store.journal.path, recipe_prices(recipe.dump()))
    own = [line for line in ledger if line.stage.startswith(LEDGER_PREFIX)]
    return total(own) if own else None
