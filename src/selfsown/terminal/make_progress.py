"""What `make` shows while it goes on, and what it says at its end."""

from __future__ import annotations

import time

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from selfsown.make import Tally
from selfsown.usage.budget import format_amount

QUIET = 30.0  # seconds between two lines, where no terminal shows a bar


class Progress:
    """A bar while a terminal watches; otherwise a line now and then."""

    def __init__(self, console: Console) -> None:
        self.console = console
        columns = (BarColumn(10), TextColumn("{task.description}"), TimeRemainingColumn())
        self.bar = Bar(*columns, console=console, transient=True, disable=not console.is_terminal)
        self.task = self.bar.add_task("starting")
        self.said = time.monotonic()
        self.counted = ""  # what was said of the real rows

    def __enter__(self) -> Progress:
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def tell(self, tally: Tally) -> None:
        if not self.counted:
            self.counted = tally.real.sentence()
            self.say(self.counted)
        words = so_far(tally)
        self.bar.update(self.task, total=tally.total, completed=tally.done, description=words)
        if not self.console.is_terminal and time.monotonic() - self.said > QUIET:
            self.said = time.monotonic()
            self.say(words)

    def end(self, tally: Tally) -> None:
        parts = " + ".join(f"{tally.ends[end]:,} {end}" for end in ("kept", "rejected", "failed"))
        counted = tally.real.sentence()  # more may be set aside by now: those of which nothing could be made
        lines = [counted] if counted != self.counted else []
        lines += [f"{tally.made:,} rows made = {parts}, in {time.monotonic() - tally.began:.1f} s."]
        lines += [f"  {count:,} {reason}" for reason, count in tally.reasons.most_common(5)]
        for line in lines:
            self.say(line)

    def say(self, line: str) -> None:
        """One line, never broken: it may be searched for or copied."""
        self.console.print(escape(line), soft_wrap=True, highlight=False)


def so_far(tally: Tally) -> str:
    """One line of figures."""
    seconds = max(1e-9, time.monotonic() - tally.began)
    parts = [f"{tally.done:,} of {tally.total:,}"]
    parts += [f"{tally.ends[end]:,} {end}" for end in ("kept", "rejected", "failed") if tally.ends[end]]
    parts += [f"{tally.made / seconds:,.0f} rows/s"] * bool(tally.made)
    if tally.meter.requests:
        parts += [f"{tally.meter.requests:,} requests"]
        parts += [f"{tally.meter.tokens / seconds:,.0f} tokens/s"] * bool(tally.meter.tokens)
        parts += [format_amount("usd", tally.meter.usd)] if tally.meter.usd else []
    return " · ".join(parts)
