"""Records as files that trainers open: Parquet or JSON lines, so many rows a file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path

import pyarrow
import pyarrow.parquet

from selfsown.export.formats import Record

SHARD = 500_000  # rows of a file
GROUP = 2048  # rows that are in memory at once


def write(records: Iterable[Record], schema: pyarrow.Schema, folder: Path, kind: str) -> None:
    """As many files as it takes; a name says which of how many it is, so they are named at the end."""
    folder.mkdir(parents=True)
    rest = iter(records)
    found: list[Path] = []
    for first in rest:
        found.append(folder / f"{len(found)}.{kind}")
        (_parquet if kind == "parquet" else _jsonl)(chain([first], islice(rest, SHARD - 1)), schema, found[-1])
    for at, path in enumerate(found):
        path.rename(folder / f"train-{at:05d}-of-{len(found):05d}.{kind}")


def _parquet(records: Iterator[Record], schema: pyarrow.Schema, path: Path) -> None:
    with pyarrow.parquet.ParquetWriter(path, schema, compression="zstd") as file:
        while group := list(islice(records, GROUP)):
            file.write_table(pyarrow.Table.from_pylist(group, schema))


def _jsonl(records: Iterator[Record], schema: pyarrow.Schema, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
