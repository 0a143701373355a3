"""A data set and its columns: named by the user, or found by their usual names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from selfsown.contamination.questions import QUESTION_COLUMNS
from selfsown.errors import DataError
from selfsown.files.column_detection import NamedColumns, detect_columns
from selfsown.files.column_mapping import Columns, Record
from selfsown.files.remote import is_remote
from selfsown.records import Row
from selfsown.tasks import dataset, file


@dataclass(frozen=True)
class ColumnNames:
    """The columns that the user named.

    required: the names are for this file, so they must be there; otherwise a file without one of them is read by the
    usual names. questions_only: a benchmark, of which only the questions are read.
    """

    text: str = ""
    prompt: str = ""
    answer: str = ""
    required: bool = False
    questions_only: bool = False


@dataclass(frozen=True)
class DataSource:
    """A data set and the columns that are read; available: the names of all its columns."""

    task: file.Task | dataset.Task
    columns: Columns
    available: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.task.name

    def rows(self) -> Iterator[Row]:
        """All rows, blank ones included; in a data set without answers, the prompt counts as the row's text."""
        rows = self.columns.rows(self.task.records(self.columns.column_names), self.name)
        if self.columns.answer or self.columns.chat or self.columns.trajectory:
            return rows
        return (row.replace_fields(prompt="", answer=row.prompt, target="") for row in rows)


def open_source(path: str, names: ColumnNames, attributes: Sequence[str] = ()) -> DataSource:
    """A file of rows, or its address, or a folder of the `datasets` library, with its split as FOLDER:SPLIT.

    attributes: further columns to read. DataError: no such path, an empty file, or a column that is missing.
    """
    task = _task(path)
    if not (head := task.head()):
        raise DataError(f"{path} is empty; expected one row per line")
    available = tuple(dict.fromkeys(name for record in head for name in record))
    columns = _columns(path, head, names, tuple(attributes), available)
    return DataSource(task, replace(columns, lenient=True), available)


def _task(path: str) -> file.Task | dataset.Task:
    if Path(path).is_dir():
        return dataset.Task(path)
    if is_remote(path) or Path(path).exists():
        return file.Task(path)
    folder, _, split = path.rpartition(":")
    if folder and Path(folder).is_dir():
        return dataset.Task(folder, split=split)
    raise DataError(
        f"no such file or folder: {path}; name a file of rows (JSON lines, CSV, Parquet, text …) "
        "or a folder of the datasets library"
    )


def _columns(
    path: str, head: Sequence[Record], names: ColumnNames, attributes: tuple[str, ...], available: Sequence[str]
) -> Columns:
    requested = (names.text, names.prompt, names.answer)
    if names.questions_only:
        requested = (names.text or names.prompt, "", "")
    if not names.required and any(name and name not in available for name in requested):
        requested = ("", "", "")
    if names.questions_only and not any(requested):
        question = next((name for name in QUESTION_COLUMNS if name in available), "")
        if question:
            return Columns(path, "", question, attributes)
    return detect_columns(path, head, NamedColumns(*requested, attributes=attributes), how="")
