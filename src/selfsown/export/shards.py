"""Writes records as Parquet or JSON Lines files of at most ROWS_PER_FILE rows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path

import pyarrow
import pyarrow.parquet

from selfsown.export.formats import Record

ROWS_PER_FILE = 500_000
ROWS_PER_WRITE = 2048  # in memory at once


def write_shards(records: Iterable[Record], schema: pyarrow.Schema, folder: Path, file_format: str) -> None:
    """Write the files; they get their names at the end, as a name contains the number of files."""
    folder.mkdir(parents=True)
    write = _write_parquet if file_format == "parquet" else _write_jsonl
    remaining = iter(records)
    paths: list[Path] = []
    for first in remaining:
        paths.append(folder / f"{len(paths)}.{file_format}")
        write(chain([first], islice(remaining, ROWS_PER_FILE - 1)), schema, paths[-1])
    for index, path in enumerate(paths):
        path.rename(folder / f"train-{index:05d}-of-{len(paths):05d}.{file_format}")


def _write_parquet(records: Iterator[Record], schema: pyarrow.Schema, path: Path) -> None:
    with pyarrow.parquet.ParquetWriter(path, schema, compression="zstd") as file:
        while group := list(islice(records, ROWS_PER_WRITE)):
            file.write_table(pyarrow.Table.from_pylist(group, schema))


def _write_jsonl(records: Iterator[Record], schema: pyarrow.Schema, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
