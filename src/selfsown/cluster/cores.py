"""Cores of a worker's own, so that a worker of one core does not use two, nor two workers the same one."""

from __future__ import annotations

import fcntl
import os
import tempfile
from pathlib import Path
from typing import IO


def reserve_cores(cores: int) -> list[IO[str]]:
    """Run on so many cores of this machine that no other worker has; on all as before where there are too few.

    They are given back when the files are closed, or the process ends.
    """
    if not hasattr(os, "sched_setaffinity"):
        return []
    folder = Path(tempfile.gettempdir()) / f"selfsown-cores-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    reserved = dict[int, IO[str]]()
    for core in sorted(os.sched_getaffinity(0)):
        file: IO[str] = (folder / str(core)).open("a")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            continue
        reserved[core] = file
        if len(reserved) == cores:
            for thread in os.listdir("/proc/self/task"):  # each has cores of its own; later ones inherit them
                os.sched_setaffinity(int(thread), set(reserved))
            return list(reserved.values())
    for file in reserved.values():
        file.close()
    return []
