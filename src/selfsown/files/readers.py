"""Records of a file, one by one, each with its line: JSON lines, CSV, TSV, Parquet, Arrow, a JSON array, or plain text.

No more of the file is in memory than a record (of Parquet and Arrow, a batch of them); only a JSON array is read whole.
What one record cannot say ends the reading, unless the caller sets such records aside.
"""

from __future__ import annotations

import csv
import itertools
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selfsown.files.bad_records import BadRecord, OnBad, listed, refuse
from selfsown.files.file_types import kind_of, opened
from selfsown.records import SelfsownError

DOCUMENTS = (".md", ".markdown", ".html", ".htm", ".pdf", ".docx")  # no rows yet, but text to be cut into some
BATCH = 1000  # records of a Parquet or Arrow file in memory at once

Records = Iterator[tuple[int, dict[str, Any]]]


def records(path: Path, columns: Sequence[str] = (), bad: OnBad = refuse) -> Records:
    """Each record with its line (or row) number. columns: those wanted, where the file lets others be left out.

    bad: is given each record that cannot be read, and raises, or returns so that reading goes on after it.
    """
    if not path.exists():
        raise SelfsownError(f"there is no file {path}; name the file of real rows: --set real=FILE")
    if path.is_dir():
        raise SelfsownError(
            f"{path} is a folder; name a file of real rows: .txt, .jsonl, .json, .csv, .tsv or .parquet; "
            f"or a folder of documents: --set 'real={{documents: {{path: {path}}}}}'; "
            f"or of the datasets library, as selfsown export writes it: --set 'real={{dataset: {{path: {path}}}}}'"
        )
    if path.suffix.lower() in DOCUMENTS:
        raise SelfsownError(
            f"{path} holds a document, not rows; have it cut into some: --set 'real={{documents: {{path: {path}}}}}'"
        )
    kind = kind_of(path)
    if kind in (".parquet", ".pq"):
        return _parquet(path, columns)
    if kind in (".arrow", ".feather", ".ipc"):
        return _arrow(path, columns)
    if kind in (".jsonl", ".ndjson"):
        return _jsonl(path, bad)
    if kind in (".csv", ".tsv"):
        return _table(path, "\t" if kind == ".tsv" else ",", bad)
    return _json(path, bad) if kind == ".json" else _lines(path)


def text_of(path: Path) -> str:
    """All of a text file, lines ended by a line feed alone."""
    with opened(path, None) as file:
        return file.read()


def _lines(path: Path) -> Records:
    with opened(path, None) as file:
        for at, line in enumerate(file, 1):
            if line.strip():
                yield at, {"text": line.removesuffix("\n")}


def _table(path: Path, between: str, bad: OnBad) -> Records:
    """Fields between commas or tabs, as many in every record as the first line names."""
    csv.field_size_limit(2**31 - 1)
    with opened(path, "") as file:
        reader = csv.reader(file, delimiter=between, strict=True)
        names = _names(path, reader)
        unnamed, last = "" in names, reader.line_num
        while True:
            try:
                for fields in reader:
                    last = reader.line_num
                    if len(fields) == len(names):
                        record = dict(zip(names, fields, strict=True))
                        if unnamed:
                            del record[""]
                        yield last, record
                    elif len(fields) > 1 or "".join(fields).strip():  # else it is a blank line
                        said = f"has {len(fields)} fields, and the first line names {len(names)}: {listed(names)}"
                        bad(BadRecord(path, last, f"{said}; put fields that hold {between!r} in quotes"))
                return
            except csv.Error as error:
                last = _unclosed(path, last + 1, reader.line_num, error, bad)


def _names(path: Path, reader: Any) -> list[str]:
    """The columns, as the first line names them; one without a name can be named by nobody, and is left out."""
    try:
        names: list[str] = next(reader, [])
    except csv.Error as error:
        raise SelfsownError(f"{path}:1 is not CSV: {error}; put fields in quotes") from error
    if twice := next((name for at, name in enumerate(names) if name and name in names[:at]), ""):
        raise SelfsownError(f"{path}:1 names the column {twice!r} twice; give one of them another name")
    if names and not any(name.strip() for name in names):
        raise SelfsownError(f"{path}:1 names no columns; the first line must say what each field is")
    if len(names) == 1 and (mark := next((mark for mark in ";\t" if mark in names[0]), "")):
        raise SelfsownError(
            f"{path}:1 names one column, {names[0]!r}; if its fields are divided by {mark!r}, save it "
            + ("with commas" if mark == ";" else "as .tsv")
        )
    return names


def _unclosed(path: Path, first: int, last: int, error: csv.Error, bad: OnBad) -> int:
    """Report a record that is no CSV, of one line; of more lines, nobody knows how many records they would be."""
    said = f"is not CSV: {error}; put fields in quotes, and close them"
    if first < last:
        raise SelfsownError(f"{path}:{first} {said}; it goes on to line {last}")
    bad(BadRecord(path, first, said))
    return last


