"""How long the runs of a comparison will still take: one estimate, for the lines and for the progress bar.

A run takes as long as those of its arm that have ended, else as those of other arms, else as its own finished
generations make likely, else as timed training steps do (`workload`). Waiting runs go to the process that ends first.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Protocol

MIN_SHARE = 0.1  # of a run, before its own speed says how long it takes
TRUSTED_SHARE = 0.5  # of a run, from which on only its own speed counts
OVERDUE_SHARE = 0.05  # of its time so far, that a run which should have ended still takes


class Run(Protocol):
    """A run of an arm; equal ones are the same."""

    @property
    def arm(self) -> str: ...


@dataclass
class _Live:
    """A run in progress. share: of its work that is done, as of `measured`."""

    began: float
    share: float = 0.0
    measured: float = 0.0


@dataclass
class TimeLeft:
    """seconds: that a run takes by the timed training steps; None where they could not be timed."""

    runs: Sequence[Run]
    jobs: int
    seconds: float | None = None
    clock: Callable[[], float] = time.monotonic
    ended: dict[Run, float] = field(default_factory=dict)
    live: dict[Run, _Live] = field(default_factory=dict)

    def begin(self, run: Run) -> None:
        self.live = {**self.live, run: _Live(self.clock())}  # replaced, not changed: another thread draws

    def advance(self, run: Run, share: float) -> None:
        """So much of the run is done."""
        if share != self.live[run].share:
            self.live = {**self.live, run: _Live(self.live[run].began, share, self.clock())}

    def end(self, run: Run) -> None:
        self.ended = {**self.ended, run: self.clock() - self.live[run].began}
        self.live = {other: live for other, live in self.live.items() if other is not run}

    def seconds_left(self) -> float | None:
        """None before anything is known."""
        ended, live = self.ended, self.live
        totals = {run: self._total(run, state, ended) for run, state in live.items()}
        known = [total for total in totals.values() if total is not None]
        likely = fmean(known) if known else self.seconds  # of a run whose arm has no ended one
        if likely is None and not ended:
            return None
        free = [max(total - self._elapsed(live[run]), 0.0) for run, total in totals.items() if total is not None]
        free += [0.0] * (self.jobs - len(free))
        heapq.heapify(free)
        for run in self.runs:
            if run not in ended and totals.get(run) is None:
                seconds = _of_arm(run.arm, ended) if ended else likely
                heapq.heappush(free, heapq.heappop(free) + (seconds or 0.0))
        return max(free)

    def _elapsed(self, state: _Live) -> float:
        return self.clock() - state.began

    def _total(self, run: Run, state: _Live, ended: dict[Run, float]) -> float | None:
        """Seconds that a run in progress takes as a whole."""
        total = _of_arm(run.arm, ended) if ended else self.seconds
        if state.share >= MIN_SHARE:
            measured = (state.measured - state.began) / state.share
            weight = 1.0 if total is None else min(1.0, state.share / TRUSTED_SHARE)
            total = weight * measured + (1 - weight) * (total or 0.0)
        return None if total is None else max(total, (1 + OVERDUE_SHARE) * self._elapsed(state))


def _of_arm(arm: str, ended: dict[Run, float]) -> float:
    """The seconds of a run of the arm, or of any where none of it has ended."""
    same = [seconds for run, seconds in ended.items() if run.arm == arm]
    return fmean(same or ended.values())
