"""Grading across processes: GRPO's worker asks, the run's own graders answer, over a socket of this machine.

Messages are JSON, so neither side can make the other run anything; the key is random and known to both alone.
"""

from __future__ import annotations

import json
import os
import secrets
import tempfile
import threading
from collections.abc import Callable, Sequence
from multiprocessing.connection import Client, Connection, Listener, wait
from pathlib import Path
from types import TracebackType

ADDRESS, KEY = "SELFSOWN_GRADER_ADDRESS", "SELFSOWN_GRADER_KEY"  # in the worker's environment

# Grades answers: (indices of rows, answers, whether each has its end) -> scores; None leaves an answer out.
Grading = Callable[[list[int], list[str], list[bool]], list[float | None]]


class GradingServer:
    """The run's side. `serve` answers on the thread that calls it, so graders run where they always do."""

    def __init__(self, grade: Grading) -> None:
        self.grade = grade
        self._folder = tempfile.TemporaryDirectory(prefix="selfsown-")
        self._key = secrets.token_bytes(32)
        self._listener = Listener(str(Path(self._folder.name) / "grader"), "AF_UNIX", authkey=self._key)
        self._connections: list[Connection[bytes, bytes]] = []
        self._closed = False
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def environment(self) -> dict[str, str]:
        """What the worker needs to connect."""
        return {ADDRESS: str(self._listener.address), KEY: self._key.hex()}

    def serve(self, seconds: float) -> None:
        """Answer what is asked within this time, or wait for as long."""
        if not self._connections:
            threading.Event().wait(seconds)
            return
        for connection in wait(list(self._connections), seconds):
            assert isinstance(connection, Connection)
            try:
                indices, answers, ended = json.loads(connection.recv_bytes())
            except (EOFError, OSError):  # the worker has ended
                self._connections.remove(connection)
                continue
            scores = self.grade(indices, answers, ended)
            connection.send_bytes(json.dumps(scores).encode())

    def _accept(self) -> None:
        while not self._closed:
            try:
                self._connections.append(self._listener.accept())
            except Exception:  # closed, or a stranger without the key
                continue

    def __enter__(self) -> GradingServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed = True
        self._listener.close()
        for connection in self._connections:
            connection.close()
        self._folder.cleanup()


def grading_client() -> Grading:
    """The worker's side."""
    connection = Client(os.environ[ADDRESS], "AF_UNIX", authkey=bytes.fromhex(os.environ[KEY]))

    def grade(indices: Sequence[int], answers: Sequence[str], ended: Sequence[bool]) -> list[float | None]:
        connection.send_bytes(json.dumps([list(indices), list(answers), list(ended)]).encode())
        scores: list[float | None] = json.loads(connection.recv_bytes())
        return scores

    return grade
