"""A text is new if no real row says the same, letter case, spaces and the spelling in Unicode aside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from selfsown.records import Grade, Row, SelfsownError
from selfsown.text.normalize import normal

STREAMS = True


def grade(rows: Iterable[Row], real: Sequence[Row]) -> Iterator[Grade]:
    if not real:
        raise SelfsownError("grade.novelty: there are no real rows, so that all would be new; name some under real")
    known = {normal(f"{row.prompt} {row.answer}"): row.id for row in real}
    for row in rows:
        if not (row.prompt + row.answer).strip():
            yield Grade(0.0, "an empty text", grader="novelty")
            continue
        copied = known.get(normal(f"{row.prompt} {row.answer}"))
        yield (
            Grade(0.0, f"copies real row {copied}", grader="novelty") if copied else Grade(1.0, "new", grader="novelty")
        )
