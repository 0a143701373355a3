"""Records of a file with their line numbers: JSON lines, CSV, TSV, Parquet, Arrow, a JSON array, or plain text.

Only one record is in memory at a time (of Parquet and Arrow, a batch); only a JSON array is read whole. A bad record
ends the reading, unless the caller skips bad records.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from selfsown.errors import DataError
from selfsown.files.bad_records import BadRecord, OnBad, column_list, raise_bad
from selfsown.files.delimiters import delimiter_of
from selfsown.files.file_types import kind_of, open_text
from selfsown.files.json_records import json_lines, json_records
from selfsown.files.record_fields import Record, first_duplicate

if TYPE_CHECKING:
    from _csv import Reader

DOCUMENT_SUFFIXES = (".md", ".markdown", ".html", ".htm", ".pdf", ".docx")  # text to be cut into rows
BATCH_ROWS = 1000  # of a Parquet or Arrow file, in memory at once
MAX_FIELD_CHARS = 2**31 - 1  # of CSV

PARQUET, ARROW = (".parquet", ".pq"), (".arrow", ".feather", ".ipc")
JSON_LINES, TABLES = (".jsonl", ".ndjson"), (".csv", ".tsv")

Records = Iterator[tuple[int, Record]]


def records(path: Path, columns: Sequence[str] = (), bad: OnBad = raise_bad, key: str = "real") -> Records:
    """Each record with its line or row number.

    columns: those to read, where the format can leave others out. bad: called with each record that cannot be read; it
    raises, or returns to go on with the next one. key: of the recipe, for the error that there is no such file.
    DataError: the file cannot be read.
    """
    if not path.exists():
        raise DataError(f"no such file: {path}; name the file of real rows: --set {key}=FILE")
    if path.is_dir():
        raise DataError(
            f"{path} is a folder; name a file of real rows: .txt, .jsonl, .json, .csv, .tsv or .parquet; "
            f"or a folder of documents: --set 'real={{documents: {{path: {path}}}}}'; "
            f"or a folder of the datasets library, such as export writes: "
            f"--set 'real={{dataset: {{path: {path}}}}}'"
        )
    if path.suffix.lower() in DOCUMENT_SUFFIXES:
        raise DataError(
            f"{path} is a document, not rows; cut it into rows: --set 'real={{documents: {{path: {path}}}}}'"
        )
    kind = kind_of(path)
    if kind in PARQUET:
        return _parquet(path, columns)
    if kind in ARROW:
        return _arrow(path, columns)
    if kind in JSON_LINES:
        return json_lines(path, bad)
    if kind in TABLES:
        return _csv(path, kind, bad)
    return json_records(path, bad) if kind == ".json" else _lines(path)


def is_plain_text(path: Path) -> bool:
    """Whether each line of the file is a record, whose column `text` it is."""
    return kind_of(path) not in (*PARQUET, *ARROW, *JSON_LINES, *TABLES, ".json")


def table_columns(path: Path) -> list[str]:
    """The column names of a CSV or TSV file; none for another file."""
    if (kind := kind_of(path)) not in TABLES:
        return []
    with open_text(path, "") as file:
        return _column_names(path, csv.reader(file, delimiter=_delimiter(path, kind)))


def read_text(path: Path) -> str:
    """The whole of a text file, with line feeds as line ends. DataError: it cannot be read, or is not UTF-8."""
    with open_text(path, None) as file:
        return file.read()


def _lines(path: Path) -> Records:
    with open_text(path, None) as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield number, {"text": line.removesuffix("\n")}


def _delimiter(path: Path, kind: str) -> str:
    csv.field_size_limit(MAX_FIELD_CHARS)
    return delimiter_of(path, "\t" if kind == ".tsv" else ",")


def _csv(path: Path, kind: str, bad: OnBad) -> Records:
    """Every record must have as many fields as the first line."""
    delimiter = _delimiter(path, kind)
    with open_text(path, "") as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        names = _column_names(path, reader)
        unnamed, line = "" in names, reader.line_num
        while True:
            try:
                for fields in reader:
                    line = reader.line_num
                    if len(fields) == len(names):
                        record = dict(zip(names, fields, strict=True))
                        if unnamed:
                            del record[""]
                        yield line, record
                    elif len(fields) > 1 or "".join(fields).strip():  # else it is a blank line
                        counts = f"has {len(fields)} fields, but the first line has {len(names)}: {column_list(names)}"
                        bad(BadRecord(path, line, f"{counts}; quote fields that contain {delimiter!r}"))
                return
            except csv.Error as error:
                line = _report_bad_csv(path, line + 1, reader.line_num, error, bad)


def _column_names(path: Path, reader: Reader) -> list[str]:
    """The columns of the first line that is not blank; "" for a column without a name, which is not read."""
    try:
        names: list[str] = next((fields for fields in reader if len(fields) > 1 or "".join(fields).strip()), [])
    except csv.Error as error:
        raise DataError(f"{path}:{reader.line_num} is not CSV: {error}; quote the fields") from error
    line = reader.line_num
    if duplicate := first_duplicate([name for name in names if name]):
        raise DataError(f"{path}:{line} has the column {duplicate!r} twice; rename one of them")
    if names and not any(name.strip() for name in names):
        raise DataError(f"{path}:{line} has no column names; the first line must name every field")
    if len(names) == 1 and (mark := next((mark for mark in ";\t" if mark in names[0]), "")):
        raise DataError(
            f"{path}:{line} has one column, {names[0]!r}; if {mark!r} separates its fields, every line needs as many"
        )
    return names


def _report_bad_csv(path: Path, first: int, last: int, error: csv.Error, bad: OnBad) -> int:
    """Report a one-line record that is not CSV. Over several lines the number of records is unknown, so that is an
    error."""
    reason = f"is not CSV: {error}; quote fields and close the quotes"
    if first < last:
        raise DataError(f"{path}:{first} {reason}; it extends to line {last}")
    bad(BadRecord(path, first, reason))
    return last


def _parquet(path: Path, columns: Sequence[str]) -> Records:
    """Without Arrow's threads: one that still holds a Python object when the interpreter ends aborts the process.

    With a buffer: otherwise Arrow reads a column whole, of as many rows as were written at once.
    """
    import pyarrow.parquet

    with (
        _reported(path, "a Parquet file"),
        pyarrow.parquet.ParquetFile(path, pre_buffer=False, buffer_size=2**20) as file,
    ):
        _check_distinct(path, file.schema_arrow.names)
        batches = file.iter_batches(BATCH_ROWS, columns=list(columns) or None, use_threads=False)
        yield from enumerate(itertools.chain.from_iterable(batch.to_pylist() for batch in batches), 1)


def _arrow(path: Path, columns: Sequence[str]) -> Records:
    """The random access file format, or the streaming format, which the datasets library writes."""
    import pyarrow

    options = pyarrow.ipc.IpcReadOptions(use_threads=False)
    with _reported(path, "an Arrow file"), pyarrow.OSFile(str(path)) as file:
        if file.read(6) == b"ARROW1":
            random_access = pyarrow.ipc.open_file(file, options=options)
            names = random_access.schema.names
            batches = (random_access.get_batch(index) for index in range(random_access.num_record_batches))
        else:
            file.seek(0)
            stream = pyarrow.ipc.open_stream(file, options=options)
            names, batches = stream.schema.names, iter(stream)
        _check_distinct(path, names)
        selected = (batch.select(list(columns)) if columns else batch for batch in batches)
        slices = (batch.slice(start, BATCH_ROWS) for batch in selected for start in range(0, len(batch), BATCH_ROWS))
        yield from enumerate(itertools.chain.from_iterable(part.to_pylist() for part in slices), 1)


@contextmanager
def _reported(path: Path, kind: str) -> Iterator[None]:
    """Errors of Arrow as a DataError."""
    import pyarrow

    try:
        yield
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{path} is not {kind}: {' '.join(str(error).split())}") from error


def _check_distinct(path: Path, names: Sequence[str]) -> None:
    if duplicate := first_duplicate(names):
        raise DataError(f"{path} has two columns called {duplicate!r}; rename one of them")
