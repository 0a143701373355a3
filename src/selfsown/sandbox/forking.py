"""Fork, with retries while the machine has too many processes."""

from __future__ import annotations

import errno
import os
import time

TIMEOUT_SECONDS = 3.0
PAUSE_SECONDS = 0.02
BUSY_ERRORS = (errno.EAGAIN, errno.ENOMEM)


def fork() -> int:
    """As os.fork, but tried again for some seconds while there are too many processes. Raises OSError after that."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while True:
        try:
            return os.fork()
        except OSError as error:
            if error.errno not in BUSY_ERRORS or time.monotonic() > deadline:
                raise OSError(error.errno, f"no process can be started: {error.strerror}") from error
            time.sleep(PAUSE_SECONDS)
