"""A data set of the `datasets` library: a folder, saved by it or of files that it reads, or a name on the Hub.

A folder is read offline. A name is fetched, for the recipe says it, and streamed: nothing of it is kept on disk.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from selfsown.files.bad_records import SkippedRecords, OnBad, raise_bad
from selfsown.files.readers import BATCH_ROWS
from selfsown.files.user_rows import RecordRows
from selfsown.option_types import Natural
from selfsown.records import SelfsownError

SAVED = ("state.json", "dataset_dict.json")  # what save_to_disk leaves in a folder


@dataclass(frozen=True)
class Task(RecordRows):
    """path: the folder or the name. split, config: which part of it; where it has one split alone and no train, that
    one. text: the column of a document; or prompt and answer: the columns of a question and its answer; or prompt
    alone: of questions that nobody has answered. attributes: columns in which a bias would show. rows: use only so
    many, drawn at random (0: all). license: what the rows may be used under, as their owner says. skip: go on without
    a record that makes no row, and count it with its reason."""

    task_name: ClassVar[str] = "dataset"

    path: str
    split: str = "train"
    config: str = ""
    text: str = ""
    prompt: str = ""
    answer: str = ""
    attributes: tuple[str, ...] = ()
    rows: Natural = 0
    license: str = ""
    skip_bad: bool = False

    @property
    def name(self) -> str:
        return Path(self.path).resolve().name if Path(self.path).exists() else self.path

    def records(self, columns: Sequence[str] = (), bad: OnBad = raise_bad) -> Iterator[tuple[int, dict[str, Any]]]:
        """As `RecordRows` says; the library reads all records or none, so that none is bad by itself."""
        found = self._opened
        return self._records(found.select_columns(list(columns)) if columns else found)

    def _empty_message(self, skipped: SkippedRecords) -> str:
        return super()._empty_message(skipped) if skipped.items else f"{self.path} has no rows in its split {self.split!r}"

    @cached_property
    def _opened(self) -> Any:
        """The split as the library gives it: on disk, or as a stream."""
        try:
            import datasets
        except ModuleNotFoundError as error:
            raise SelfsownError(
                f"{self.path} needs the package {error.name}, which is not installed: pip install 'selfsown[datasets]'"
            ) from error
        folder = Path(self.path)
        try:
            if any((folder / name).exists() for name in SAVED):
                found = datasets.load_from_disk(self.path)
            else:
                found = datasets.load_dataset(
                    str(folder.resolve()) if folder.is_dir() else self.path, self.config or None, streaming=True
                )
        except Exception as error:  # of many kinds, and all about what was asked for
            where = "" if folder.exists() else "there is no such folder, and on the Hub: "
            raise SelfsownError(f"{self.path} is no data set to be read: {where}{_said(error)}") from error
        return self._split(found) if isinstance(found, dict) else found

    def _split(self, found: dict[str, Any]) -> Any:
        if self.split == "train" and len(found) == 1:
            return next(iter(found.values()))
        if self.split not in found:
            raise SelfsownError(
                f"{self.path} has no split {self.split!r}; there is: {', '.join(found)}; "
                f"say which as split in a recipe, or as {self.path}:SPLIT to audit"
            )
        return found[self.split]

    def _records(self, found: Any) -> Iterator[tuple[int, dict[str, Any]]]:
        try:
            batches = found.with_format("arrow").iter(BATCH_ROWS)
            yield from enumerate(itertools.chain.from_iterable(batch.to_pylist() for batch in batches), 1)
        except Exception as error:
            raise SelfsownError(f"{self.path} cannot be read to its end: {_said(error)}") from error


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
