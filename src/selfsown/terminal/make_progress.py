"""The progress of `make` on a terminal, and its summary at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

from selfsown.callbacks import Tally
from selfsown.progress import Step, watched
from selfsown.terminal.layout import print_line
from selfsown.terminal.progress import Clock, Display, State, StepState
from selfsown.text.durations import duration

MAX_REASONS = 5
ROW_STATUSES = ("kept", "rejected", "failed")


class MakeProgress:
    """A progress bar on a terminal; otherwise one line now and then."""

    def __init__(
        self, console: Console, clock: Clock = time.monotonic, *, on_start: Callable[[], None] | None = None
    ) -> None:
        self.console, self.clock = console, clock
        self.on_start = on_start  # is called once a server has answered, or a row is made: an error before is alone
        self.steps = StepState(Step(), clock)
        self.tally: Tally | None = None
        self.intake = ""  # the sentence about the real rows that was printed

    @contextmanager
    def shown(self) -> Iterator[MakeProgress]:
        """Show the progress inside this context."""
        with watched() as root:
            self.steps = StepState(root, self.clock)
            with Display(self.state, self.console if self.console.is_terminal else None):
                yield self

    def update(self, tally: Tally) -> None:
        """Show how far it is."""
        self.tally = tally
        if tally.meter.tokens or tally.done:
            self._start(tally)

    def _start(self, tally: Tally) -> None:
        if self.on_start:
            self.on_start()
            self.on_start = None
        if not self.intake:
            self.intake = tally.real.sentence()
            self.print(self.intake)

    def state(self) -> State:
        """The step that it is at, and what became of the rows so far."""
        state = self.steps()
        if not self.tally:
            return state
        return State(state.share, state.seconds, state.seconds_left, state.money, state.activities, _counts(self.tally))

    def end(self, tally: Tally) -> None:
        """Print how many rows were made, by status, and the most frequent reasons."""
        self._start(tally)
        intake = tally.real.sentence()
        if intake != self.intake:  # more rows are set aside by now: those of which nothing could be made
            self.print(intake)
        parts = " + ".join(f"{tally.counts[status]:,} {status}" for status in ROW_STATUSES)
        self.print(f"{tally.made:,} rows made = {parts}, in {duration(time.monotonic() - tally.began)}.")
        for reason, count in tally.reasons.most_common(MAX_REASONS):
            self.print(f"  {count:,} {reason}")
        if tally.decontamination:
            self.print(tally.decontamination)

    def print(self, line: str) -> None:
        print_line(self.console, line)


def _counts(tally: Tally) -> list[str]:
    """Rows by status, requests and speeds, the most important first."""
    seconds = max(1e-9, time.monotonic() - tally.began)
    parts = [f"{int(tally.making.count):,} of {tally.total:,}"]
    parts += [f"{tally.counts[status]:,} {status}" for status in ROW_STATUSES if tally.counts[status]]
    if tally.made:
        parts.append(f"{tally.made / seconds:,.0f} rows/s")
    if tally.meter.requests:
        parts.append(f"{tally.meter.requests:,} requests")
        if tally.meter.tokens:
            parts.append(f"{tally.meter.tokens / seconds:,.0f} tokens/s")
    return parts
