"""A recipe is tried on a few real rows, with an untrained student, before anything is written or trained.

What would only show after minutes (a goal that nothing measures, a pattern that is none, a way of the
user's own that raises) shows in a second.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from typing import Any

from selfsown.calibration.selftest import tested
from selfsown.holdout import halves
from selfsown.intake import Intake, posed, prepared
from selfsown.recipe.recipe import Recipe
from selfsown.recipe.steps import parameters
from selfsown.records import Generation, Grade, Mixture, Row, Score, SelfsownError, Verdict, answered
from selfsown.stages import ROLE_MODELS, affordable, curated, graded
from selfsown.tasks import Task

FEW = 50  # rows


def rehearsed(recipe: Recipe, task: Task, intake: Intake | None = None) -> tuple[list[Row], list[Row]]:
    """The real rows, prepared and split, after every step but training has met some; intake counts what is read."""
    real, held_out = posed(recipe, task, intake or Intake())
    known, measured = answered(real), answered(held_out)
    validation, _ = halves(measured, recipe.seed)
    student = recipe.student(rows=real, seed=0)
    for role in ROLE_MODELS:
        if other := getattr(recipe, role):  # it is there, and has its key; but it is not asked: that may cost money
            affordable(recipe, role, other(rows=real, seed=0))
    first = recipe.base_train or recipe.train[0]
    if first.method == "dpo" and not any("rejected" in row.metadata for row in real):
        raise SelfsownError("train.dpo: generation 0 learns from real rows, and none is a pair: set base_train: sft")
    roles: dict[str, Any] = {"real": real, "held_out": measured[:FEW], "task": task, "past": [], "seed": 0}
    roles |= {"teacher": student, "judge": student, "model": student, "level": recipe.level or task.top_level}
    roles |= {"grader_count": len(recipe.grade)}
    for step in recipe.generate:
        if step.method == "sample":  # what others write takes too long to try
            step.collect(Row, **roles | {"rows": real[:FEW]}, generation=1)
    rows = real[:FEW]
    for step in recipe.grade:
        rows = list(graded(step, rows, **roles))
    tested(recipe, task, real, real[:FEW])
    for step in recipe.curate:
        rows = list(curated(step, rows, **roles))
    recipe.mix.one(Mixture, real=known, synthetic=[])
    scores = tuple(score for step in recipe.evaluate for score in step.collect(Score, **roles))
    if _shape(recipe.goal) not in {_shape(score.key) for score in scores}:
        there = ", ".join(score.key for score in scores)
        raise SelfsownError(f"goal: no score is called {recipe.goal!r}; this recipe measures: {there}")
    history = [Generation(at, 0, 0, {}, 1.0, scores) for at in (0, 1)]
    roles |= {"history": history, "made": real[:FEW], "kept": real[:FEW], "goal": recipe.goal}
    roles |= {"real": known, "held_out": validation}
    roles |= {"written": lambda number, count: real[:FEW], "baselines": lambda models: []}
    for step in recipe.guard:
        step.one(Verdict, **roles)
    return real, held_out


def tried(recipe: Recipe, task: Task) -> None:
    """The same where nobody is trained. A grader that asks a model is given no rows, so that nothing is paid."""
    if not recipe.teacher:
        raise SelfsownError(
            f"teacher is missing: {recipe.name} shall make rows and train nobody, so name who writes: "
            "--set 'teacher={endpoint: {url: …, model: …}}'"
        )
    models = {role: other(rows=[], seed=0) for role in ROLE_MODELS if (other := getattr(recipe, role))}
    for role, model in models.items():
        affordable(recipe, role, model)
    some = rows = list(islice(prepared(recipe, task), FEW))
    roles: dict[str, Any] = {"judge": models["teacher"], **models, "task": task, "real": some, "seed": 0}
    roles |= {"grader_count": len(recipe.grade)}
    for step in recipe.grade:
        if any(role in parameters(step.function) for role in ROLE_MODELS):
            step.collect(Grade, **roles, rows=[])
        else:
            rows = list(graded(step, rows, **roles))
    tested(recipe, task, some, some)
    for step in recipe.curate:
        rows = list(curated(step, rows, **roles, held_out=[], past=[]))


def _shape(key: str) -> str:
    """A score's key without the values of its stratum, of which a few rows may not show all."""
    return re.sub(r"=[^,\]]*", "=", key)
