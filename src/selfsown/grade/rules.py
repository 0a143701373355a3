"""A text keeps to what the real rows show: their characters and their lengths, and a pattern where one is given."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from selfsown.records import Grade, Row, SelfsownError

STREAMS = True


def grade(rows: Iterable[Row], real: Sequence[Row], *, pattern: str = "") -> Iterator[Grade]:
    """`pattern` is a regular expression that the whole answer must match."""
    try:
        re.compile(pattern)
    except re.error as error:
        raise SelfsownError(f"grade.rules: {pattern!r} is no regular expression: {error}; mend it") from error
    if not real:
        raise SelfsownError("grade.rules: there are no real rows whose characters and lengths are the rule")
    lengths = [len(row.answer) for row in real if row.answered]
    known = {character for row in real for character in row.answer}
    shortest, longest = min(lengths, default=0), max(lengths, default=0)
    for row in rows:
        if not row.answer.strip():
            yield Grade(0.0, f"an empty text, of {len(row.answer)} characters", grader="rules")
            continue
        strange = sorted(set(row.answer) - known)
        if not lengths:
            yield Grade(0.0, "no real row has an answer to compare with", grader="rules", failed=True)
        elif strange:
            yield Grade(0.0, f"characters that no real row has: {''.join(strange)!r}", grader="rules")
        elif not shortest <= len(row.answer) <= longest:
            wanted = f"real rows have {shortest} to {longest}"
            yield Grade(0.0, f"{len(row.answer)} characters; {wanted}", grader="rules")
        elif pattern and not re.fullmatch(pattern, row.answer):
            yield Grade(0.0, f"does not match {pattern!r}", grader="rules")
        else:
            yield Grade(1.0, "keeps to the rules", grader="rules")