def _jsonl(path: Path, bad: OnBad) -> Records:
    parsed = _DECODER.raw_decode  # half the time of json.loads, which looks for spaces
    with opened(path, "\n") as file:
        for at, line in enumerate(file, 1):
            if not (line := line.strip(" \t\r\n")):
                continue
            try:
                record, end = parsed(line)
                if end < len(line):
                    json.loads(line)  # says what is wrong with the rest
            except (ValueError, RecursionError) as error:
                bad(BadRecord(path, at, f"{_fault(error)}; each line must be one object"))
                continue
            if type(record) is dict:
                yield at, record
            else:
                bad(BadRecord(path, at, f"is {type(record).__name__}, not an object; each line must be one object"))


def _json(path: Path, bad: OnBad) -> Records:
    """An array of objects, read whole; files of JSON lines are often called .json, too."""
    with opened(path, None) as file:
        opening = next((line for line in file if not line.isspace()), "").lstrip()
        if not opening.startswith("["):
            yield from _jsonl(path, bad)
            return
        text = opening + file.read()
    for at, record in enumerate(_items(path, text), 1):
        if isinstance(record, dict):
            yield at, record
        else:
            bad(BadRecord(path, at, f"is {type(record).__name__}, not an object; each item must be one object"))


def _items(path: Path, text: str) -> Iterator[Any]:
    """The items of a JSON array, one by one, so that what is wrong with one is said with its number."""
    at, place = 0, _spaced(text, 1)
    closed = text.startswith("]", place)
    try:
        while not closed:
            at += 1
            item, place = _DECODER.raw_decode(text, place)
            yield item
            place = _spaced(text, place)
            closed = text.startswith("]", place)
            if not closed and not text.startswith(",", place):
                raise json.JSONDecodeError("Expecting ',' delimiter", text, place)
            place = place if closed else _spaced(text, place + 1)
        if text[place + 1 :].strip():
            raise json.JSONDecodeError("Extra data", text, place + 1)
    except (ValueError, RecursionError) as error:
        raise SelfsownError(f"{path}:{at} {_fault(error)}") from error


def _spaced(text: str, at: int) -> int:
    """The next place that is no white space."""
    while text[at : at + 1] in (" ", "\n", "\r", "\t"):
        at += 1
    return at


class _Twice(ValueError):
    pass


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object as a dict; JSON itself would let the last of two equal keys win."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise _Twice(next(name for at, name in enumerate(names) if name in names[:at]))
    return found


_DECODER = json.JSONDecoder(object_pairs_hook=_unique)


def _fault(error: Exception) -> str:
    """What is wrong with a text that should be JSON, in words of ours where Python's own mean something to nobody."""
    if isinstance(error, _Twice):
        return f"has the key {str(error)!r} twice in one object; keep one"
    if isinstance(error, json.JSONDecodeError):
        return f"is not JSON: {error}"
    if isinstance(error, RecursionError):
        return "cannot be read: it is nested too deeply"
    return "cannot be read: it has a whole number of thousands of digits; write it in quotes, as text"


def _parquet(path: Path, columns: Sequence[str]) -> Records:
    """Without Arrow's threads: one that still holds a Python object when the interpreter ends aborts the process.

    With a buffer, for Arrow would read a column whole otherwise, of as many rows as were written at once.
    """
    import pyarrow.parquet

    with (
        _damaged(path, "a Parquet file"),
        pyarrow.parquet.ParquetFile(path, pre_buffer=False, buffer_size=2**20) as file,
    ):
        _distinct(path, file.schema_arrow.names)
        batches = file.iter_batches(BATCH, columns=list(columns) or None, use_threads=False)
        yield from enumerate(itertools.chain.from_iterable(batch.to_pylist() for batch in batches), 1)


def _arrow(path: Path, columns: Sequence[str]) -> Records:
    """Batches in a file that can be entered anywhere, or one after the other, as the datasets library saves them."""
    import pyarrow

    options = pyarrow.ipc.IpcReadOptions(use_threads=False)
    with _damaged(path, "an Arrow file"), pyarrow.OSFile(str(path)) as file:
        if file.read(6) == b"ARROW1":
            whole = pyarrow.ipc.open_file(file, options=options)
            names, batches = whole.schema.names, (whole.get_batch(at) for at in range(whole.num_record_batches))
        else:
            file.seek(0)
            stream = pyarrow.ipc.open_stream(file, options=options)
            names, batches = stream.schema.names, iter(stream)
        _distinct(path, names)
        some = (batch.select(list(columns)) if columns else batch for batch in batches)
        slices = (batch.slice(at, BATCH) for batch in some for at in range(0, len(batch), BATCH))
        yield from enumerate(itertools.chain.from_iterable(each.to_pylist() for each in slices), 1)


@contextmanager
def _damaged(path: Path, wanted: str) -> Iterator[None]:
    import pyarrow

    try:
        yield
    except (pyarrow.ArrowException, OSError) as error:
        raise SelfsownError(f"{path} is not {wanted}: {' '.join(str(error).split())}") from error


def _distinct(path: Path, names: Sequence[str]) -> None:
    if twice := next((name for at, name in enumerate(names) if name in names[:at]), ""):
        raise SelfsownError(f"{path} has two columns called {twice!r}; give one of them another name")
