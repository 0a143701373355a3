"""The user's own rows: JSON lines, CSV, TSV, Parquet, Arrow, JSON, or text with a document a line; columns by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from selfsown.files.bad_records import OnBad, SkippedRecords, raise_bad
from selfsown.files.column_detection import ReadAs
from selfsown.files.column_mapping import Record
from selfsown.files.readers import is_plain_text, records, table_columns
from selfsown.files.remote import local_file
from selfsown.files.user_rows import RecordRows
from selfsown.option_types import Natural
from selfsown.templates import TemplateText


@dataclass(frozen=True)
class Task(RecordRows):
    """path: the file, or its address (https://…, s3://…). text: the column of a document; or prompt and answer: the
    columns of a question and its answer; or prompt alone: of questions without answers. system: the column of a row's
    system message. Each of these four may be a template over columns: "{{ subject }}: {{ body }}". attributes: columns
    to measure bias on. metadata: further columns that rows carry; those that a template of the recipe uses are added.
    read_as: prompts or documents, what a text is that no column name explains; by default what the recipe's generators
    need. rows: use so many, drawn at random; 0 uses all. license: the license of the rows, as their owner states it.
    skip_bad: skip records that cannot be read, and count them with their reasons."""

    task_name: ClassVar[str] = "file"

    path: str
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
        return Path(self.path).name

    def records(self, columns: Sequence[str] = (), bad: OnBad = raise_bad) -> Iterator[tuple[int, Record]]:
        return records(local_file(self.path), columns, bad)

    @property
    def note(self) -> str:
        note = super().note
        return note.replace("column 'text' as the", "each line as a") if is_plain_text(local_file(self.path)) else note

    def _empty_message(self, skipped: SkippedRecords) -> str:
        if not skipped.items and (names := table_columns(local_file(self.path))):
            return f"{self.path} has column names alone ({', '.join(names)}); rows are expected below its first line"
        return super()._empty_message(skipped)
