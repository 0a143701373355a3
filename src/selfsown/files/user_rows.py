"""The base classes of tasks that read the user's own rows; answers are checked against the known ones only."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import ClassVar

from selfsown.errors import DataError
from selfsown.files.bad_records import OnBad, SkippedRecords, raise_bad
from selfsown.files.column_detection import HEAD_RECORDS, NamedColumns, ReadAs, available_columns, detect_columns
from selfsown.files.column_mapping import Columns, Record
from selfsown.records import Grade, Row, SetAside


class UserRows(ABC):
    """A task without levels; an answer is right if it equals the known answer."""

    @property
    @abstractmethod
    def name(self) -> str: ...

    @abstractmethod
    def pose(self, seed: int) -> Iterator[Row]: ...

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
        return Row(prompt, answer, origin="synthetic") if answer else "the answer is empty"

    def check(self, row: Row, answer: str) -> Grade:
        if not row.target:
            return Grade(0.0, "no known answer to compare with", evidence="oracle", failed=True)
        right = answer.strip() == row.target.strip()
        reason = "equals the known answer" if right else "differs from the known answer"
        return Grade(float(right), reason, evidence="oracle")

    def restate(self, row: Row) -> Iterator[Row]:
        return iter(())

    def set_aside(self) -> list[SetAside]:
        """The records that the latest complete reading skipped, each with its reason."""
        return list(self.__dict__.get("_set_aside", ()))

    @property
    def note(self) -> str:
        """How the latest reading took the rows, where no name says so: "each line as a prompt"; "" otherwise."""
        return str(self.__dict__.get("_note", ""))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the data; none where it has no columns."""
        return ()

    def _remember_skipped(self, items: list[SetAside]) -> None:
        self.__dict__["_set_aside"] = items  # tasks are frozen dataclasses, and this is not one of their options


class RecordRows(UserRows):
    """Rows from records with columns.

    task_name: the task's name in a recipe. The other attributes are the task's options.
    """

    task_name: ClassVar[str]
    path: str
    text: str
    prompt: str
    answer: str
    system: str
    attributes: tuple[str, ...]
    metadata: tuple[str, ...]
    read_as: ReadAs
    rows: int
    skip_bad: bool

    @abstractmethod
    def records(self, columns: Sequence[str] = (), bad: OnBad = raise_bad) -> Iterator[tuple[int, Record]]:
        """Each record with its line or row number.

        columns: those to read, where the format can leave others out. bad: called with each record that cannot be read;
        it raises, or returns to go on with the next record.
        """

    def pose(self, seed: int) -> Iterator[Row]:
        """All rows, or `rows` of them drawn at random. DataError: the source has no usable row, or bad records."""
        return sample_rows(self._rows, self.rows, seed) if self.rows else self._rows()

    def _rows(self) -> Iterator[Row]:
        skipped = SkippedRecords(self.name, self.skip_bad, f"real.{self.task_name}.skip_bad")
        if not (head := self.head(skipped.add)):
            raise DataError(self._empty_message(skipped))
        columns = self._detected(head)
        self.__dict__["_note"] = columns.note
        count = 0
        for row in columns.rows(self.records(columns.column_names, skipped.add), self.name, skipped.add):
            count += 1
            yield row
        self._remember_skipped(skipped.items)
        if not count:
            raise DataError(self._empty_message(skipped))

    def _detected(self, head: Sequence[Record]) -> Columns:
        named = NamedColumns(
            self.text, self.prompt, self.answer, self.system, self.attributes, self.metadata, self.read_as
        )
        return detect_columns(self.path, head, named, self.task_name)

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(available_columns(self.head()))

    def head(self, bad: OnBad = raise_bad) -> list[Record]:
        """The first readable records; if there are none, `bad` is called with every record."""
        first = [record for _, record in islice(self.records(bad=lambda error: None), HEAD_RECORDS)]
        if not first:
            deque(self.records(bad=bad), maxlen=0)
        return first

    def _empty_message(self, skipped: SkippedRecords) -> str:
        if not skipped.items:
            return f"{self.path} is empty; expected one row per line"
        first = skipped.items[0]
        return (
            f"{self.path} has no usable row; {len(skipped.items):,} records were skipped, the first one at "
            f"{first.place}: it {first.reason}"
        )


def sample_rows(rows: Callable[[], Iterable[Row]], count: int, seed: int) -> Iterator[Row]:
    """`count` rows drawn at random, in their order. They are counted first, and are never all in memory."""
    available = sum(1 for _ in rows())
    if count >= available:
        yield from rows()
        return
    chosen = iter(sorted(random.Random(seed).sample(range(available), count)))
    next_chosen = next(chosen)
    for index, row in enumerate(rows()):
        if index == next_chosen:
            yield row
            following = next(chosen, None)
            if following is None:
                return
            next_chosen = following
