"""The user's own rows: JSON lines, CSV, TSV, Parquet, JSON or text with one document a line, columns mapped by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from selfsown.files.columns import Record, columns_of
from selfsown.files.seeds import Seeds, drawn
from selfsown.files.tables import records
from selfsown.kinds import Natural
from selfsown.records import Row, SelfsownError


@dataclass(frozen=True)
class World(Seeds):
    """path: the file. text: the column of a document; or prompt and answer: the columns of a question and
    its answer. attributes: columns in which a bias would show. rows: use only so many, drawn at random (0: all).
    license: what the rows may be used under, as their owner says."""

    path: str
    text: str = ""
    prompt: str = ""
    answer: str = ""
    attributes: tuple[str, ...] = ()
    rows: Natural = 0
    license: str = ""

    @property
    def name(self) -> str:
        return Path(self.path).name

    def pose(self, seed: int) -> Iterator[Row]:
        return drawn(self._rows, self.rows, seed) if self.rows else self._rows()

    def records(self, columns: Sequence[str] = ()) -> Iterator[tuple[int, Record]]:
        """Each record with its line; columns: those wanted, where the file lets others be left out."""
        return records(Path(self.path), columns)

    def _rows(self) -> Iterator[Row]:
        first = next(self.records(), None)
        if first is None:
            raise SelfsownError(f"{self.path} is empty; it should hold one row a line")
        columns = columns_of(self.path, first[1], (self.text, self.prompt, self.answer), self.attributes)
        columns.read(*first)  # names all columns where one is missing
        return columns.rows(self.records(columns.wanted), self.name)
