"""The user's own rows: JSON lines, CSV, TSV, Parquet, Arrow, JSON, or text with a document per line; columns by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from selfsown.files.bad_records import OnBad, refuse
from selfsown.files.column_mapping import Record
from selfsown.files.readers import records
from selfsown.files.user_rows import RecordSeeds
from selfsown.option_types import Natural


@dataclass(frozen=True)
class Task(RecordSeeds):
    """path: the file. text: the column of a document; or prompt and answer: the columns of a question and its answer;
    or prompt alone: of questions without answers. attributes: columns to measure bias on. rows: use so many, drawn at
    random; 0 uses all. license: the license of the rows, as their owner states it. skip_bad: skip records that cannot
    be read, and count them with their reasons."""

    way: ClassVar[str] = "file"

    path: str
    text: str = ""
    prompt: str = ""
    answer: str = ""
    attributes: tuple[str, ...] = ()
    rows: Natural = 0
    license: str = ""
    skip_bad: bool = False

    @property
    def name(self) -> str:
        return Path(self.path).name

    def records(self, columns: Sequence[str] = (), bad: OnBad = refuse) -> Iterator[tuple[int, Record]]:
        return records(Path(self.path), columns, bad)
