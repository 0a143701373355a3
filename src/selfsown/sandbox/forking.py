"""Starting a process, where there may be too many of them."""

from __future__ import annotations

import errno
import os
import time

PATIENCE, PAUSE = 3.0, 0.02  # seconds
BUSY = (errno.EAGAIN, errno.ENOMEM)


def fork() -> int:
    """A fork; where there are too many processes just now, a little later. OSError where that does not help."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return os.fork()
        except OSError as error:
            if error.errno not in BUSY or time.monotonic() > until:
                raise OSError(error.errno, f"no process can be started: {error.strerror}") from error
            time.sleep(PAUSE)
