"""A Python process of our own that answers requests, one line of JSON each; it is killed when it is slow."""

from __future__ import annotations

import atexit
import json
import os
import select
import subprocess
import sys
import threading

from selfsown.records import Json, JsonObject


class JsonProcess:
    """Starts with the first request, again after one that took too long, and ends with this process.

    code: what it runs. A fixed hash seed and single-threaded arithmetic make its replies repeatable. timeout_seconds:
    for one reply.
    """

    def __init__(self, code: str, timeout_seconds: float) -> None:
        self._code, self._timeout = code, timeout_seconds
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.close)

    def request(self, message: JsonObject) -> Json:
        """The reply; {"error": …} where the process ended or gave none in time."""
        with self._lock:
            process = self._process = self._process or self._start()
            assert process.stdin
            assert process.stdout
            try:
                process.stdin.write(json.dumps(message).encode() + b"\n")
                process.stdin.flush()
                is_ready = bool(select.select([process.stdout], [], [], self._timeout)[0])
                line = process.stdout.readline() if is_ready else b""
            except OSError:
                is_ready, line = True, b""
            if not line:
                self._end()
                return {"error": "its process ended" if is_ready else f"it took longer than {self._timeout:g} s"}
        return json.loads(line)

    def close(self) -> None:
        with self._lock:
            self._end()

    def _end(self) -> None:
        if self._process:
            self._process.kill()
            with self._process:  # waits for it, and closes its pipes
                self._process = None

    def _start(self) -> subprocess.Popen[bytes]:
        path = os.pathsep.join(filter(None, sys.path))
        fixed = {"PYTHONPATH": path, "PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        return subprocess.Popen(
            [sys.executable, "-c", self._code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | fixed,
            start_new_session=True,
        )
