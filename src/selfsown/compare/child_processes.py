"""Runs as child processes, several at a time, with the cost of each; if one fails, the others are stopped."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from selfsown import progress
from selfsown.atomic import write_atomically
from selfsown.compare.time_left import TimeLeft
from selfsown.errors import ExitCode, RunFolderError
from selfsown.records import SelfsownError

STOP_TIMEOUT_SECONDS = 10  # between SIGTERM and SIGKILL
POLL_SECONDS = 0.05
READ_BYTES = 1 << 16


@dataclass(frozen=True)
class RunCost:
    """The cost of a run over all attempts. unmetered: attempts that were killed before their cost was recorded."""

    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0
    unmetered: int = 0


@dataclass(frozen=True)
class ArmRun:
    """One run that can be repeated by hand: `selfsown run SOURCE FOLDER --set …`."""

    arm: str
    seed: int
    source: str
    folder: Path
    changes: tuple[str, ...]

    @property
    def command(self) -> list[str]:
        sets = [part for change in self.changes for part in ("--set", change)]
        return [sys.executable, "-m", "selfsown", "run", self.source, str(self.folder), *sets, "--no-report"]

    @property
    def finished(self) -> bool:
        return (self.folder / "result.json").exists()

    @property
    def share(self) -> float:
        """How many of its generations have ended, as a share; 0 before it has written its recipe."""
        recipe = self.folder / "recipe.yaml"
        generations = re.search(r"^generations: (\d+)", recipe.read_text("utf-8"), re.M) if recipe.exists() else None
        ended = sum(1 for _ in self.folder.glob("generation-*/generation.json"))
        return min(1.0, ended / (int(generations[1]) + 1)) if generations else 0.0

    @property
    def cost_file(self) -> Path:
        return self.folder.with_name(f"{self.folder.name}.cost.json")

    def cost(self) -> RunCost:
        if not self.cost_file.exists():
            return RunCost(unmetered=int(self.folder.exists()))
        try:
            data = json.loads(self.cost_file.read_text("utf-8"))
            return RunCost(float(data["wall_seconds"]), float(data["cpu_seconds"]), int(data["unmetered"]))
        except (ValueError, TypeError, KeyError) as error:
            raise RunFolderError(f"{self.cost_file} is damaged; delete it and repeat the command") from error

    def add_cost(self, wall_seconds: float, cpu_seconds: float, unmetered: int) -> None:
        before = self.cost()
        cost = {
            "wall_seconds": round(before.wall_seconds + wall_seconds, 3),
            "cpu_seconds": round(before.cpu_seconds + cpu_seconds, 3),
            "unmetered": before.unmetered + unmetered,
        }
        write_atomically(self.cost_file, lambda partial: partial.write_text(json.dumps(cost) + "\n", encoding="utf-8"))


class RunProcess:
    """A run in progress. Its output pipe breaks when this process dies, so that it ends at the next line it prints."""

    def __init__(self, run: ArmRun) -> None:
        run.add_cost(0.0, 0.0, unmetered=1)
        self.run = run
        self.began = time.monotonic()
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 – a pipe would fill
        self.process = subprocess.Popen(run.command, stdout=subprocess.PIPE, stderr=self.errors, bufsize=0)
        assert self.process.stdout
        self.output = self.process.stdout
        os.set_blocking(self.output.fileno(), False)

    def has_ended(self) -> bool:
        """Whether the process has ended; its cost is then written beside the run folder."""
        while self.output.read(READ_BYTES):
            pass
        pid, status, usage = os.wait4(self.process.pid, os.WNOHANG)
        if not pid:
            return False
        self.process.returncode = os.waitstatus_to_exitcode(status)
        self.output.close()
        self.run.add_cost(time.monotonic() - self.began, usage.ru_utime + usage.ru_stime, unmetered=-1)
        return True

    def stop(self) -> None:
        """Stop the process without Popen, which would reap it and lose its resource usage."""
        os.kill(self.process.pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
        while not self.has_ended():
            time.sleep(0.02)
            if time.monotonic() > deadline:
                os.kill(self.process.pid, signal.SIGKILL)
        self.errors.close()

    def failure(self) -> str:
        """The last line on standard error if the run failed, otherwise "".

        Exit code 4 of a finished run is no failure: no row was kept, and that may be compared.
        """
        self.errors.seek(0)
        lines = self.errors.read().decode(errors="replace").strip().splitlines()
        self.errors.close()
        code = self.process.returncode
        if code == ExitCode.OK or (code == ExitCode.FAILED and self.run.finished):
            return ""
        return lines[-1].removeprefix("selfsown: ") if lines else f"the process ended with exit code {code}"


def run_all(
    runs: Sequence[ArmRun],
    jobs: int,
    before: Callable[[ArmRun], None],
    on_end: Callable[[ArmRun], None],
    time_left: TimeLeft,
) -> None:
    """Run them all, `jobs` at a time; SelfsownError names the run that failed, with its error.

    before, on_end: are called before a run starts, and when it has ended.
    """
    waiting = list(runs)
    live = list[RunProcess]()
    for stop_signal in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(stop_signal) is signal.SIG_IGN:
            continue  # as under nohup
        signal.signal(stop_signal, signal.default_int_handler)  # so that the child processes are stopped, too
    try:
        with progress.step("training", len(runs), "runs") as counted:
            counted.seconds_left = time_left.seconds_left
            while waiting or live:
                while waiting and len(live) < jobs:
                    before(waiting[0])
                    live.append(RunProcess(waiting.pop(0)))
                    time_left.begin(live[-1].run)
                time.sleep(POLL_SECONDS)
                for process in [process for process in live if process.has_ended()]:
                    live.remove(process)
                    if failure := process.failure():
                        raise SelfsownError(f"arm {process.run.arm}, seed {process.run.seed}: {failure}")
                    time_left.end(process.run)
                    on_end(process.run)
                shares = {process.run: process.run.share for process in live}
                for run, share in shares.items():
                    time_left.advance(run, share)
                counted.done = len(runs) - len(waiting) - len(live) + sum(shares.values())
    finally:
        for process in live:
            process.stop()
