"""Rows as a Parquet file, written and read in batches, so that memory does not grow with the number of rows."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from io import BytesIO
from operator import attrgetter
from pathlib import Path
from typing import Any, overload

import pyarrow
import pyarrow.compute
import pyarrow.parquet

from selfsown.files.record_fields import Record
from selfsown.records import Grade, Row, Status

ROWS_PER_GROUP = 5_000  # in memory at once while writing
ROWS_PER_BATCH = 1_000  # turned into objects at once

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
_scalars = attrgetter(*SCHEMA.names[:-2])  # all but metadata and grades
_SCALAR_FIELDS = SCHEMA.names[1:-3]  # also without id and parents


class RowWriter:
    """Writes rows one by one; the file is complete once the `with` block ends."""

    def __init__(self, path: Path | BytesIO) -> None:
        self.file = pyarrow.parquet.ParquetWriter(path, SCHEMA, compression="zstd")
        self.pending: list[Row] = []
        self.batches: list[pyarrow.RecordBatch] = []

    def __enter__(self) -> RowWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._write_group()
        self.file.close()

    def add(self, row: Row) -> None:
        self.pending.append(row)
        if len(self.pending) == ROWS_PER_BATCH:
            self._add_batch()
            if len(self.batches) == ROWS_PER_GROUP // ROWS_PER_BATCH:
                self._write_group()

    def _add_batch(self) -> None:
        values = [list(column) for column in zip(*map(_scalars, self.pending), strict=True)]
        values.append([list(row.metadata.items()) for row in self.pending])
        values.append([list(map(vars, row.grades)) for row in self.pending])
        columns = [pyarrow.array(column, field.type) for column, field in zip(values, SCHEMA, strict=True)]
        self.batches.append(pyarrow.RecordBatch.from_arrays(columns, schema=SCHEMA))
        self.pending = []

    def _write_group(self) -> None:
        if self.pending:
            self._add_batch()
        if self.batches:
            self.file.write_table(pyarrow.Table.from_batches(self.batches), row_group_size=ROWS_PER_GROUP)
            self.batches = []


class StoredRows(Sequence[Row]):
    """The rows of a file; every iteration reads the file again. status: only those that have it; None for all."""

    def __init__(self, path: Path, status: Status | None = None) -> None:
        self.path, self.status = path, status

    def _open(self) -> pyarrow.parquet.ParquetFile:
        return pyarrow.parquet.ParquetFile(self.path, pre_buffer=False)

    def __len__(self) -> int:
        return self._size

    @cached_property
    def _size(self) -> int:
        if self.status is None:
            with self._open() as file:
                return int(file.metadata.num_rows)
        return sum(1 for _ in self.values("status"))

    def __iter__(self) -> Iterator[Row]:
        for batch in self._batches():
            yield from _rows(batch)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        """For a few rows only: each call reads the file up to the row."""
        return item(self, self.take, index)

    def take(self, indices: Sequence[int]) -> list[Row]:
        """The rows at these indices, in this order; the file is read once, in batches."""
        ascending, by_index, start = sorted(indices), dict[int, Row](), 0
        for batch in self._batches() if indices else ():
            here = ascending[bisect_left(ascending, start) : bisect_left(ascending, start + batch.num_rows)]
            if here:
                taken = batch.take(pyarrow.array([index - start for index in here]))
                by_index |= zip(here, _rows(taken), strict=True)
            start += batch.num_rows
            if start > ascending[-1]:
                break
        return [by_index[index] for index in indices]

    def values(self, name: str) -> Iterator[Any]:
        """One field of each row, which must be a column of its own."""
        for batch in self._batches(ROWS_PER_GROUP, [name, "status"]):
            yield from batch.column(name).to_pylist()

    def _batches(self, size: int = ROWS_PER_BATCH, columns: list[str] | None = None) -> Iterator[pyarrow.RecordBatch]:
        with self._open() as file:
            for batch in file.iter_batches(size, columns=columns, use_threads=False):
                if self.status is None:
                    yield batch
                else:
                    yield batch.filter(pyarrow.compute.equal(batch["status"], self.status))


def item(rows: Sequence[Row], take: Callable[[Sequence[int]], list[Row]], index: int | slice) -> Row | list[Row]:
    """What a sequence of rows has at an index or in a slice. take: reads its rows at several indices."""
    if isinstance(index, slice):
        return take(range(*index.indices(len(rows))))
    if not -len(rows) <= index < len(rows):
        raise IndexError(index)
    return take([index % len(rows)])[0]


def parquet_bytes(rows: Sequence[Row]) -> bytes:
    """The rows as a file's content."""
    if isinstance(rows, StoredRows) and rows.status is None:
        return rows.path.read_bytes()
    content = BytesIO()
    with RowWriter(content) as writer:
        for row in rows:
            writer.add(row)
    return content.getvalue()


def column_batches(path: Path, columns: Sequence[str]) -> Iterator[pyarrow.RecordBatch]:
    """These columns of all rows of a file, some rows at a time."""
    with pyarrow.parquet.ParquetFile(path, pre_buffer=False) as file:
        yield from file.iter_batches(ROWS_PER_GROUP, columns=list(columns), use_threads=False)


def rows_from_table(table: pyarrow.Table) -> list[Row]:
    """The rows of a table with the columns of SCHEMA."""
    return list(_rows(table))


def _rows(columns: pyarrow.Table | pyarrow.RecordBatch) -> Iterator[Row]:
    """Column by column, which is faster than record by record. Each row keeps the id with which it was written."""
    values = (columns.column(name).to_pylist() for name in SCHEMA.names)
    for row_id, *scalars, parents, metadata, grades in zip(*values, strict=True):
        row = Row(
            **dict(zip(_SCALAR_FIELDS, scalars, strict=True)),
            parents=tuple(parents),
            metadata=dict(metadata),
            grades=tuple(map(_grade, grades)) if grades else (),
        )
        row.__dict__["_id"] = row_id
        yield row


def _grade(record: Record) -> Grade:
    correction = tuple(record["correction"]) if record["correction"] else None
    return Grade(**record | {"correction": correction})


def read_table(parquet: bytes) -> pyarrow.Table:
    """The table in the bytes of a Parquet file.

    Read from Arrow's own memory and without its threads: one that still holds a Python object when the interpreter ends
    aborts the process.
    """
    file = pyarrow.parquet.ParquetFile(pyarrow.BufferReader(parquet), pre_buffer=False)
    return file.read(use_threads=False)
