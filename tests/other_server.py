"""A server program of another package, run by that package's own Python."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path


def serving(python: str, script: Path, seconds: float, environment: dict[str, str]) -> Iterator[str]:
    """The server's address, once it answers or `seconds` have passed; afterwards it is ended."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([python, str(script), str(port)], env=os.environ | environment)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if not probe.connect_ex(("127.0.0.1", port)):
                break
        time.sleep(0.2)
    yield f"http://127.0.0.1:{port}"
    process.kill()
    process.wait()
