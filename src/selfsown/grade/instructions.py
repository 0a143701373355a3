"""A row is right if its answer keeps all constraints that its metadata holds, without gaming them (strict IFEval)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from selfsown.records import Grade, Row
from selfsown.text.constraints.adherence import adherence
from selfsown.text.constraints.constraint import CONSTRAINTS_KEY, ConstraintError, read_constraints

STREAMS = True


def grade(rows: Iterable[Row]) -> Iterator[Grade]:
    """The constraints are JSON in the metadata "constraints", such as [{"kind": "bullets", "count": 3}], which the task
    `instructions` poses and any file may have as a column. The reason names each constraint that is not kept. Answers
    fail, too, that copy the request, talk about their form, repeat themselves or have no words of their own.

    A row without constraints, or with ones that cannot be read, is not graded: it fails.
    Source: IFEval (Zhou et al. 2023), section 2, for the constraints and for strict accuracy by prompt.
    """
    for row in rows:
        if CONSTRAINTS_KEY not in row.metadata:
            yield _ungraded("the row has no constraints")
            continue
        try:
            constraints = read_constraints(row.metadata[CONSTRAINTS_KEY])
        except ConstraintError as error:
            yield _ungraded(str(error))
            continue
        result = adherence(constraints, row.answer, row.prompt, row.problem)
        yield Grade(float(result.kept), result.reason, grader="instructions")


def _ungraded(reason: str) -> Grade:
    return Grade(0.0, reason, grader="instructions", failed=True)
