"""Whether two expressions are mathematically equal, by math-verify, in processes that are killed when they are slow.

A model may write a number of a billion digits. A library call cannot be interrupted within a process, but a process can
be killed.
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
from typing import Any, NamedTuple

from selfsown.errors import SelfsownError
from selfsown.parallel import map_ordered, usable_cores

MAX_MEMORY_BYTES = 2_000_000_000  # of each process
MAX_RELATIVE_DIFFERENCE = 1e-5  # of two numbers that count as equal
START_SECONDS = 120.0  # for a process to load the library

_WORKER_CODE = "from selfsown.sandbox.math_equivalence import serve; serve()"


class Pair(NamedTuple):
    """Two expressions in LaTeX, and whether the second may be the first one rounded."""

    known: str
    other: str
    rounded: bool = False


class MathComparer:
    """Compares pairs of expressions, several at a time. timeout_seconds: for one pair.

    Raises SelfsownError if math-verify is not installed.
    """

    def __init__(self, timeout_seconds: float) -> None:
        if importlib.util.find_spec("math_verify") is None:
            raise SelfsownError("comparing expressions needs math-verify: pip install 'selfsown[maths]'")
        self._timeout = timeout_seconds
        self._count = usable_cores()
        self._idle = queue.SimpleQueue[subprocess.Popen[bytes] | None]()  # None: a worker that is not started yet
        self._workers = list[subprocess.Popen[bytes]]()
        for _ in range(self._count):
            self._idle.put(None)

    def compare_all(self, pairs: Iterable[tuple[str, str, bool]]) -> Iterator[bool | None]:
        """For each pair (see Pair), in order: whether the two are equal; None if the comparison took too long."""
        return map_ordered(self._compare, pairs, self._count, self.close)

    def close(self) -> None:
        for worker in list(self._workers):
            worker.kill()

    def __enter__(self) -> MathComparer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()
        for worker in self._workers:
            with worker:  # waits for it, and closes its pipes
                pass

    def _compare(self, pair: tuple[str, str, bool]) -> bool | None:
        worker, equal = self._idle.get(), None
        try:
            worker = worker or self._start_worker()
            equal = _request(worker, pair, self._timeout)
        finally:
            if worker and equal is None:
                worker.kill()
            self._idle.put(None if equal is None else worker)
        return equal

    def _start_worker(self) -> subprocess.Popen[bytes]:
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONHASHSEED": "0"}
        worker = subprocess.Popen(
            [sys.executable, "-c", _WORKER_CODE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
        )
        self._workers.append(worker)
        if _request(worker, Pair("1", "1"), START_SECONDS) is None:
            raise SelfsownError("math-verify does not start; see whether python -c 'import math_verify' works")
        return worker


def _request(worker: subprocess.Popen[bytes], pair: tuple[str, str, bool], timeout: float) -> bool | None:
    """The reply of the process; None if it gives none in time, or ends."""
    assert worker.stdin
    assert worker.stdout
    with contextlib.suppress(OSError, ValueError):
        worker.stdin.write(json.dumps(pair).encode() + b"\n")
        worker.stdin.flush()
        if select.select([worker.stdout], [], [], timeout)[0] and (line := worker.stdout.readline()):
            reply = json.loads(line)
            return reply if isinstance(reply, bool) else None
    return None


def serve() -> None:
    """The work of such a process: one pair per line in, true or false per line out."""
    if hasattr(resource, "RLIMIT_AS"):
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    for line in sys.stdin:
        known, other, rounded = json.loads(line)
        print(json.dumps(_is_rounded(known, other) if rounded else _is_equal(known, other)), flush=True)


def _is_equal(known: str, other: str) -> bool:
    from math_verify import verify

    parsed = [_parse(known), _parse(other)]
    if not all(parsed) or not verify(*parsed, timeout_seconds=None, allow_set_relation_comp=True):
        return False
    return _is_close(parsed[0][0], parsed[1][0])


def _is_close(known: Any, other: Any) -> bool:
    """False if both are numbers that differ by more than rounding: for math-verify, every number near 0 equals 0."""
    try:
        if other.is_zero or known.is_zero:
            return known.is_zero is not False and other.is_zero is not False
        return abs(complex((other / known).evalf()) - 1) < MAX_RELATIVE_DIFFERENCE
    except (TypeError, ValueError, ArithmeticError, AttributeError, RuntimeError):
        return True  # not numbers


def _is_rounded(exact: str, decimal: str) -> bool:
    """Whether the decimal is the value of the exact expression, rounded to the places that it has."""
    try:
        value = complex(_parse(exact)[0])
    except (IndexError, TypeError, ValueError, ArithmeticError, AttributeError, RuntimeError):
        return False
    places = len(decimal.partition(".")[2])
    return abs(value - float(decimal)) <= 0.6 * 10.0**-places


def _parse(text: str) -> list[Any]:
    """The expression, parsed as LaTeX as a whole: if that fails, no number is extracted from it."""
    from math_verify import LatexExtractionConfig, parse

    results: list[Any] = parse(f"${text}$", [LatexExtractionConfig()], parsing_timeout=None)
    return [expression for expression in results if not isinstance(expression, str)]
