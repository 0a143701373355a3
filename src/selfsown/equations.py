"""Whether two expressions are the same, by math-verify, in processes that are ended when they take too long.

What a model wrote may be a number of a billion digits; a library cannot be stopped within a process, a process can.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import queue
import resource
import select
import subprocess
import sys
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any

from selfsown.engines.local import ordered
from selfsown.records import SelfsownError

MEMORY = 2_000_000_000  # bytes that comparing may take
STARTING = 120.0  # seconds for a process to load the library

_WORK = "from selfsown.equations import compare; compare()"


class Comparer:
    """Compares pairs of expressions, several at a time; seconds is the limit for one pair."""

    def __init__(self, seconds: float) -> None:
        if importlib.util.find_spec("math_verify") is None:
            raise SelfsownError("comparing expressions needs math-verify: pip install 'selfsown[maths]'")
        self._seconds, self._count = seconds, os.cpu_count() or 1
        self._idle, self._all = queue.SimpleQueue[subprocess.Popen[bytes] | None](), list[subprocess.Popen[bytes]]()
        for _ in range(self._count):
            self._idle.put(None)

    def each(self, pairs: Iterable[tuple[str, str]]) -> Iterator[bool | None]:
        """For each known expression and the other: whether they are the same; None where it took too long to say."""
        return ordered(self._same, pairs, self._count, self.close)

    def close(self) -> None:
        for worker in list(self._all):
            worker.kill()

    def __enter__(self) -> Comparer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
        for worker in self._all:
            with worker:  # waits for it, and closes its pipes
                pass

    def _same(self, pair: tuple[str, str]) -> bool | None:
        worker, found = self._idle.get(), None
        try:
            worker = worker or self._started()
            found = _asked(worker, pair, self._seconds)
        finally:
            if worker and found is None:
                worker.kill()
            self._idle.put(None if found is None else worker)
        return found

    def _started(self) -> subprocess.Popen[bytes]:
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONHASHSEED": "0"}
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        worker = subprocess.Popen([sys.executable, "-c", _WORK], **pipes, env=environment, start_new_session=True)
        self._all.append(worker)
        if _asked(worker, ("1", "1"), STARTING) is None:
            raise SelfsownError("math-verify does not start; see whether python -c 'import math_verify' does")
        return worker


def _asked(worker: subprocess.Popen[bytes], pair: tuple[str, str], seconds: float) -> bool | None:
    """What the process says; None where it says nothing in time, or ends."""
    assert worker.stdin
    assert worker.stdout
    with contextlib.suppress(OSError, ValueError):
        worker.stdin.write(json.dumps(pair).encode() + b"\n")
        worker.stdin.flush()
        if select.select([worker.stdout], [], [], seconds)[0] and (said := worker.stdout.readline()):
            found = json.loads(said)
            return found if isinstance(found, bool) else None
    return None


def compare() -> None:
    """The work of such a process: a pair a line in, true or false a line out."""
    from math_verify import ExprExtractionConfig, LatexExtractionConfig, parse, verify

    if hasattr(resource, "RLIMIT_AS"):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    ways = [LatexExtractionConfig(), ExprExtractionConfig()]
    for line in sys.stdin:
        known, other = (parse(f"${each}$", ways, parsing_timeout=None) for each in json.loads(line))
        same = bool(known and other and verify(known, other, timeout_seconds=None))
        print(json.dumps(same), flush=True)
