"""A data set of the `datasets` library: a folder that it saved, a folder of files that it reads, or a name on the Hub.

A folder is read offline. A name is fetched and streamed: nothing of it is stored on disk.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from selfsown.errors import DataError, one_line
from selfsown.files.bad_records import OnBad, SkippedRecords, raise_bad
from selfsown.files.column_detection import ReadAs
from selfsown.files.readers import BATCH_ROWS
from selfsown.files.user_rows import RecordRows
from selfsown.option_types import Natural
from selfsown.records import JsonObject
from selfsown.templates import TemplateText

QUIET = {"HF_HUB_DISABLE_TELEMETRY": "1", "HF_UPDATE_DOWNLOAD_COUNTS": "0"}  # the library reports nothing to the Hub
SAVED_FILES = ("state.json", "dataset_dict.json")  # one of these is in a folder written by save_to_disk


@dataclass(frozen=True)
class Task(RecordRows):
    """path: the folder or the name. split, config: which part of it; the only split of a data set needs no
    name. text: the column of a document; or prompt and answer: the columns of a question and its answer; or prompt
    alone: of questions without answers. system: the column of a row's system message. Each of these four may be a
    template over columns: "{{ subject }}: {{ body }}". attributes: columns to measure bias on. metadata: further
    columns that rows carry; those that a template of the recipe uses are added. read_as: prompts or documents, what a
    text is that no column name explains; by default what the recipe's generators need. rows: use so many, drawn at
    random; 0 uses all. license: the license of the rows, as their owner states it. skip_bad: skip records that make
    no row, and count them with their reasons.
    """

    task_name: ClassVar[str] = "dataset"

    path: str
    split: str = "train"
    config: str = ""
    text: TemplateText = ""
    prompt: TemplateText = ""
    answer: TemplateText = ""
    system: TemplateText = ""
    attributes: tuple[str, ...] = ()
    metadata: tuple[str, ...] = ()
    read_as: ReadAs = ""
    rows: Natural = 0
    license: str = ""
    skip_bad: bool = False

    @property
    def name(self) -> str:
        return Path(self.path).resolve().name if Path(self.path).exists() else self.path

    def records(self, columns: Sequence[str] = (), bad: OnBad = raise_bad) -> Iterator[tuple[int, JsonObject]]:
        """As in RecordRows; the library reads all records or none, so no single record is bad."""
        split = self._opened_split
        return self._numbered(split.select_columns(list(columns)) if columns else split)

    def tables(self) -> Iterator[Any]:
        """All rows with all columns, as Arrow tables of a few rows. DataError: they cannot be read."""
        return self._tables(self._opened_split)

    def _empty_message(self, skipped: SkippedRecords) -> str:
        return (
            super()._empty_message(skipped) if skipped.items else f"{self.path} has no rows in its split {self.split!r}"
        )

    @cached_property
    def _opened_split(self) -> Any:  # datasets has no types
        """The split as the library returns it: on disk, or as a stream."""
        for name, value in QUIET.items():  # read when the library is imported
            os.environ.setdefault(name, value)
        try:
            import datasets
        except ModuleNotFoundError as error:
            raise DataError(
                f"{self.path} needs the package {error.name}, which is not installed: pip install 'selfsown[datasets]'"
            ) from error
        folder = Path(self.path)
        try:
            if any((folder / name).exists() for name in SAVED_FILES):
                opened = datasets.load_from_disk(self.path)
            else:
                opened = datasets.load_dataset(
                    str(folder.resolve()) if folder.is_dir() else self.path, self.config or None, streaming=True
                )
        except Exception as error:  # of many types, all about the path, the config or the files
            place = "" if folder.exists() else "there is no such folder, and on the Hub: "
            raise DataError(f"{self.path} cannot be read as a data set: {place}{one_line(error)}") from error
        return self._chosen(opened) if isinstance(opened, dict) else opened

    def _chosen(self, splits: JsonObject) -> Any:
        if self.split == "train" and len(splits) == 1:
            return next(iter(splits.values()))
        if self.split not in splits:
            raise DataError(
                f"{self.path} has no split {self.split!r}; available: {', '.join(splits)}; "
                f"set split in a recipe, or use {self.path}:SPLIT in audit"
            )
        return splits[self.split]

    def _numbered(self, split: Any) -> Iterator[tuple[int, JsonObject]]:
        yield from enumerate(itertools.chain.from_iterable(batch.to_pylist() for batch in self._tables(split)), 1)

    def _tables(self, split: Any) -> Iterator[Any]:
        try:
            yield from split.with_format("arrow").iter(BATCH_ROWS)
        except Exception as error:
            raise DataError(f"{self.path} cannot be read to its end: {one_line(error)}") from error
