"""Where real rows come from, and what is known about them: built-in worlds and the user's own file.

A world is a frozen dataclass whose fields are the recipe's knobs. It says what it can do (top_level,
verifiable, forms), and a recipe that needs more is refused before it runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, runtime_checkable

from selfsown.records import Grade, Row


class Task(Protocol):
    """What the verbs may ask of a world. Rows are real or a model's; levels are whole numbers from 1."""

    @property
    def name(self) -> str: ...
    @property
    def top_level(self) -> int:
        """The hardest level there is; 0 for a world without levels."""
        ...

    @property
    def verifiable(self) -> bool:
        """Whether `check` knows right from wrong."""
        ...

    @property
    def forms(self) -> tuple[str, ...]:
        """The ways of asking about one problem that `restate` moves between; () for none."""
        ...

    def pose(self, seed: int) -> Iterable[Row]:
        """The real rows, all of them, perhaps one by one: the same seed gives the same rows."""
        ...

    def opening(self, level: int) -> str:
        """The text from which a model goes on to write a problem of this level and its answer."""
        ...

    def read(self, prompt: str, answer: str) -> Row | str:
        """The row that a model's words make, or the reason why they make none."""
        ...

    def check(self, row: Row, answer: str) -> Grade:
        """Whether the answer is right for the row's prompt."""
        ...

    def restate(self, row: Row) -> Iterator[Row]:
        """The same problem and answer, asked in each other way."""
        ...


@runtime_checkable
class Posing(Protocol):
    """A world that poses new problems whenever it is asked, as an examiner does; not every world can."""

    def problems(self, level: int, count: int, seed: int) -> Iterator[Row]:
        """So many problems of the level and below, each with its answer as its target and none in the row."""
        ...

    def hinted(self, row: Row) -> str:
        """The row's prompt with its answer in it; SelfsownError where no hint would be understood."""
        ...


@runtime_checkable
class Principled(Protocol):
    """A world that has a constitution, and words of its own for criticism and revision: for models that understand no
    instructions, and have seen such words in real rows."""

    @property
    def principles(self) -> tuple[str, ...]: ...

    def broken(self, row: Row, answer: str) -> tuple[str, ...]:
        """Those of the principles that an answer to the row's prompt breaks."""
        ...

    def criticism(self, row: Row, principle: str) -> str:
        """The prompt that asks for a criticism of the row, by this principle."""
        ...

    def faulty(self, criticism: str) -> bool:
        """Whether a criticism finds fault."""
        ...

    def revision(self, row: Row, principle: str, criticism: str) -> str:
        """The prompt that asks for a revision of the row, after a criticism that found fault."""
        ...
