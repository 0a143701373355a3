"""What all sources of the user's own rows have in common: they know the answers that stand there, and no more."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import ClassVar

from selfsown.files.bad_records import Collector, OnBad, refuse
from selfsown.files.column_detection import HEAD, columns_of
from selfsown.files.column_mapping import Record
from selfsown.records import Grade, Row, SelfsownError, SetAside


class Seeds:
    """A world without levels, whose answers cannot be checked but against those that stand there."""

    @property
    def top_level(self) -> int:
        return 0

    @property
    def verifiable(self) -> bool:
        return False

    @property
    def forms(self) -> tuple[str, ...]:
        return ()

    def opening(self, level: int) -> str:
        return ""

    def read(self, prompt: str, answer: str) -> Row | str:
        return Row(prompt, answer, origin="synthetic") if answer else "it says nothing"

    def check(self, row: Row, answer: str) -> Grade:
        if not row.target:
            return Grade(0.0, "no known answer to compare with", evidence="oracle", failed=True)
        right = answer.strip() == row.target.strip()
        return Grade(float(right), "equals the answer" if right else "differs from the answer", evidence="oracle")

    def restate(self, row: Row) -> Iterator[Row]:
        return iter(())

    def set_aside(self) -> list[SetAside]:
        """Records of the latest complete reading that made no row, each with its reason."""
        return list(self.__dict__.get("_set_aside", ()))

    def _account(self, found: list[SetAside]) -> None:
        self.__dict__["_set_aside"] = found  # worlds are frozen, and this is nothing that a recipe says


class RecordSeeds(Seeds):
    """Rows made of records with columns. way: the task's name in a recipe; the other attributes are its options."""

    way: ClassVar[str]
    path: str
    text: str
    prompt: str
    answer: str
    attributes: tuple[str, ...]
    rows: int
    skip_bad: bool

    @property
    def name(self) -> str:
        raise NotImplementedError

    def records(self, columns: Sequence[str] = (), bad: OnBad = refuse) -> Iterator[tuple[int, Record]]:
        """Each record with its line (or number); columns: those wanted, where the source lets others be left out.

        bad: is given each record that cannot be read, and raises, or returns so that reading goes on after it.
        """
        raise NotImplementedError

    def pose(self, seed: int) -> Iterator[Row]:
        return drawn(self._rows, self.rows, seed) if self.rows else self._rows()

    def _rows(self) -> Iterator[Row]:
        aside = Collector(self.name, self.skip_bad, f"real.{self.way}.skip_bad")
        if not (head := self.head(aside.add)):
            raise SelfsownError(self._empty(aside))
        columns = columns_of(self.path, head, (self.text, self.prompt, self.answer), self.attributes, self.way)
        made = 0
        for row in columns.rows(self.records(columns.wanted, aside.add), self.name, aside.add):
            made += 1
            yield row
        self._account(aside.items)
        if not made:
            raise SelfsownError(self._empty(aside))

    def head(self, bad: OnBad = refuse) -> list[Record]:
        """The first records that can be read; where none can, `bad` is given each."""
        found = [record for _, record in islice(self.records(bad=lambda error: None), HEAD)]
        if not found:
            deque(self.records(bad=bad), maxlen=0)
        return found

    def _empty(self, aside: Collector) -> str:
        if not aside.items:
            return f"{self.path} is empty; it should hold one row a line"
        first = aside.items[0]
        return (
            f"{self.path} has no row that can be used; of {len(aside.items):,} records that were set aside the first, "
            f"{first.place}, {first.reason}"
        )


def drawn(rows: Callable[[], Iterable[Row]], few: int, seed: int) -> Iterator[Row]:
    """`few` of the rows, drawn at random, in their order; they are counted first, and never all in memory."""
    there = sum(1 for _ in rows())
    if few >= there:
        yield from rows()
        return
    chosen = iter(sorted(random.Random(seed).sample(range(there), few)))
    wanted = next(chosen)
    for at, row in enumerate(rows()):
        if at == wanted:
            yield row
            if (after := next(chosen, None)) is None:
                return
            wanted = after
