"""Keep the examination out of the lessons: a row about a held-out problem is rejected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from selfsown.records import Row
from selfsown.text import normal


def curate(rows: Iterable[Row], held_out: Sequence[Row]) -> Iterator[Row]:
    examined = {key: row.id for row in held_out for key in (row.key, normal(row.prompt or row.answer))}
    for row in rows:
        known = examined.get(row.key) or examined.get(normal(row.prompt or row.answer))
        yield row.rejected(f"leaks: its problem is held-out row {known}") if known else row
