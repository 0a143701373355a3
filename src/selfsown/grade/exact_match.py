"""A row is right if its answer equals the known one, ignoring surrounding whitespace and Unicode form."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from selfsown.records import Grade, Row
from selfsown.text.normalize import unified

READS = "answers"


def grade(rows: Sequence[Row]) -> Iterator[Grade]:
    for row in rows:
        if not unified(row.target).strip():
            yield Grade(0.0, "no known answer to compare with", grader="exact_match", evidence="oracle", failed=True)
        elif unified(row.answer).strip() == unified(row.target).strip():
            yield Grade(1.0, "equals the known answer", grader="exact_match", evidence="oracle")
        else:
            yield Grade(0.0, f"the known answer is {row.target!r}", grader="exact_match", evidence="oracle")
