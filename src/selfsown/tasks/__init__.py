"""Tasks: where real rows come from, and what is known about them; built-in tasks and the user's own data.

A task is a frozen dataclass whose fields are its options in a recipe. It states what it can do (top_level, verifiable,
forms), and a recipe that needs more is refused before it runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol, runtime_checkable

from selfsown.episode import Environment
from selfsown.records import Grade, Row
from selfsown.text.chat import Prompt


class Task(Protocol):
    """What stages may ask of a task. Rows are real or a model's; levels are whole numbers from 1."""

    @property
    def name(self) -> str: ...
    @property
    def top_level(self) -> int:
        """The hardest level; 0 for a task without levels."""
        ...

    @property
    def verifiable(self) -> bool:
        """Whether `check` can distinguish right answers from wrong ones."""
        ...

    @property
    def forms(self) -> tuple[str, ...]:
        """The forms of a problem that `restate` converts between; () for none."""
        ...

    def pose(self, seed: int) -> Iterable[Row]:
        """All real rows, perhaps lazily; the same seed gives the same rows. Raises SelfsownError for unusable data."""
        ...

    def opening(self, level: int) -> str:
        """The text from which a model continues to write a problem of this level and its answer."""
        ...

    def read(self, prompt: str, answer: str) -> Row | str:
        """The row that a model's prompt and answer make, or the reason why they make none."""
        ...

    def check(self, row: Row, answer: str) -> Grade:
        """Whether the answer is right for the row's prompt."""
        ...

    def restate(self, row: Row) -> Iterator[Row]:
        """The same problem and answer in each other form."""
        ...


@runtime_checkable
class Posing(Protocol):
    """A task that can pose any number of new problems."""

    def problems(self, level: int, count: int, seed: int) -> Iterator[Row]:
        """`count` problems up to the level, each without an answer and with the right one as its target."""
        ...

    def hinted(self, row: Row) -> Prompt:
        """The row's prompt with its answer in it. Raises SelfsownError where models do not know such hints."""
        ...


@runtime_checkable
class PosingFromRows(Protocol):
    """A task that poses new problems about real rows: given those to learn from, it poses none about held-out ones."""

    def problems_from(self, rows: Sequence[Row], level: int, count: int, seed: int) -> Iterator[Row]:
        """`count` problems up to the level, each without an answer, and with the row that it is about as its parent."""
        ...

    def hinted(self, row: Row) -> Prompt:
        """The row's prompt with help that the row itself does not have, such as a demonstration."""
        ...


@runtime_checkable
class ChecksSome(Protocol):
    """A verifiable task that can check answers to some of its rows only, which may be prompts without an answer."""

    def checks(self, row: Row) -> bool:
        """Whether `check` can tell right answers to this row's prompt from wrong ones."""
        ...


@runtime_checkable
class PartialCredit(Protocol):
    """A task whose scores below `right_score` are partial credit for wrong answers."""

    @property
    def right_score(self) -> float:
        """The lowest score of a right answer."""
        ...


def is_right(task: Task, row: Row, answer: str) -> bool:
    """Whether the task scores the answer as right: at 0.5 or more, unless the task gives another limit."""
    needed = task.right_score if isinstance(task, PartialCredit) else 0.5
    return task.check(row, answer).score >= needed


def checkable(rows: Iterable[Row], task: Task) -> list[Row]:
    """The rows with a prompt to which the task can check answers."""
    return [row for row in rows if row.prompt and (not isinstance(task, ChecksSome) or task.checks(row))]


def measurable(rows: Iterable[Row], task: Task) -> list[Row]:
    """The rows on which something can be measured: answered ones, and prompts to which the task can check answers."""
    return [row for row in rows if row.answered or (isinstance(task, ChecksSome) and task.checks(row))]


@runtime_checkable
class Principled(Protocol):
    """A task with a constitution, and its own wording for criticism and revision: for models that do not follow
    instructions, and have seen this wording in real rows."""

    @property
    def principles(self) -> tuple[str, ...]: ...

    def broken(self, row: Row, answer: str) -> tuple[str, ...]:
        """The principles that an answer to the row's prompt violates."""
        ...

    def criticism(self, row: Row, principle: str) -> str:
        """The prompt for a criticism of the row by this principle."""
        ...

    def faulty(self, criticism: str) -> bool:
        """Whether a criticism finds a fault."""
        ...

    def revision(self, row: Row, principle: str, criticism: str) -> str:
        """The prompt for a revision of the row after a criticism that found a fault."""
        ...


@runtime_checkable
class Interactive(Protocol):
    """A task whose problems are solved over several turns, with tools."""

    @property
    def tools(self) -> str:
        """Their definitions in OpenAI's form, as JSON."""
        ...

    def environment(self, row: Row) -> Environment:
        """A new environment as the row's problem finds it."""
        ...
