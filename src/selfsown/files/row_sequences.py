"""Many rows as one sequence: a list where they are few, a file where they are many, and several of these together."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import accumulate, chain, islice
from operator import attrgetter
from pathlib import Path
from typing import Any

from selfsown.files.row_parquet import RowWriter, StoredRows, item
from selfsown.records import Row, Status

IN_MEMORY = 50_000  # rows, of some 4 kB each; more are read from their file each time they are needed


class ChainedRows(Sequence[Row]):
    """Sequences of rows, one after the other, without a copy."""

    def __init__(self, *parts: Sequence[Row]) -> None:
        self.parts = parts
        self.starts = list(accumulate(map(len, parts), initial=0))

    def __len__(self) -> int:
        return self.starts[-1]

    def __iter__(self) -> Iterator[Row]:
        return chain.from_iterable(self.parts)

    def __getitem__(self, index: Any) -> Any:
        """For a few rows only; of many, `rows_at` reads each file once."""
        return item(self, partial(rows_at, self), index)


def chained(*parts: Sequence[Row]) -> Sequence[Row]:
    """The rows of all parts: as a list where all are lists."""
    if all(isinstance(part, list) for part in parts):
        return list(chain.from_iterable(parts))
    return ChainedRows(*parts)


def rows_at(rows: Sequence[Row], indices: Sequence[int]) -> list[Row]:
    """The rows at these indices, in this order; a file is read once, whatever their number."""
    if isinstance(rows, StoredRows):
        return rows.take(indices)
    if not isinstance(rows, ChainedRows):
        return [rows[index] for index in indices]
    by_part: dict[int, list[int]] = {}
    for index in indices:
        by_part.setdefault(bisect_right(rows.starts, index) - 1, []).append(index)
    by_index: dict[int, Row] = {}
    for part, here in by_part.items():
        start = rows.starts[part]
        by_index |= zip(here, rows_at(rows.parts[part], [index - start for index in here]), strict=True)
    return [by_index[index] for index in indices]


def spooled(rows: Iterable[Row], path: Path) -> Sequence[Row]:
    """The rows: a list, or where there are more than IN_MEMORY, the new file at `path`."""
    source = iter(rows)
    first = list(islice(source, IN_MEMORY + 1))
    if len(first) <= IN_MEMORY:
        return first
    path.parent.mkdir(parents=True, exist_ok=True)
    with RowWriter(path) as writer:
        for row in chain(first, source):
            writer.add(row)
    return StoredRows(path)


def copied(rows: Iterable[Row], few: list[Row]) -> Iterator[Row]:
    """The rows; the list gets them, too, or where there are more than IN_MEMORY the first of them."""
    for row in rows:
        if len(few) <= IN_MEMORY:
            few.append(row)
        yield row


def with_status(rows: Sequence[Row], status: Status) -> Sequence[Row]:
    """Those that have this status."""
    if isinstance(rows, StoredRows):
        return StoredRows(rows.path, status)
    return [row for row in rows if row.status == status]


def status_counts(rows: Sequence[Row]) -> Counter[str]:
    """The number of rows by status."""
    return Counter(values(rows, "status"))


def values(rows: Sequence[Row], name: str) -> Iterator[Any]:
    """This field of each row; of a file, nothing else is read."""
    return rows.values(name) if isinstance(rows, StoredRows) else map(attrgetter(name), rows)
