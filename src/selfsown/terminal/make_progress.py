"""The progress of `make` on a terminal, and its summary at the end."""

from __future__ import annotations

import time
from collections.abc import Callable

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from selfsown.pipeline import Tally
from selfsown.terminal.layout import print_line
from selfsown.usage.budget import format_amount

SECONDS_BETWEEN_LINES = 30.0  # where no terminal shows a bar
MAX_REASONS = 5
ROW_STATUSES = ("kept", "rejected", "failed")


class MakeProgress:
    """A progress bar on a terminal; otherwise one line now and then."""

    def __init__(self, console: Console, on_start: Callable[[], None] | None = None) -> None:
        self.console = console
        columns = (BarColumn(10), TextColumn("{task.description}"), TimeRemainingColumn())
        self.bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self.task = self.bar.add_task("starting")
        self.last_line = time.monotonic()
        self.on_start = on_start  # is called once the recipe is known to fit
        self.intake = ""  # the sentence about the real rows that was printed

    def __enter__(self) -> MakeProgress:
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def update(self, tally: Tally) -> None:
        """Show how far it is."""
        if self.on_start:
            self.on_start()
            self.on_start = None
        if not self.intake:
            self.intake = tally.real.sentence()
            self.print(self.intake)
        line = progress_line(tally)
        self.bar.update(self.task, total=tally.total, completed=tally.done, description=line)
        if not self.console.is_terminal and time.monotonic() - self.last_line > SECONDS_BETWEEN_LINES:
            self.last_line = time.monotonic()
            self.print(line)

    def end(self, tally: Tally) -> None:
        """Print how many rows were made, by status, and the most frequent reasons."""
        intake = tally.real.sentence()
        if intake != self.intake:  # more rows are set aside by now: those of which nothing could be made
            self.print(intake)
        parts = " + ".join(f"{tally.counts[status]:,} {status}" for status in ROW_STATUSES)
        self.print(f"{tally.made:,} rows made = {parts}, in {time.monotonic() - tally.began:.1f} s.")
        for reason, count in tally.reasons.most_common(MAX_REASONS):
            self.print(f"  {count:,} {reason}")

    def print(self, line: str) -> None:
        print_line(self.console, line)


def progress_line(tally: Tally) -> str:
    """Rows by status, speed, requests, tokens and dollars in one line."""
    seconds = max(1e-9, time.monotonic() - tally.began)
    parts = [f"{tally.done:,} of {tally.total:,}"]
    parts += [f"{tally.counts[status]:,} {status}" for status in ROW_STATUSES if tally.counts[status]]
    if tally.made:
        parts.append(f"{tally.made / seconds:,.0f} rows/s")
    if tally.meter.requests:
        parts.append(f"{tally.meter.requests:,} requests")
        if tally.meter.tokens:
            parts.append(f"{tally.meter.tokens / seconds:,.0f} tokens/s")
        if tally.meter.usd:
            parts.append(format_amount("usd", tally.meter.usd))
    return " · ".join(parts)
