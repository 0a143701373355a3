"""A dry run of a recipe: every step but training meets a few real rows before anything is written or trained.

What would otherwise fail after minutes (a goal that nothing measures, an invalid pattern, a custom method that
raises) fails within a second.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice

from selfsown import progress
from selfsown.calibration.selftest import self_test
from selfsown.errors import RecipeError, closest
from selfsown.holdout import validation_and_test
from selfsown.intake import Intake, prepared_rows, split_real_rows
from selfsown.models import Model
from selfsown.preflight.real_rows import check_rows_fit, check_templates
from selfsown.preflight.stub_student import stand_in
from selfsown.recipe.inputs import (
    CurateInputs,
    EvaluateInputs,
    GenerateInputs,
    GradeInputs,
    GuardInputs,
    MixInputs,
)
from selfsown.recipe.recipe import Recipe
from selfsown.recipe.steps import Step
from selfsown.records import Generation, Grade, Mixture, Row, Score, Verdict, answered
from selfsown.stages import ROLE_MODELS, check_price, curate_rows, grade_rows
from selfsown.tasks import Task, measurable

SAMPLE_ROWS = 50
UNANSWERED_ROWS = 10  # held-out prompts to which the task checks answers, besides answered rows


def dry_run(recipe: Recipe, task: Task, intake: Intake | None = None) -> tuple[list[Row], list[Row]]:
    """(to learn from, held out): the real rows, after every step but training has met some of them.

    intake: counts what is read. Raises RecipeError or DataError where a step does not fit.
    """
    real, held_out = split_real_rows(recipe, task, intake or Intake())
    check_rows_fit(recipe, task, real)
    check_templates(recipe, task, real[:SAMPLE_ROWS])
    student: Model = stand_in(recipe.student(rows=real, seed=0), [*real, *held_out])
    _create_role_models(recipe, real)  # they exist and have their keys; but asking them may cost money
    _check_pairs(recipe, real)
    rows = real[:SAMPLE_ROWS]
    level = recipe.level or task.top_level
    for step in _each(recipe.generate):
        if step.method == "sample":  # what other generators write takes too long
            inputs = GenerateInputs(rows=rows, real=real, teacher=student, task=task, level=level, generation=1)
            step.collect(Row, inputs)
    grading = GradeInputs(judge=student, teacher=student, task=task, real=real)
    for step in _each(recipe.grade):
        rows = list(grade_rows(step, rows, grading))
    self_test(recipe, task, real, real[:SAMPLE_ROWS])
    measured = measurable(held_out, task)
    sample = held_out_sample(held_out, task)
    for step in _each(recipe.curate):
        curating = CurateInputs(task=task, real=real, held_out=sample, grader_count=len(recipe.grade))
        rows = list(curate_rows(step, rows, curating))
    recipe.mix.one(Mixture, MixInputs(real=answered(real), synthetic=[]))
    evaluating = EvaluateInputs(model=student, held_out=sample, task=task)
    scores = tuple(score for step in _each(recipe.evaluate) for score in step.collect(Score, evaluating))
    _check_goal(recipe, scores)
    _run_guards(recipe, task, real, validation_and_test(measured, recipe.seed)[0], scores)
    return real, held_out


def held_out_sample(held_out: Sequence[Row], task: Task) -> list[Row]:
    """A few held-out rows on which every measure of the recipe can be tried."""
    measured = measurable(held_out, task)
    unanswered = [row for row in measured if not row.answered]
    return [*answered(measured)[:SAMPLE_ROWS], *unanswered[:UNANSWERED_ROWS]]


def _each(steps: Sequence[Step]) -> Iterator[Step]:
    """The steps, one by one, shown as progress."""
    for step in progress.track(steps):
        with progress.step(f"checking {step.name}"):
            yield step


def _create_role_models(recipe: Recipe, rows: list[Row]) -> dict[str, Model]:
    """The teacher and judge, as far as the recipe names them. RecipeError where a needed price is not known."""
    models = {role: step(rows=rows, seed=0) for role in ROLE_MODELS if (step := getattr(recipe, role))}
    for role, model in models.items():
        check_price(recipe, role, model)
    return models


def _check_pairs(recipe: Recipe, real: list[Row]) -> None:
    """RecipeError where generation 0 is to learn preferences, and no real row has a rejected answer."""
    first = recipe.base_train or recipe.train[0]
    if "preference_pairs" in first.requires and not any("rejected" in row.metadata for row in real):
        raise RecipeError(f"{first.name}: generation 0 learns from real rows, and none is a pair: set base_train: sft")


def _check_goal(recipe: Recipe, scores: tuple[Score, ...]) -> None:
    if _without_values(recipe.goal) not in {_without_values(score.key) for score in scores}:
        keys = [score.key for score in scores]
        whole = ", ".join(key for key in keys if "[" not in key)  # without strata, which may be many
        near = closest(recipe.goal, keys)
        hint = f"did you mean {near!r}?" if near else f"this recipe measures: {whole}"
        raise RecipeError(f"goal: there is no score {recipe.goal!r}; {hint}")


def _run_guards(recipe: Recipe, task: Task, real: list[Row], validation: list[Row], scores: tuple[Score, ...]) -> None:
    """Every guard on two equal generations."""
    rows = real[:SAMPLE_ROWS]
    inputs = GuardInputs(
        history=[Generation(number, 0, 0, {}, 1.0, scores) for number in (0, 1)],
        made=rows,
        kept=rows,
        real=answered(real),
        held_out=answered(validation),
        task=task,
        goal=recipe.goal,
        written=lambda number, count: rows,
        baselines=lambda models: [],
    )
    for step in _each(recipe.guard):
        step.one(Verdict, inputs)


def dry_run_make(recipe: Recipe, task: Task) -> None:
    """The same for a recipe that only makes rows. A grader that asks a model gets no rows, so that nothing is paid."""
    if not recipe.teacher:
        raise RecipeError(
            f"teacher is missing: {recipe.name} makes rows without a student, so it needs a model that writes them: "
            "--set 'teacher={endpoint: {url: …, model: …}}'"
        )
    models = _create_role_models(recipe, [])
    real = rows = list(islice(prepared_rows(recipe, task), SAMPLE_ROWS))
    others = islice(prepared_rows(recipe, task), SAMPLE_ROWS, None)  # read only if no row fits before
    check_rows_fit(recipe, task, chain(real, others))
    check_templates(recipe, task, real)
    judge = models.get("judge", models["teacher"])
    grading = GradeInputs(judge=judge, teacher=models["teacher"], task=task, real=real)
    for step in _each(recipe.grade):
        if step.takes(*ROLE_MODELS):
            step.collect(Grade, replace(grading, rows=[]))
        else:
            rows = list(grade_rows(step, rows, grading))
    self_test(recipe, task, real, real)
    for step in _each(recipe.curate):
        rows = list(curate_rows(step, rows, CurateInputs(task=task, real=real, grader_count=len(recipe.grade))))


def _without_values(key: str) -> str:
    """A score's key without the values of its stratum, of which a few rows may not show all."""
    return re.sub(r"=[^,\]]*", "=", key)
