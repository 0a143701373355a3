"""Run a command that ends when the process that asked for it ends, even if that is killed.

python -m selfsown.models.hf.with_parent PID COMMAND…

There are two processes between them. The outer one is the parent's child, in its process group, and may be killed with
it, as Ray does with a worker that it ends; then the inner one, in a group of its own, ends the command.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress

POLL_SECONDS = 0.5


def main(parent: int, command: list[str]) -> int:
    """Start the command in a process group of its own; its exit code, or that of a kill once the parent is gone."""
    outer = os.getpid()
    if inner := os.fork():
        return _wait(parent, inner, lambda: os.kill(inner, signal.SIGTERM))
    os.setsid()
    child = subprocess.Popen(command, start_new_session=True)
    try:
        return _wait(outer, child.pid, lambda: _kill_group(child.pid))
    finally:
        _kill_group(child.pid)  # what the command started may still run


def _kill_group(leader: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


def _wait(parent: int, child: int, end: Callable[[], None]) -> int:
    """The child's exit code. It is ended once this process is terminated, or has another parent."""
    signal.signal(signal.SIGTERM, lambda *_: end())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is sent to this process, too
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if os.getppid() != parent:
            end()
        time.sleep(POLL_SECONDS)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
