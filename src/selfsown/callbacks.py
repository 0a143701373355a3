"""What `run` and `make` report while they work."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

from selfsown import progress
from selfsown.intake import Intake
from selfsown.records import Generation, Row, Training
from selfsown.usage.budget import Meter

MAX_REASONS = 200  # reasons that are counted apart


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

    def decontamination(self, sentence: str) -> None:
        """Decontamination was measured, with this result."""

    def control(self, trainings: int) -> None:
        """From now on the control is trained, in so many generations."""


@dataclass
class Tally:
    """Progress, and what became of the rows."""

    real: Intake = field(default_factory=Intake)  # what became of the real rows
    meter: Meter = field(default_factory=Meter)  # what models behind servers cost, this time
    total: int = 0  # real rows to work on, or rows to make, of all chunks
    done: int = 0  # of them
    making: progress.Step = field(default_factory=progress.Step)  # counts rows on their way by their finished steps
    counts: Counter[str] = field(default_factory=Counter)  # new rows by status
    reasons: Counter[str] = field(default_factory=Counter)  # why rows were rejected or failed
    stage_rows: Counter[str] = field(default_factory=Counter)  # rows that came out of a step
    stage_failed: Counter[str] = field(default_factory=Counter)  # those of them that it failed
    decontamination: str = ""  # how well it works here, in a sentence
    began: float = field(default_factory=time.monotonic)

    @property
    def made(self) -> int:
        return self.counts.total()

    def add(self, row: Row) -> None:
        """Count a finished row."""
        self.counts[row.status] += 1
        if row.reason:
            cause = row.reason.partition(":")[0] if row.status == "rejected" else row.reason[:100]
            reason = f"{row.status}: {cause}"
            is_new = reason not in self.reasons and len(self.reasons) >= MAX_REASONS
            self.reasons[f"{row.status}: other reasons" if is_new else reason] += 1
