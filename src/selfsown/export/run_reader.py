"""What an export is made from: the folder of a run or of made rows, read in batches so that memory stays flat."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.compute
import pyarrow.parquet
import yaml

from selfsown.files.row_parquet import rows_from_table
from selfsown.records import Row, SelfsownError
from selfsown.run_folder import RunFolder, generation_dir

BATCH = 2048  # rows


@dataclass(frozen=True)
class Source:
    """parts: the files of rows that count. left_out: in words, what does not."""

    folder: Path
    recipe: Mapping[str, Any]
    version: str
    parts: Sequence[Path]
    left_out: Sequence[str]


def source(folder: Path) -> Source:
    if (folder / "compare.json").exists() or any(folder.glob("*/seed-*/recipe.yaml")):
        raise SelfsownError(f"{folder} holds a comparison; name one of its runs, such as {folder}/graded/seed-0")
    store = RunFolder(folder)
    recipe = _recipe(folder / "recipe.yaml")
    version = str((store.json("environment") or {}).get("selfsown", ""))
    made = folder / "rows.parquet"
    if made.exists():
        return Source(folder, recipe, version, [made], [])
    parts, left_out = [], []
    history = store.generations()
    for generation in history[1:]:
        part = folder / generation_dir(generation.number) / "rows.parquet"
        if generation.accepted:
            parts.append(part)
        else:
            by = ", ".join(verdict.guard for verdict in generation.rejections)
            left_out.append(f"generation {generation.number}, rolled back by {by}")
    if (folder / generation_dir(len(history)) / "rows.parquet").exists():
        left_out.append(f"generation {len(history)}, which is not finished")
    return Source(folder, recipe, version, parts, left_out)


def batches(path: Path, columns: Sequence[str] | None = None) -> Iterator[pyarrow.RecordBatch]:
    """The file's rows, a few at a time and without Arrow's threads."""
    try:
        with pyarrow.parquet.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20) as file:
            yield from file.iter_batches(BATCH, columns=columns, use_threads=False)
    except (pyarrow.ArrowException, OSError, KeyError) as error:
        said = " ".join(f"{type(error).__name__}: {error}".split())
        raise SelfsownError(f"{path} is damaged ({said}); an export needs it whole") from error


def size(folder: Path, name: str) -> int:
    """How many rows stand in FOLDER/NAME.parquet, if it is there."""
    path = folder / f"{name}.parquet"
    return sum(len(batch) for batch in batches(path, ["id"])) if path.exists() else 0


def ended(batch: pyarrow.RecordBatch, ends: Sequence[str]) -> list[Row]:
    """The rows of the batch that ended so."""
    wanted = batch.filter(pyarrow.compute.is_in(batch["status"], pyarrow.array(ends, pyarrow.string())))
    return rows_from_table(pyarrow.Table.from_batches([wanted]))


def _recipe(path: Path) -> Mapping[str, Any]:
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise ValueError("it is no recipe")
        return found
    except (OSError, ValueError, yaml.YAMLError, json.JSONDecodeError) as error:
        said = " ".join(f"{type(error).__name__}: {error}".split())
        raise SelfsownError(f"{path} is damaged ({said}); an export needs it whole") from error
