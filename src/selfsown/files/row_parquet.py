"""Rows as a Parquet file, written and read some at a time, so that memory does not grow with their number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Any, overload

import pyarrow
import pyarrow.parquet

from selfsown.records import Grade, Row

GROUP = 5_000  # rows of one group of a file; as many are in memory at once
BATCH = 1_000  # rows made into objects at once

_GRADE = pyarrow.struct(
    [("score", pyarrow.float64())]
    + [(name, pyarrow.string()) for name in ("reason", "grader", "evidence")]
    + [("correction", pyarrow.list_(pyarrow.string()))]
)
_TEXTS = ("id", "prompt", "answer", "problem", "target", "origin", "source", "method", "status", "reason")
SCHEMA = pyarrow.schema(
    [(name, pyarrow.string()) for name in _TEXTS]
    + [(name, pyarrow.int64()) for name in ("generation", "sample_index", "level")]
    + [("parents", pyarrow.list_(pyarrow.string())), ("metadata", pyarrow.map_(pyarrow.string(), pyarrow.string()))]
    + [("grades", pyarrow.list_(_GRADE))]
)
_PLAIN = attrgetter(*SCHEMA.names[:-2])
_FIELDS = SCHEMA.names[1:-3]


class Writer:
    """A file that grows row by row; it is whole once the `with` is left."""

    def __init__(self, path: Path) -> None:
        self.file = pyarrow.parquet.ParquetWriter(path, SCHEMA, compression="zstd")
        self.waiting: list[Row] = []
        self.batches: list[pyarrow.RecordBatch] = []

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *_: object) -> None:
        self._group()
        self.file.close()

    def add(self, row: Row) -> None:
        self.waiting.append(row)
        if len(self.waiting) == BATCH:
            self._batch()
            if len(self.batches) == GROUP // BATCH:
                self._group()

    def _batch(self) -> None:
        values = [list(column) for column in zip(*map(_PLAIN, self.waiting), strict=True)]
        values.append([list(row.metadata.items()) for row in self.waiting])
        values.append([list(map(vars, row.grades)) for row in self.waiting])
        columns = [pyarrow.array(each, field.type) for each, field in zip(values, SCHEMA, strict=True)]
        self.batches.append(pyarrow.RecordBatch.from_arrays(columns, schema=SCHEMA))
        self.waiting = []

    def _group(self) -> None:
        if self.waiting:
            self._batch()
        if self.batches:
            self.file.write_table(pyarrow.Table.from_batches(self.batches), row_group_size=GROUP)
            self.batches = []


class Stored(Sequence[Row]):
    """The rows of a file, read anew each time that somebody goes through them."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __len__(self) -> int:
        with pyarrow.parquet.ParquetFile(self.path, pre_buffer=False) as file:
            return int(file.metadata.num_rows)

    def __iter__(self) -> Iterator[Row]:
        with pyarrow.parquet.ParquetFile(self.path, pre_buffer=False) as file:
            for batch in file.iter_batches(BATCH, use_threads=False):
                yield from _rows(batch)

    @overload
    def __getitem__(self, at: int) -> Row: ...
    @overload
    def __getitem__(self, at: slice) -> list[Row]: ...
    def __getitem__(self, at: int | slice) -> Row | list[Row]:
        """For who needs few; each time, the file is read as far."""
        if isinstance(at, slice):
            return list(self)[at]
        if not -len(self) <= at < len(self):
            raise IndexError(at)
        return next(islice(self, at % len(self), None))


def rows_of(table: pyarrow.Table) -> list[Row]:
    return list(_rows(table))


def _rows(columns: pyarrow.Table | pyarrow.RecordBatch) -> Iterator[Row]:
    """Column by column, which is faster than record by record. Each row keeps the id under which it was written."""
    found = (columns.column(name).to_pylist() for name in SCHEMA.names)
    for named, *plain, parents, traits, grades in zip(*found, strict=True):
        made = tuple(map(_grade, grades)) if grades else ()
        row = Row(**dict(zip(_FIELDS, plain, strict=True)), parents=tuple(parents), metadata=dict(traits), grades=made)
        row.__dict__["_id"] = named
        yield row


def _grade(told: dict[str, Any]) -> Grade:
    return Grade(**told | {"correction": tuple(told["correction"]) if told["correction"] else None})


def table(parquet: bytes) -> pyarrow.Table:
    """Read from Arrow's own memory and without its threads: one that still holds a Python object when the
    interpreter ends aborts the process."""
    file = pyarrow.parquet.ParquetFile(pyarrow.BufferReader(parquet), pre_buffer=False)
    return file.read(use_threads=False)
