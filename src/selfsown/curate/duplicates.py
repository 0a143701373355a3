"""Say each thing once: a row is rejected if a real row, an earlier generation or an earlier row says the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from selfsown.records import Row


def curate(rows: Iterable[Row], real: Sequence[Row], past: Sequence[Row]) -> Iterator[Row]:
    """The same: prompt and answer alike, character for character."""
    said = {(row.prompt, row.answer): row.id for row in (*real, *past)}
    for row in rows:
        first = said.get((row.prompt, row.answer))
        yield row.rejected(f"duplicates: said before by {first}") if first else row
        said.setdefault((row.prompt, row.answer), row.id)
