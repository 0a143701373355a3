"""What a run reports while it goes on, for whoever shows it."""

from __future__ import annotations

from selfsown.intake import Intake
from selfsown.records import Generation


class Callbacks:
    """What is told how a run goes; this one says nothing."""

    def real_rows(self, intake: Intake) -> None: ...
    def begin(self, generation: int, stage: str) -> None: ...
    def tick(self, done: int, of: int) -> None: ...
    def end(self, rows: int, seconds: float) -> None: ...
    def finished(self, generation: Generation) -> None: ...

    def control(self, trainings: int) -> None:
        """From now on it is the control that goes on, for so many trainings."""
