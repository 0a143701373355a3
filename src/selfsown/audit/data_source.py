"""What is read of which file: a data set with its columns, found by what the user said or by their usual names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from selfsown.files.column_detection import columns_of
from selfsown.files.column_mapping import Columns, Record
from selfsown.records import Row, SelfsownError
from selfsown.tasks import dataset, file

QUESTIONS = ("prompt", "question", "instruction")  # usual names of what an examination asks


@dataclass(frozen=True)
class Named:
    """Which columns hold what, as the user says of all files (a file that lacks one has the usual names), or, `own`, of
    this one. asks: an examination, of which the questions alone are read."""

    text: str = ""
    prompt: str = ""
    answer: str = ""
    own: bool = False
    asks: bool = False


@dataclass(frozen=True)
class Source:
    """A data set and how its rows are read; there: the names of all its columns."""

    world: file.Task | dataset.Task
    columns: Columns
    there: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.world.name

    def rows(self) -> Iterator[Row]:
        """All rows, blank ones too; where no row is answered, what is asked is all that a row says."""
        rows = self.columns.rows(self.world.records(self.columns.wanted), self.name)
        if self.columns.answer or self.columns.chat:
            return rows
        return (row.replace_fields(prompt="", answer=row.prompt, target="") for row in rows)


def opened(path: str, named: Named, attributes: Sequence[str] = ()) -> Source:
    """A file of rows, or a folder of the `datasets` library, perhaps with its split: FOLDER:SPLIT."""
    world = _world(path)
    if not (head := world.head()):
        raise SelfsownError(f"{path} is empty; it should hold one row a line")
    there = tuple(dict.fromkeys(name for record in head for name in record))
    columns = _columns(path, head, named, tuple(attributes), there)
    return Source(world, replace(columns, lenient=True), there)


def _world(path: str) -> file.Task | dataset.Task:
    if Path(path).is_dir():
        return dataset.Task(path)
    if Path(path).exists():
        return file.Task(path)
    folder, _, split = path.rpartition(":")
    if folder and Path(folder).is_dir():
        return dataset.Task(folder, split=split)
    raise SelfsownError(
        f"there is no {path}; name a file of rows (JSON lines, CSV, Parquet, text …) "
        "or a folder of the datasets library"
    )


def _columns(
    path: str, head: Sequence[Record], named: Named, attributes: tuple[str, ...], there: Sequence[str]
) -> Columns:
    said = (named.text, named.prompt, named.answer)
    if named.asks:
        said = (named.text or named.prompt, "", "")
    if not named.own and any(name and name not in there for name in said):
        said = ("", "", "")
    if named.asks and not any(said) and (question := next((name for name in QUESTIONS if name in there), "")):
        return Columns(path, "", question, attributes)
    return columns_of(path, head, said, attributes, how="")
