"""Example rows that an audit points to: groups of near duplicates, and copies of real rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from selfsown.audit.scan import row_number, shown_text
from selfsown.audit.text_view import TextView
from selfsown.records import Row

MAX_EXAMPLES = 10


@dataclass(frozen=True)
class RowGroup:
    """Sampled rows with nearly the same text: how many, the numbers of the first of them, and the text of one."""

    count: int
    row_numbers: tuple[int, ...]
    text: str


def duplicate_groups(view: TextView, rows: Sequence[Row]) -> tuple[RowGroup, ...]:
    """The largest groups of near duplicates among the synthetic rows."""
    n = len(rows) // 2
    _, first, inverse, counts = np.unique(view.groups[n:], return_index=True, return_inverse=True, return_counts=True)
    result = []
    for group in np.argsort(-counts, kind="stable")[:MAX_EXAMPLES].tolist():
        if counts[group] > 1:
            numbers = sorted(row_number(rows[n + index]) for index in np.flatnonzero(inverse == group).tolist())
            row = rows[n + first[group]]
            text = row.answer if view.name == "answers" else shown_text(row)
            result.append(RowGroup(int(counts[group]), tuple(numbers[:MAX_EXAMPLES]), text))
    return tuple(result)


def copied_rows(views: Sequence[TextView], rows: Sequence[Row]) -> tuple[RowGroup, ...]:
    """The first synthetic rows of each view that are copies or near copies of real rows."""
    n = len(rows) // 2
    indices = dict.fromkeys(
        index for view in views for index in (n + np.flatnonzero(view.copies_real[n:])[:MAX_EXAMPLES]).tolist()
    )
    return tuple(RowGroup(1, (row_number(rows[index]),), shown_text(rows[index])) for index in indices)
