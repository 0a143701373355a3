"""A recipe is tried on a few real rows, with an untrained student, before anything is written or trained.

What would only show after minutes (a goal that nothing measures, a pattern that is none, a way of the
user's own that raises) shows in a second.
"""

from __future__ import annotations

import re
from typing import Any

from selfsown.recipe import Recipe
from selfsown.records import Generation, Grade, Mixture, Row, Score, SelfsownError, Verdict
from selfsown.split import first_of, split
from selfsown.steps import Step
from selfsown.tasks import Task

FEW = 50  # rows


def rehearsed(recipe: Recipe, task: Task) -> tuple[list[Row], list[Row]]:
    """The real rows, posed and split, after every step but training has met some of them."""
    rest, held_out = split(task.pose(recipe.seed), recipe.held_out, recipe.seed, task.name)
    real = first_of(rest, recipe.learn, recipe.seed, task.name)
    student = recipe.student(rows=real, seed=0)
    for other in (recipe.teacher, recipe.judge):
        if other:
            other(rows=real, seed=0)  # it is there, and has its key; but it is not asked, because that may cost money
    roles: dict[str, Any] = {"real": real, "held_out": held_out[:FEW], "task": task, "past": [], "seed": 0}
    roles |= {"teacher": student, "judge": student, "model": student, "level": recipe.level or task.top_level}
    for step in recipe.generate:
        if step.way == "sample":  # what others write takes too long to try
            step.each(Row, **roles | {"real": real[:FEW]}, generation=1)
    rows = real[:FEW]
    for step in recipe.grade:
        rows = graded(step, rows, **roles)
    for step in recipe.curate:
        rows = [row for row in curated(step, rows, **roles) if not row.end]
    recipe.mix.one(Mixture, real=real, synthetic=[])
    scores = tuple(score for step in recipe.evaluate for score in step.each(Score, **roles))
    if _shape(recipe.goal) not in {_shape(score.key) for score in scores}:
        there = ", ".join(score.key for score in scores)
        raise SelfsownError(f"goal: no score is called {recipe.goal!r}; this recipe measures: {there}")
    history = [Generation(at, 0, 0, {}, 1.0, scores) for at in (0, 1)]
    for step in recipe.guard:
        step.one(Verdict, history=history, kept=real[:FEW], real=real, goal=recipe.goal)
    return real, held_out


def graded(step: Step, rows: list[Row], **roles: Any) -> list[Row]:
    """The rows, each with the step's grade."""
    grades = step.each(Grade, **roles, rows=rows)
    if len(grades) != len(rows):
        raise SelfsownError(f"{step.place} gave {len(grades)} grades for {len(rows)} rows; it must give one each")
    for grade in grades:
        if not 0 <= grade.score <= 1:
            raise SelfsownError(f"{step.place} gave the score {grade.score}; it must lie from 0 to 1")
    return [row.graded(grade) for row, grade in zip(rows, grades, strict=True)]


def curated(step: Step, rows: list[Row], **roles: Any) -> list[Row]:
    """The rows that the step gives: all of these, each once, and perhaps new ones."""
    out = step.each(Row, **roles, rows=rows)
    ids = {row.id for row in out}
    if lost := {row.id for row in rows} - ids:
        raise SelfsownError(f"{step.place} lost {len(lost)} rows; every row must come out, the unwanted ones rejected")
    if len(ids) < len(out):
        raise SelfsownError(f"{step.place} gave {len(out) - len(ids)} rows twice; every row must come out once")
    return out


def _shape(key: str) -> str:
    """A score's key without the values of its stratum, of which a few rows may not show all."""
    return re.sub(r"=[^,\]]*", "=", key)
