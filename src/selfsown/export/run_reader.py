"""Reads the folder of a run, or of `selfsown make`, in batches, so that memory does not grow with the rows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow
import pyarrow.compute
import pyarrow.parquet
import yaml

from selfsown.errors import RunFolderError, one_line
from selfsown.files.row_parquet import rows_from_table
from selfsown.records import Json, Row
from selfsown.run_folder import RunFolder, generation_dir

BATCH_ROWS = 2048  # rows


@dataclass(frozen=True)
class ExportSource:
    """What is exported. parts: the files with rows. left_out: which generations are not exported, and why."""

    folder: Path
    recipe: Mapping[str, Json]
    version: str
    parts: Sequence[Path]
    left_out: Sequence[str]


def open_source(folder: Path) -> ExportSource:
    """Raises SelfsownError where the folder holds a comparison, no run, or a damaged one."""
    if (folder / "compare.json").exists() or any(folder.glob("*/seed-*/recipe.yaml")):
        raise RunFolderError(f"{folder} holds a comparison; name one of its runs, such as {folder}/graded/seed-0")
    run_folder = RunFolder(folder)
    recipe = _load_recipe(folder / "recipe.yaml")
    version = str((run_folder.json("environment") or {}).get("selfsown", ""))
    made = folder / "rows.parquet"
    if made.exists():
        return ExportSource(folder, recipe, version, [made], [])
    parts, left_out = [], []
    history = run_folder.generations()
    for generation in history[1:]:
        part = folder / generation_dir(generation.number) / "rows.parquet"
        if generation.accepted:
            parts.append(part)
        else:
            guards = ", ".join(verdict.guard for verdict in generation.rejections)
            left_out.append(f"generation {generation.number}, rolled back by {guards}")
    if (folder / generation_dir(len(history)) / "rows.parquet").exists():
        left_out.append(f"generation {len(history)}, which is not finished")
    return ExportSource(folder, recipe, version, parts, left_out)


def read_batches(path: Path, columns: Sequence[str] | None = None) -> Iterator[pyarrow.RecordBatch]:
    """The rows of the file in batches, without Arrow's threads."""
    try:
        with pyarrow.parquet.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20) as file:
            yield from file.iter_batches(BATCH_ROWS, columns=columns, use_threads=False)
    except (pyarrow.ArrowException, OSError, KeyError) as error:
        raise RunFolderError(f"{path} is damaged ({one_line(error)}); an export needs it whole") from error


def count_rows(folder: Path, name: str) -> int:
    """The number of rows in FOLDER/NAME.parquet; 0 where there is no such file."""
    path = folder / f"{name}.parquet"
    return sum(len(batch) for batch in read_batches(path, ["id"])) if path.exists() else 0


def rows_with_status(batch: pyarrow.RecordBatch, statuses: Sequence[str]) -> list[Row]:
    matching = batch.filter(pyarrow.compute.is_in(batch["status"], pyarrow.array(statuses, pyarrow.string())))
    return rows_from_table(pyarrow.Table.from_batches([matching]))


def _load_recipe(path: Path) -> Mapping[str, Json]:
    try:
        recipe = yaml.safe_load(path.read_text(encoding="utf-8"))
        if not isinstance(recipe, dict):
            raise ValueError("expected a mapping")
        return recipe
    except (OSError, ValueError, yaml.YAMLError, json.JSONDecodeError) as error:
        raise RunFolderError(f"{path} is damaged ({one_line(error)}); an export needs it whole") from error
