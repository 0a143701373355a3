"""Progress of any command: one line that is drawn again and again on a terminal, and a line now and then in a log.

    with shown():
        result = work()  # which reports its steps: see selfsown.progress

The line fits the terminal: its bar, the time left and the money come first, then what is being done, then details.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from selfsown.progress import Spending, Step, watched
from selfsown.terminal.layout import print_line
from selfsown.text.durations import duration
from selfsown.usage.budget import format_amount

SECONDS_BEFORE_BAR = 0.5  # a command that is done by then shows none
SECONDS_BETWEEN_LINES = 30.0  # where no terminal shows a bar
REFRESHES_PER_SECOND = 4
BAR_WIDTHS = ((120, 30), (80, 16), (0, 10))  # columns of the terminal from which the bar is so wide
GAP = "  "

Clock = Callable[[], float]


@dataclass(frozen=True)
class State:
    """How far a command is. activities: what it does now, in words, from the longest to the shortest."""

    share: float | None  # None: unknown
    seconds: float  # since its beginning
    seconds_left: float | None
    money: str = ""
    activities: Sequence[str] = ()
    details: Sequence[str] = ()  # the most important first

    @property
    def summary(self) -> list[str]:
        """Share, time and money, as far as they are known."""
        share = "" if self.share is None else f"{min(99, int(100 * self.share)):2} %"
        left = f"{duration(self.seconds)} so far"
        if self.seconds_left is not None:
            left = f"{duration(self.seconds_left)} left"
        return [part for part in (share, left, self.money) if part]


def fields(state: State, width: int) -> tuple[int, str]:
    """How wide the bar is, and the text beside it: what fits of it, the most important first."""
    bar = next(bar for columns, bar in BAR_WIDTHS if width >= columns)
    text, room = GAP.join(state.summary), width - bar - 1
    activity = next((words for words in state.activities if _columns(f"{text}{GAP}{words}") <= room), "")
    text += GAP * bool(activity) + activity
    for detail in state.details:
        if not activity or _columns(longer := f"{text} · {detail}") > room:
            break
        text = longer
    return bar, text


def one_line(state: State) -> str:
    """The same for a log, whole."""
    return " · ".join([*state.summary, *state.activities[:1], *state.details]).strip()


def progress_console() -> Console:
    """Standard output where that is a terminal, else standard error: a redirected output holds results alone."""
    console = Console()
    return console if console.is_terminal else Console(stderr=True)


class Display:
    """Draws a state, which it asks for, from a thread of its own."""

    def __init__(self, state: Callable[[], State], console: Console | None = None) -> None:
        self.state, self.console = state, console or progress_console()
        self.animated = self.console.is_terminal and not self.console.is_dumb_terminal
        self.live = Live(
            self,
            console=self.console,
            refresh_per_second=REFRESHES_PER_SECOND,
            transient=True,
            redirect_stdout=sys.stdout.isatty(),
            redirect_stderr=sys.stderr.isatty(),
        )
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._draw, name="progress", daemon=True)

    def __enter__(self) -> Display:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.thread.join()
        if self.live.is_started:
            self.live.stop()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        state = self.state()
        width, text = fields(state, options.max_width - 1)
        bar = ProgressBar(100, 100 * (state.share or 0), width, pulse=state.share is None)
        line = Table.grid(padding=(0, 1, 0, 0))
        line.add_row(bar, Text(text, no_wrap=True))
        yield line

    def _draw(self) -> None:
        if self.animated:
            if not self.ended.wait(SECONDS_BEFORE_BAR):
                self.live.start(refresh=True)
            return
        while not self.ended.wait(SECONDS_BETWEEN_LINES):
            print_line(self.console, one_line(self.state()))


class StepState:
    """The state of a tree of steps: the share and the time left of the outermost step that knows its total."""

    def __init__(self, root: Step, clock: Clock = time.monotonic) -> None:
        self.root, self.clock, self.began = root, clock, clock()
        self.measured: Step | None = None
        self.named = False  # whether any step has begun
        self.rate = Rate(clock)

    def __call__(self) -> State:
        chain = self.root.chain[1:]
        measured = next((step for step in chain if step.share is not None), None)
        if measured is not self.measured:
            self.measured, self.rate = measured, Rate(self.clock)
        share = measured.share if measured else None
        if measured and measured.seconds_left:
            left = measured.seconds_left()
        else:
            left = None if share is None else self.rate.seconds_left(share)
        self.named = self.named or bool(chain)
        idle = "finishing" if self.named else "starting"
        name = next((step.name for step in reversed(chain) if step.name), idle)
        spending = self.root.spending
        return State(
            share, self.clock() - self.began, left, money(spending), [name, name.split()[0]], counts(self.root)
        )


def counts(root: Step) -> list[str]:
    """How many of the innermost units are done, and the requests to model servers."""
    counted = next((step for step in reversed(root.chain) if step.unit and (step.total or step.count)), None)
    parts = []
    if counted:
        total = f" of {counted.total:,.0f}" if counted.total else ""
        parts.append(f"{int(counted.count):,}{total} {counted.unit}")
    if root.spending and root.spending.requests:
        parts.append(f"{root.spending.requests:,} requests")
    return parts


class Rate:
    """The speed of a share, over the last half of the time, so that a fast beginning is forgotten."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self.clock, self.began = clock, clock()
        self.seen = deque([(self.began, 0.0)])

    def seconds_left(self, share: float) -> float | None:
        """None as long as nothing is known."""
        now = self.clock()
        if now - self.seen[-1][0] >= (now - self.began) / 100:
            self.seen.append((now, share))
        while len(self.seen) > 2 and self.seen[1][0] < (self.began + now) / 2:
            self.seen.popleft()
        then, before = self.seen[0]
        return (1 - share) * (now - then) / (share - before) if share > before and now > then else None


def money(spending: Spending | None) -> str:
    return format_amount("usd", spending.usd) if spending and spending.usd else ""


@contextmanager
def shown(console: Console | None = None) -> Iterator[None]:
    """Show the steps that begin inside this context."""
    with watched() as root, Display(StepState(root), console):
        yield


def _columns(text: str) -> int:
    return Text(text).cell_len
