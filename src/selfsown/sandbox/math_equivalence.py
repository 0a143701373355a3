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

from selfsown.parallel import ordered
from selfsown.records import SelfsownError

MEMORY = 2_000_000_000  # bytes that comparing may take
CLOSE = 1e-5  # relative difference of two numbers that math-verify takes for the same
STARTING = 120.0  # seconds for a process to load the library

_WORK = "from selfsown.sandbox.math_equivalence import compare; compare()"


class Comparer:
    """Compares pairs of expressions, several at a time; seconds is the limit for one pair."""

    def __init__(self, seconds: float) -> None:
        if importlib.util.find_spec("math_verify") is None:
            raise SelfsownError("comparing expressions needs math-verify: pip install 'selfsown[maths]'")
        self._seconds, self._count = seconds, os.cpu_count() or 1
        self._idle, self._all = queue.SimpleQueue[subprocess.Popen[bytes] | None](), list[subprocess.Popen[bytes]]()
        for _ in range(self._count):
            self._idle.put(None)

    def each(self, pairs: Iterable[tuple[str, str, bool]]) -> Iterator[bool | None]:
        """For each known expression and the other: whether they are the same, or, with True, whether the other is the
        first one rounded; None where it took too long to say."""
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

    def _same(self, pair: tuple[str, str, bool]) -> bool | None:
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
        if _asked(worker, ("1", "1", False), STARTING) is None:
            raise SelfsownError("math-verify does not start; see whether python -c 'import math_verify' does")
        return worker


def _asked(worker: subprocess.Popen[bytes], pair: tuple[str, str, bool], seconds: float) -> bool | None:
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
    if hasattr(resource, "RLIMIT_AS"):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    for line in sys.stdin:
        known, other, rounded = json.loads(line)
        print(json.dumps(_is_rounded(known, other) if rounded else _is_same(known, other)), flush=True)


def _is_same(known: str, other: str) -> bool:
    from math_verify import verify

    read = [_parsed(known), _parsed(other)]
    if not all(read) or not verify(*read, timeout_seconds=None, allow_set_relation_comp=True):
        return False
    return _is_close(read[0][0], read[1][0])


def _is_close(known: Any, other: Any) -> bool:
    """False where both are numbers that differ by more than rounding: math-verify takes all that is near 0 for it."""
    try:
        if other.is_zero or known.is_zero:
            return known.is_zero is not False and other.is_zero is not False
        return abs(complex((other / known).evalf()) - 1) < CLOSE
    except (TypeError, ValueError, ArithmeticError, AttributeError, RuntimeError):
        return True  # no numbers


def _is_rounded(exact: str, decimal: str) -> bool:
    """Whether the decimal is the expression's value, to as many places as it has."""
    try:
        value = complex(_parsed(exact)[0])
    except (IndexError, TypeError, ValueError, ArithmeticError, AttributeError, RuntimeError):
        return False
    places = len(decimal.partition(".")[2])
    return abs(value - float(decimal)) <= 0.6 * 10.0**-places


def _parsed(text: str) -> list[Any]:
    """The expression, read as LaTeX as a whole: no number is looked for in what cannot be read."""
    from math_verify import LatexExtractionConfig, parse

    found: list[Any] = parse(f"${text}$", [LatexExtractionConfig()], parsing_timeout=None)
    return [each for each in found if not isinstance(each, str)]
