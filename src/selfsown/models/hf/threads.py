"""How many threads a training on a CPU uses: all cores while they are idle, one while other programs use them.

torch's threads wait for one another at every operation: two on two idle cores take 0.57 of one thread's time, and on
cores that other programs use, many times as long.
"""

from __future__ import annotations

import os
import time
from typing import Any

import psutil
import torch
from transformers import TrainerCallback

_MIN_SECONDS = 1.0  # of a measurement
_MAX_OTHERS = 0.3  # cores that other programs may use while all are used here


class AdaptThreads(TrainerCallback):
    """Choose the number of threads after each step, by how much of the cores other programs took meanwhile."""

    def __init__(self, cores: int) -> None:
        self.cores = cores
        torch.set_num_threads(cores)
        self._restart()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """As the Trainer calls it."""
        seconds = time.monotonic() - self.began
        if seconds >= _MIN_SECONDS:
            others = (_busy_seconds() - self.busy - (_own_seconds() - self.own)) / seconds
            torch.set_num_threads(1 if others > _MAX_OTHERS else self.cores)
            self._restart()

    def _restart(self) -> None:
        self.began, self.busy, self.own = time.monotonic(), _busy_seconds(), _own_seconds()


def _busy_seconds() -> float:
    """Seconds that all cores of the machine were used."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0))


def _own_seconds() -> float:
    times = os.times()
    return times.user + times.system
