"""Records of a file, one by one, each with its line: JSON lines, CSV, TSV, Parquet, a JSON array, or plain text.

No more of the file is in memory than a record (of Parquet, a batch of them); only a JSON array is read whole.
"""

from __future__ import annotations

import csv
import gzip
import itertools
import json
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from selfsown.records import SelfsownError

DOCUMENTS = (".md", ".markdown", ".html", ".htm", ".pdf", ".docx")  # no rows yet, but text to be cut into some
BATCH = 1000  # records of a Parquet file in memory at once


def records(path: Path, columns: Sequence[str] = ()) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each record with its line (or row) number. columns: those wanted, where the file lets others be left out."""
    if not path.exists():
        raise SelfsownError(f"there is no file {path}; name the file of real rows: --set real=FILE")
    if path.is_dir():
        raise SelfsownError(
            f"{path} is a folder; name a file of real rows: .txt, .jsonl, .json, .csv, .tsv or .parquet; "
            f"or a folder of documents: --set 'real={{documents: {{path: {path}}}}}'"
        )
    kind = _kind(path)
    if kind in DOCUMENTS:
        raise SelfsownError(
            f"{path} holds a document, not rows; have it cut into some: --set 'real={{documents: {{path: {path}}}}}'"
        )
    if kind == ".parquet":
        return _parquet(path, columns)
    if kind in (".jsonl", ".ndjson"):
        return _jsonl(path)
    if kind in (".csv", ".tsv"):
        return _table(path, "\t" if kind == ".tsv" else ",")
    return _json(path) if kind == ".json" else _lines(path)


def text_of(path: Path) -> str:
    """All of a text file, lines ended by a line feed alone."""
    with _opened(path, None) as file:
        return file.read()


def _kind(path: Path) -> str:
    """The ending that says what is in the file, packed by gzip or not."""
    return (Path(path.stem) if path.suffix.lower() == ".gz" else path).suffix.lower()


@contextmanager
def _opened(path: Path, newline: str | None) -> Iterator[TextIO]:
    packed = path.suffix.lower() == ".gz"
    try:
        with (gzip.open if packed else open)(path, "rt", encoding="utf-8-sig", newline=newline) as file:
            yield file
    except UnicodeDecodeError as error:
        raise _not_utf8(path, error) from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise SelfsownError(f"{path} cannot be unpacked: {error}; pack it anew with gzip") from error
    except OSError as error:
        raise SelfsownError(f"{path} cannot be read: {error.strerror or error}") from error


def _not_utf8(path: Path, error: UnicodeDecodeError) -> SelfsownError:
    """Text is decoded a block at a time, so the line is looked for once more."""
    packed = path.suffix.lower() == ".gz"
    with (gzip.open if packed else open)(path, "rb") as file:
        for at, line in enumerate(file, 1):
            try:
                line.decode()
            except UnicodeDecodeError as found:
                byte = line[found.start]
                return SelfsownError(f"{path}:{at} is not UTF-8 text (byte {byte:#x}); convert the file to UTF-8")
    return SelfsownError(f"{path} is not UTF-8 text ({error.reason}); convert the file to UTF-8")


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with _opened(path, None) as file:
        for at, line in enumerate(file, 1):
            if line.strip():
                yield at, {"text": line.removesuffix("\n")}


def _table(path: Path, between: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Fields between commas or tabs; a quote that is never closed is an error, not the rest of the file."""
    csv.field_size_limit(2**31 - 1)
    with _opened(path, "") as file:
        reader = csv.reader(file, delimiter=between, strict=True)
        try:
            names = next(reader, [])
            for fields in reader:
                if fields:
                    yield reader.line_num, dict(zip(names, fields, strict=False))
        except csv.Error as error:
            raise SelfsownError(f"{path}:{reader.line_num} is not CSV: {error}; put fields in quotes") from error


def _jsonl(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    parsed = json.JSONDecoder().raw_decode  # half the time of json.loads, which looks for spaces
    with _opened(path, "\n") as file:
        for at, line in enumerate(file, 1):
            if not (line := line.strip(" \t\r\n")):
                continue
            try:
                record, end = parsed(line)
                if end < len(line):
                    json.loads(line)  # says what is wrong with the rest
            except ValueError as error:
                raise SelfsownError(f"{path}:{at} is not JSON: {error}; each line must be one object") from error
            yield at, record if type(record) is dict else _object(path, at, record, "line")


def _json(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """An array of objects, read whole; files of JSON lines are often called .json, too."""
    with _opened(path, None) as file:
        opening = next((line for line in file if not line.isspace()), "").lstrip()
        if opening.startswith("["):
            try:
                array = json.loads(opening + file.read())
            except ValueError as error:
                raise SelfsownError(f"{path} is not JSON: {error}") from error
            yield from ((at, _object(path, at, record, "item")) for at, record in enumerate(array, 1))
            return
    yield from _jsonl(path)


def _object(path: Path, at: int, record: Any, each: str) -> dict[str, Any]:
    if not isinstance(record, dict):
        raise SelfsownError(f"{path}:{at} is {type(record).__name__}, not an object; each {each} must be one object")
    return record


def _parquet(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Without Arrow's threads: one that still holds a Python object when the interpreter ends aborts the process.

    With a buffer, for Arrow would read a column whole otherwise, of as many rows as were written at once.
    """
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path, pre_buffer=False, buffer_size=2**20) as file:
            batches = file.iter_batches(BATCH, columns=list(columns) or None, use_threads=False)
            yield from enumerate(itertools.chain.from_iterable(batch.to_pylist() for batch in batches), 1)
    except (pyarrow.ArrowException, OSError) as error:
        raise SelfsownError(f"{path} is not a Parquet file: {' '.join(str(error).split())}") from error
