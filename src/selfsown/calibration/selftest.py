"""A grader that says what is right must accept real rows with their known answers, and reject mutants of them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import cache

from selfsown.calibration.mutants import mutants
from selfsown.recipe.inputs import GradeInputs
from selfsown.recipe.recipe import Recipe
from selfsown.recipe.steps import Step, parameters
from selfsown.records import Grade, Row, SelfsownError
from selfsown.stages import ROLE_MODELS
from selfsown.tasks import Task

ENOUGH = 0.9  # the share of good rows that must be accepted, and of bad ones that must be rejected
LEAST = 10  # rows of either kind, below which a test says nothing


def tested(recipe: Recipe, task: Task, real: Sequence[Row], some: Sequence[Row]) -> None:
    """SelfsownError where a grader fails on some of the real rows; what cannot be tested so is said once.

    A grader that asks a model is not tried here: that may cost money, and the student knows nothing yet.
    """
    good = [row for row in some if row.target and row.answer == row.target]
    bad = list(mutants(good, task, seed=0))
    untested: dict[str, list[str]] = {}
    for step in recipe.grade:
        if any(role in parameters(step.function) for role in ROLE_MODELS):
            why = "it asks a model (selfsown calibrate tests that)"
        elif min(len(good), len(bad)) < LEAST:
            why = "too few real rows have a known answer"
        else:
            why = _failing(step, task, real, good, bad)
        if why:
            untested.setdefault(why, []).append(step.name)
    for why, places in untested.items():
        _told(f"not tested before use: {', '.join(places)}: {why}")


def _failing(step: Step, task: Task, real: Sequence[Row], good: Sequence[Row], bad: Sequence[Row]) -> str:
    """Why the grader cannot be tested; SelfsownError where it can, and fails."""
    rows = [*good, *bad]
    grades = step.collect(Grade, GradeInputs(rows=rows, task=task, real=real))
    if len(grades) != len(rows):
        raise SelfsownError(f"{step.name} gave {len(grades)} grades for {len(rows)} rows; it must give one each")
    if all(grade.evidence not in ("oracle", "execution") for grade in grades):
        return f"it goes by {'rules' if grades[0].evidence == 'rule' else 'an opinion'}, not by what is right"
    if all(grade.failed for grade in grades[: len(good)]):
        return f"of real rows it cannot say: {grades[0].reason}"
    passed = [grade.score >= 0.5 and not grade.failed for grade in grades]
    accepted, rejected = sum(passed[: len(good)]), len(bad) - sum(passed[len(good) :])
    if accepted < ENOUGH * len(good):
        at = passed.index(False)
        raise SelfsownError(
            f"{step.name} accepts {accepted} of {len(good)} real rows with their known answers, so it cannot be "
            f"trusted; of {rows[at].answer[:60]!r} it says: {grades[at].reason}; mend it, or take another"
        )
    if rejected < ENOUGH * len(bad):
        at = len(good) + passed[len(good) :].index(True)
        raise SelfsownError(
            f"{step.name} rejects {rejected} of {len(bad)} answers that were made wrong, so it cannot be trusted; it "
            f"accepts {rows[at].answer[:60]!r} in place of {rows[at].target[:60]!r}; mend it, or take another"
        )
    return ""


@cache
def _told(words: str) -> None:
    """Said once, however often a recipe is rehearsed."""
    logging.getLogger(__name__).info("selfsown: %s", words)
