"""Run a command that ends when the process that asked for it ends, even if that is killed.

python -m selfsown.models.hf.with_parent PID COMMAND…
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

POLL_SECONDS = 0.5


def main(parent: int, command: list[str]) -> int:
    """Start the command in a process group of its own; its exit code, or that of a kill once the parent is gone."""
    child = subprocess.Popen(command, start_new_session=True)
    signal.signal(signal.SIGTERM, lambda *_: _kill(child))
    while child.poll() is None and os.getppid() == parent:
        time.sleep(POLL_SECONDS)
    _kill(child)
    return child.wait()


def _kill(child: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
