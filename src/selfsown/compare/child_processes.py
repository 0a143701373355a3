"""Runs as child processes, some at a time, each with what it cost; one that fails stops the others."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from selfsown.records import SelfsownError

PATIENCE = 10  # seconds that a child is given to end by itself
EMPTY = 4  # the exit code of a run that came to its end and kept no row, which is what may be compared


@dataclass(frozen=True)
class Run:
    """One run that anybody can repeat by hand: `selfsown run SOURCE FOLDER --set …`."""

    arm: str
    seed: int
    source: str
    folder: Path
    changes: tuple[str, ...]

    @property
    def order(self) -> list[str]:
        sets = [part for change in self.changes for part in ("--set", change)]
        return [sys.executable, "-m", "selfsown", "run", self.source, str(self.folder), *sets, "--no-report"]

    @property
    def finished(self) -> bool:
        return (self.folder / "result.json").exists()

    @property
    def cost_file(self) -> Path:
        return self.folder.with_name(f"{self.folder.name}.cost.json")

    def cost(self) -> dict[str, float]:
        """Over all the times it was begun; `lost` counts those of which nobody saw the end."""
        if not self.cost_file.exists():
            return {"wall_seconds": 0.0, "cpu_seconds": 0.0, "lost": int(self.folder.exists())}
        try:
            found = json.loads(self.cost_file.read_text("utf-8"))
            seconds = {name: float(found[name]) for name in ("wall_seconds", "cpu_seconds")}
            return seconds | {"lost": int(found["lost"])}
        except (ValueError, TypeError, KeyError) as error:
            raise SelfsownError(f"{self.cost_file} is damaged; delete it and give the same command again") from error

    def write_cost(self, wall: float, cpu: float, lost: int) -> None:
        before = self.cost()
        cost = {"wall_seconds": before["wall_seconds"] + wall, "cpu_seconds": before["cpu_seconds"] + cpu}
        rounded = {name: round(seconds, 3) for name, seconds in cost.items()}
        write_whole(self.cost_file, json.dumps(rounded | {"lost": before["lost"] + lost}) + "\n")


class Child:
    """A run at work. Its pipe breaks when we die, so that it ends at the next line that it wants to say."""

    def __init__(self, run: Run) -> None:
        run.write_cost(0.0, 0.0, lost=1)
        self.run, self.began = run, time.monotonic()
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 – a pipe would fill
        self.process = subprocess.Popen(run.order, stdout=subprocess.PIPE, stderr=self.errors, bufsize=0)
        assert self.process.stdout
        self.said = self.process.stdout
        os.set_blocking(self.said.fileno(), False)

    def over(self) -> bool:
        """Whether it has ended; what it cost is then written beside its folder."""
        while self.said.read(1 << 16):
            pass
        pid, status, usage = os.wait4(self.process.pid, os.WNOHANG)
        if not pid:
            return False
        self.process.returncode = os.waitstatus_to_exitcode(status)
        self.said.close()
        self.run.write_cost(time.monotonic() - self.began, usage.ru_utime + usage.ru_stime, lost=-1)
        return True

    def stop(self) -> None:
        """Not through Popen, which would take the child's end, and with it the word on what it cost."""
        os.kill(self.process.pid, signal.SIGTERM)
        until = time.monotonic() + PATIENCE
        while not self.over():
            time.sleep(0.02)
            if time.monotonic() > until:
                os.kill(self.process.pid, signal.SIGKILL)
        self.errors.close()

    def failure(self) -> str:
        """What it said last, if it failed."""
        self.errors.seek(0)
        lines = self.errors.read().decode(errors="replace").strip().splitlines()
        self.errors.close()
        if self.process.returncode == 0 or (self.process.returncode == EMPTY and self.run.finished):
            return ""
        return lines[-1].removeprefix("selfsown: ") if lines else f"it ended with exit code {self.process.returncode}"


def work(runs: Sequence[Run], jobs: int, ended: Callable[[Run], None]) -> None:
    """Run them all, so many at a time; SelfsownError says which one failed, and with what words."""
    waiting, live = list(runs), list[Child]()
    for ending in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(ending) is signal.SIG_IGN:
            continue  # as under nohup
        signal.signal(ending, signal.default_int_handler)  # so that the children are stopped, too
    try:
        while waiting or live:
            while waiting and len(live) < jobs:
                live.append(Child(waiting.pop(0)))
            time.sleep(0.05)
            for child in [child for child in live if child.over()]:
                live.remove(child)
                if failure := child.failure():
                    raise SelfsownError(f"arm {child.run.arm}, seed {child.run.seed}: {failure}")
                ended(child.run)
    finally:
        for child in live:
            child.stop()


def write_whole(path: Path, text: str) -> None:
    """Under its name only when it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
