"""A grader under attack: what it is called, how it grades rows, and the score from which it accepts one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from selfsown.attack.problem import CodeKeys
from selfsown.errors import SelfsownError
from selfsown.records import Grade, Row

DEFAULT_MIN_SCORE = 0.5


@dataclass(frozen=True)
class Subject:
    """grade: one grade for each row. min_score: from which a row is accepted. keys: where it reads tests of programs.

    asks_model: whether a grade may cost money. unmeasured: why it cannot be attacked.
    """

    name: str
    grade: Callable[[Sequence[Row]], Sequence[Grade]]
    min_score: float = DEFAULT_MIN_SCORE
    keys: CodeKeys = field(default_factory=CodeKeys)
    asks_model: bool = False
    unmeasured: str = ""

    @property
    def method(self) -> str:
        """Its name without the stage."""
        return self.name.rpartition(".")[2]

    def verdicts(self, rows: Sequence[Row]) -> list[bool | None]:
        """Whether it accepts each row; None where it failed, or left the row to other graders.

        Raises SelfsownError if it gives another number of grades.
        """
        grades = list(self.grade(rows)) if rows else []
        if len(grades) != len(rows):
            raise SelfsownError(f"{self.name} gave {len(grades)} grades for {len(rows)} rows; it must give one each")
        return [None if grade.failed or grade.evidence == "none" else grade.score >= self.min_score for grade in grades]
