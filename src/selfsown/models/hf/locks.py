"""Locks on a job's folder: one run trains in it at a time, and its worker ends when that run does.

They are POSIX record locks: the system takes them back when a process ends, however it ends; forks inherit none.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selfsown.errors import RunFolderError

RUN, WORKER = "run.lock", "worker.lock"
_PATIENCE = 120.0  # seconds that a worker whose run was killed may take to end
_RETRY = 0.1  # seconds
ABANDONED = 75  # the exit code of a worker whose run ended


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the lock, once another process has given it back. Raises RunFolderError where none does."""
    with path.open("a") as file:
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as error:
                if time.monotonic() > until:
                    raise RunFolderError(
                        f"hf: another process trains in {path.parent}; wait for it, or end it, and run this again"
                    ) from error
            time.sleep(_RETRY)
        yield


def end_with_run(folder: Path) -> None:
    """From now on, end this process as soon as the run that started it has ended, even by a kill."""

    def watch() -> None:
        with (folder / RUN).open() as file:
            fcntl.lockf(file, fcntl.LOCK_SH)  # waits for as long as the run holds it
        os._exit(ABANDONED)

    threading.Thread(target=watch, daemon=True).start()
