"""Read demonstrations of constraints: a request, its constraint, and an answer that keeps it."""

from __future__ import annotations

import json
from pathlib import Path

from selfsown.errors import DataError
from selfsown.files.readers import records
from selfsown.files.record_fields import Record
from selfsown.text.constraints.adherence import adherence
from selfsown.text.constraints.constraint import CONSTRAINTS_KEY, Constraint, ConstraintError, read_constraints
from selfsown.text.constraints.demonstrations import Demonstration

COLUMNS = ("prompt", "answer", CONSTRAINTS_KEY)


def read_demonstrations(path: Path) -> list[Demonstration]:
    """The demonstrations of a file of records. DataError where a column is missing, a record has not one constraint, or
    its answer does not keep it."""
    shown = [_demonstration(f"{path}:{line}", record) for line, record in records(path)]
    if not shown:
        raise DataError(f"{path} is empty; expected a demonstration a line, with {', '.join(COLUMNS)}")
    return shown


def _demonstration(place: str, record: Record) -> Demonstration:
    request, answer = (record.get(name) for name in COLUMNS[:2])
    if not isinstance(request, str) or not isinstance(answer, str) or not record.get(CONSTRAINTS_KEY):
        raise DataError(f"{place} is no demonstration; it needs texts in {' and '.join(COLUMNS[:2])}, and constraints")
    only = _constraint(place, record[CONSTRAINTS_KEY])
    result = adherence([only], answer, "\n\n".join([request, only.sentences()[0]]), request)
    if not result.kept:
        raise DataError(f"{place}: the answer does not keep its constraint: {result.reason}")
    return Demonstration(request, only, answer)


def _constraint(place: str, value: object) -> Constraint:
    try:
        constraints = read_constraints(value if isinstance(value, str) else json.dumps(value))
    except ConstraintError as error:
        raise DataError(f"{place}: {error}") from error
    if len(constraints) != 1:
        raise DataError(f"{place} has {len(constraints)} constraints; a demonstration has one")
    return constraints[0]
