"""What a run reports while it is running."""

from __future__ import annotations

from selfsown.intake import Intake
from selfsown.records import Generation, Training


class Callbacks:
    """Called with the progress of a run; these do nothing."""

    def started(self) -> None:
        """The recipe fits, and its folder is open."""

    def real_rows(self, intake: Intake) -> None:
        """The real rows are read and split."""

    def begin(self, generation: int, stage: str) -> None:
        """A stage of a generation begins."""

    def tick(self, done: int, of: int) -> None:
        """So many of the stage's training steps are done."""

    def trained(self, training: Training, warning: str) -> None:
        """A training objective ended; the warning is empty unless it repeated rows too often."""

    def end(self, rows: int, seconds: float) -> None:
        """The stage ended; it worked on so many rows."""

    def finished(self, generation: Generation) -> None:
        """The generation has its scores and verdicts."""

    def control(self, trainings: int) -> None:
        """From now on the control is trained, in so many generations."""
