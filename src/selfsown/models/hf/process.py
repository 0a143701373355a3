"""The worker as a process: started, followed while it trains, ended with the run, and its failures explained."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from selfsown import progress
from selfsown.errors import ModelError, RunFolderError, SelfsownError
from selfsown.models.hf.grading import GradingServer
from selfsown.models.hf.job import FAILURE, LOG, MODEL, PROGRESS
from selfsown.records import JsonObject

_APART = 0.2  # seconds between looks at the worker
_KILLED = ("sigkill", "signal 9", "exitcode  : -9", "exitcode: -9")  # as launchers write it


def run_worker(
    folder: Path,
    command: Sequence[str],
    environment: Mapping[str, str],
    tick: Callable[[int, int], None],
    server: GradingServer | None = None,
) -> None:
    """Train in the folder until its model is there. Raises ModelError and RunFolderError; what was done is kept."""
    (folder / FAILURE).unlink(missing_ok=True)
    (folder / PROGRESS).unlink(missing_ok=True)
    with (folder / LOG).open("ab") as log:
        try:
            worker = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=dict(environment), start_new_session=True
            )
        except OSError as error:
            raise ModelError(
                f"hf: {command[0]} cannot be started: {error.strerror}; check launch and python of the student"
            ) from error
        try:
            _follow(folder, worker, tick, server)
        finally:
            with suppress(ProcessLookupError):  # processes that a launcher started may outlive it
                os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()
    if worker.returncode or not (folder / MODEL).exists():
        raise _failure(folder, worker.returncode)


def _follow(
    folder: Path, worker: subprocess.Popen[bytes], tick: Callable[[int, int], None], server: GradingServer | None
) -> None:
    """Pass on how far training is, and grade, until the worker ends."""
    lines = _Lines(folder / PROGRESS)
    with progress.step("starting the training process", 0, "steps") as step:
        while True:
            ended = worker.poll() is not None
            for line in lines.new():
                step.total, step.done = int(str(line["total"])), int(str(line["step"]))
                step.name = _described(line)
                tick(int(step.done), step.total)
            if ended:
                return
            if server:
                server.serve(_APART)
            else:
                time.sleep(_APART)


def _described(line: JsonObject) -> str:
    """The name of the step that is shown, such as "training, loss 1.234, 812 tokens/s"."""
    parts = ["training"]
    if isinstance(line.get("reward"), int | float):
        parts.append(f"reward {line['reward']:.2f}")
    if isinstance(line.get("loss"), int | float):
        parts.append(f"loss {line['loss']:.3f}")
    if line.get("tokens"):  # no new ones where a group's answers are learned from again
        parts.append(f"{line['tokens_per_second']:,.0f} tokens/s")
    return ", ".join(parts)


class _Lines:
    """The complete lines of a file that another process adds to."""

    def __init__(self, path: Path) -> None:
        self.path, self.place = path, 0

    def new(self) -> list[JsonObject]:
        """Those since the last call."""
        if not self.path.exists():
            return []
        with self.path.open("rb") as file:
            file.seek(self.place)
            complete = file.read().rpartition(b"\n")[0]
        self.place += len(complete) + 1 if complete else 0
        return [json.loads(line) for line in complete.splitlines()]


def _failure(folder: Path, code: int) -> SelfsownError:
    """What a worker's end means, and what to do about it."""
    log = folder / LOG
    failure = json.loads((folder / FAILURE).read_text(encoding="utf-8")) if (folder / FAILURE).exists() else {}
    kind, text = failure.get("kind", ""), failure.get("text", "")
    last = _last_lines(log)
    killed = code == -signal.SIGKILL or (not kind and any(word in last.lower() for word in _KILLED))
    if kind == "memory" or killed:
        why = "was killed by the system, most likely for want of memory" if killed else f"ran out of memory ({text})"
        return ModelError(
            f"hf: training {why}; set micro_batch: 1, train_weights: lora or dtype: bfloat16, or free memory, and run "
            "the same command again: it goes on from its last checkpoint"
        )
    if kind == "disk":
        return RunFolderError(
            f"hf: {folder} cannot be written: {text[:200]}; free disk space and run the same command again to resume"
        )
    if kind == "user":
        return ModelError(text)
    return ModelError(f"hf: training failed: {text or last.splitlines()[-1:] or code}; all of it is in {log}")


def _last_lines(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 4096))
        return file.read().decode("utf-8", "replace").strip()
