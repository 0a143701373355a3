"""Copy the records of a file to another one of the same format, without some of them; each record stays as it is."""

from __future__ import annotations

import csv
import json
from collections.abc import Container, Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

from selfsown.files.file_types import kind_of, open_bytes, open_text
from selfsown.files.json_records import is_json
from selfsown.files.readers import ARROW, JSON_LINES, MAX_FIELD_CHARS, PARQUET, TABLES, records

ROWS_PER_GROUP = 10_000  # of a Parquet file, in memory at once
BOM = b"\xef\xbb\xbf"  # with which some programs begin UTF-8 text


def suffixes(path: Path) -> tuple[str, ...]:
    """The suffixes by which a file of the same format is recognised, the usual one first."""
    kind = kind_of(path)
    groups = (PARQUET, ARROW, JSON_LINES, *((suffix,) for suffix in (*TABLES, ".json")))
    return next((group for group in groups if kind in group), (kind or ".txt",))


def copy_records(path: Path, out: Path, dropped: Container[int]) -> None:
    """Write the records of `path` whose line or row number, as `readers.records` counts, is not in `dropped`.

    Lines of text stay the same, byte for byte; tables keep all columns. The copy is not compressed.
    """
    kind = kind_of(path)
    if kind in PARQUET:
        _copy_parquet(path, out, dropped)
    elif kind in ARROW:
        _copy_arrow(path, out, dropped)
    else:
        with out.open("w", encoding="utf-8-sig" if _has_bom(path) else "utf-8", newline="") as file:
            file.writelines(_array(path, dropped) if _is_array(path, kind) else _lines(path, kind, dropped))


def write_parquet(tables: Iterable[Any], out: Path, dropped: Container[int]) -> None:
    """Write the rows of Arrow tables or batches whose number, from 1, is not in `dropped`."""
    import pyarrow.parquet

    writer = None
    try:
        for table in _without(tables, dropped):
            writer = writer or pyarrow.parquet.ParquetWriter(out, table.schema)
            writer.write(table)
    finally:
        if writer:
            writer.close()


def _copy_parquet(path: Path, out: Path, dropped: Container[int]) -> None:
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(path, pre_buffer=False, buffer_size=2**20) as file:
        write_parquet(file.iter_batches(ROWS_PER_GROUP, use_threads=False), out, dropped)


def _copy_arrow(path: Path, out: Path, dropped: Container[int]) -> None:
    """The random access file format, or the streaming format."""
    import pyarrow

    with pyarrow.OSFile(str(path)) as file:
        is_file = file.read(6) == b"ARROW1"
        file.seek(0)
        reader = (pyarrow.ipc.open_file if is_file else pyarrow.ipc.open_stream)(file)
        batches = map(reader.get_batch, range(reader.num_record_batches)) if is_file else iter(reader)
        with (pyarrow.ipc.new_file if is_file else pyarrow.ipc.new_stream)(str(out), reader.schema) as writer:
            for batch in _without(batches, dropped):
                writer.write(batch)


def _without(tables: Iterable[Any], dropped: Container[int]) -> Iterator[Any]:  # pyarrow has no types
    import pyarrow

    first = 1
    for table in tables:
        yield table.filter(pyarrow.array([number not in dropped for number in range(first, first + table.num_rows)]))
        first += table.num_rows


def _lines(path: Path, kind: str, dropped: Container[int]) -> Iterator[str]:
    """The text of each record that stays, with its line ends; of a table, first the names of its columns."""
    lines_of = {".csv": _csv, ".tsv": _csv}.get(kind, _nonblank_lines)
    is_json = kind in (*JSON_LINES, ".json")
    with open_text(path, "\n" if is_json else "") as file:
        yield from (text for number, text in lines_of(file, kind) if number not in dropped)


def _nonblank_lines(file: TextIO, _: str) -> Iterator[tuple[int, str]]:
    return ((number, line) for number, line in enumerate(file, 1) if line.strip())


def _csv(file: TextIO, kind: str) -> Iterator[tuple[int, str]]:
    """The line on which each record ends, and its text; 0 for the column names."""
    csv.field_size_limit(MAX_FIELD_CHARS)
    text: list[str] = []
    reader = csv.reader(_remembered(file, text), delimiter="\t" if kind == ".tsv" else ",", strict=True)
    is_head = True
    for fields in reader:
        if len(fields) > 1 or "".join(fields).strip():
            yield (0 if is_head else reader.line_num), "".join(text)
            is_head = False
        text.clear()


def _remembered(lines: Iterable[str], memory: list[str]) -> Iterator[str]:
    for line in lines:
        memory.append(line)
        yield line


def _array(path: Path, dropped: Container[int]) -> Iterator[str]:
    """A JSON array with one object a line."""
    separator = "[\n"
    for number, record in records(path):
        if number not in dropped:
            yield separator + _json(record)
            separator = ",\n"
    yield "\n]\n" if separator != "[\n" else "[]\n"


def _json(record: object) -> str:
    text = json.dumps(record, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode()  # an unpaired surrogate as JSON escapes it


def _is_array(path: Path, kind: str) -> bool:
    if kind != ".json":
        return False
    with open_text(path, None) as file:
        opening = next((line for line in file if not line.isspace()), "").lstrip()
    return opening.startswith("[") or not is_json(opening)  # or one object over several lines


def _has_bom(path: Path) -> bool:
    with open_bytes(path) as file:
        return file.read(len(BOM)) == BOM
