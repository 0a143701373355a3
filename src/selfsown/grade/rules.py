"""A text has only characters and a length that real rows have, and matches a pattern if there is one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from selfsown.records import Grade, Row, SelfsownError

STREAMS = True


def grade(rows: Iterable[Row], real: Sequence[Row], *, pattern: str = "") -> Iterator[Grade]:
    """pattern: a regular expression that the whole answer must match; SelfsownError if it is invalid, or if there are
    no real rows."""
    try:
        re.compile(pattern)
    except re.error as error:
        raise SelfsownError(f"grade.rules: pattern {pattern!r} is not a valid regular expression: {error}") from error
    if not real:
        raise SelfsownError("grade.rules: there are no real rows to take characters and lengths from; name some")
    lengths = [len(row.answer) for row in real if row.answered]
    known = {character for row in real for character in row.answer}
    shortest, longest = min(lengths, default=0), max(lengths, default=0)
    for row in rows:
        if not row.answer.strip():
            yield Grade(0.0, f"blank text of {len(row.answer)} characters", grader="rules")
            continue
        unknown = sorted(set(row.answer) - known)
        if not lengths:
            yield Grade(0.0, "no real row has an answer to compare with", grader="rules", failed=True)
        elif unknown:
            yield Grade(0.0, f"characters that no real row has: {''.join(unknown)!r}", grader="rules")
        elif not shortest <= len(row.answer) <= longest:
            reason = f"{len(row.answer)} characters; real rows have {shortest} to {longest}"
            yield Grade(0.0, reason, grader="rules")
        elif pattern and not re.fullmatch(pattern, row.answer):
            yield Grade(0.0, f"does not match {pattern!r}", grader="rules")
        else:
            yield Grade(1.0, "follows the rules", grader="rules")
