"""Comparisons within this process: `compare` and `prove` without one process per arm and seed, which takes seconds."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from unittest import mock

from command import Finished, run_in_process

from selfsown.compare.child_processes import ArmRun
from selfsown.compare.time_left import TimeLeft
from selfsown.records import SelfsownError

STOP_SIGNALS = (signal.SIGTERM, signal.SIGHUP)  # `run_all` takes them over


def compare_in_process(folder: Path, *arguments: str) -> Finished:
    """The command, and every run of an arm, within this process."""
    with mock.patch("selfsown.compare.runner.run_all", _run_all):
        return run_in_process(folder, *arguments)


def compare_with_child_processes(folder: Path, *arguments: str) -> Finished:
    """The command within this process, every run of an arm in a process of its own, as for a user."""
    handlers = [signal.getsignal(number) for number in STOP_SIGNALS]
    try:
        return run_in_process(folder, *arguments)
    finally:
        for number, handler in zip(STOP_SIGNALS, handlers, strict=True):
            signal.signal(number, handler)


def _run_all(
    runs: Sequence[ArmRun],
    jobs: int,
    before: Callable[[ArmRun], None],
    on_end: Callable[[ArmRun], None],
    time_left: TimeLeft,
) -> None:
    """`selfsown.compare.child_processes.run_all` without processes: `jobs` has no meaning."""
    for run in runs:
        before(run)
        time_left.begin(run)
        wall, cpu = time.perf_counter(), time.process_time()
        ended = run_in_process(Path.cwd(), *run.command[3:])
        run.add_cost(time.perf_counter() - wall, time.process_time() - cpu, unmetered=0)
        if ended.returncode and not (ended.returncode == 4 and run.finished):
            message = ended.stderr.strip().splitlines()[-1].removeprefix("selfsown: ")
            raise SelfsownError(f"arm {run.arm}, seed {run.seed}: {message}")
        time_left.end(run)
        on_end(run)
