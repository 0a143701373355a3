"""The self-test of graders that know right answers: they must accept real rows and reject mutants of them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import cache

from selfsown import progress
from selfsown.calibration.mutants import mutants
from selfsown.errors import SelfsownError
from selfsown.recipe.inputs import GradeInputs
from selfsown.recipe.recipe import Recipe
from selfsown.recipe.steps import Step, parameters
from selfsown.records import Grade, Row
from selfsown.stages import ROLE_MODELS
from selfsown.tasks import Task

MIN_RIGHT_SHARE = 0.9  # of the good rows that must be accepted, and of the bad ones that must be rejected
MIN_ROWS = 10  # of either kind
MIN_SCORE = 0.5  # that accepts a row
MAX_CHARS_SHOWN = 60


def self_test(recipe: Recipe, task: Task, real: Sequence[Row], sample: Sequence[Row]) -> None:
    """Test the graders of the recipe on the sampled real rows; log once which of them cannot be tested, and why.

    A grader that asks a model is not tested: that may cost money, and the student is not trained yet. Raises
    SelfsownError if a grader accepts too few good rows or rejects too few bad ones.
    """
    good = [row for row in sample if row.target and row.answer == row.target]
    bad = list(mutants(good, task, seed=0))
    untested: dict[str, list[str]] = {}
    for step in progress.track(recipe.grade, "testing the graders"):
        if any(role in parameters(step.function) for role in ROLE_MODELS):
            reason = "asks a model; calibrate tests those"
        elif min(len(good), len(bad)) < MIN_ROWS:
            reason = "too few real rows have a known answer"
        else:
            reason = _test(step, task, real, good, bad)
        if reason:
            untested.setdefault(reason, []).append(step.name)
    for reason, names in untested.items():
        _log_once(f"note: not tested before use: {', '.join(names)} ({reason})")


def _test(step: Step, task: Task, real: Sequence[Row], good: Sequence[Row], bad: Sequence[Row]) -> str:
    """Why the grader cannot be tested, or empty; SelfsownError if it fails."""
    rows = [*good, *bad]
    grades = step.collect(Grade, GradeInputs(rows=rows, task=task, real=real))
    if len(grades) != len(rows):
        raise SelfsownError(f"{step.name} gave {len(grades)} grades for {len(rows)} rows; it must give one each")
    if all(grade.evidence not in ("oracle", "execution") for grade in grades):
        basis = "rules" if grades[0].evidence == "rule" else "an opinion"
        return f"based on {basis}, not on a known answer"
    if all(grade.failed for grade in grades[: len(good)]):
        return f"cannot grade real rows: {grades[0].reason}"
    passed = [grade.score >= MIN_SCORE and not grade.failed for grade in grades]
    accepted, rejected = sum(passed[: len(good)]), len(bad) - sum(passed[len(good) :])
    if accepted < MIN_RIGHT_SHARE * len(good):
        index = passed.index(False)
        example = f"its reason for {rows[index].answer[:MAX_CHARS_SHOWN]!r}: {grades[index].reason}"
        raise _unreliable(step, f"accepts {accepted} of {len(good)} real rows with their known answers", example)
    if rejected < MIN_RIGHT_SHARE * len(bad):
        row = rows[len(good) + passed[len(good) :].index(True)]
        example = f"it accepts {row.answer[:MAX_CHARS_SHOWN]!r} instead of {row.target[:MAX_CHARS_SHOWN]!r}"
        raise _unreliable(step, f"rejects {rejected} of {len(bad)} wrong answers", example)
    return ""


def _unreliable(step: Step, result: str, example: str) -> SelfsownError:
    return SelfsownError(f"{step.name} {result}, so it is unreliable; {example}; fix it or use another grader")


@cache
def _log_once(message: str) -> None:
    """One line, however often a recipe is checked."""
    logging.getLogger(__name__).info("selfsown: %s", message)
