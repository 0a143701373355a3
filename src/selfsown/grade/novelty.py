"""A text is new if no real row says the same, letter case and spaces aside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from selfsown.records import Grade, Row


def grade(rows: Sequence[Row], real: Sequence[Row]) -> Iterator[Grade]:
    known = {_plain(row): row.id for row in real}
    for row in rows:
        copied = known.get(_plain(row))
        yield Grade(0.0, f"copies real row {copied}", by="novelty") if copied else Grade(1.0, "new", by="novelty")


def _plain(row: Row) -> str:
    return " ".join(f"{row.prompt} {row.answer}".lower().split())
