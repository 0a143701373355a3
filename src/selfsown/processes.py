"""Work on batches in forked processes, several at a time, with results in the order of the batches.

A fork shares the memory of the process that it comes from, so an index of any size is there at once, and it needs no
more memory. Nothing but the batches and the results is sent.
"""

from __future__ import annotations

import ctypes
import gc
import multiprocessing
import os
import signal
import stat
import sys
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from typing import Any, TypeAlias, TypeVar

from selfsown.errors import ExitCode, SelfsownError
from selfsown.parallel import usable_cores

Kept = TypeVar("Kept")
Plain: TypeAlias = Any  # what can be pickled
Submit: TypeAlias = Callable[[Plain], "Future[Plain]"]

BATCHES_AHEAD = 4  # for each process: the batches that are worked on, wait, or are done before those ahead of them
_END_WITH_PARENT = 1  # of prctl
_work: Callable[[Plain], Plain] | None = None  # in a forked process


def usable_processes() -> int:
    """One for each core; 1 where forks do not share memory safely: work in this process."""
    return usable_cores() if sys.platform == "linux" else 1


def map_forked(
    work: Callable[[Plain], Plain], batches: Iterable[tuple[Kept, Plain]], processes: int
) -> Iterator[tuple[Kept, Plain]]:
    """Each batch's first part, and the result of `work` for its second part, in order.

    work: must not use threads, files or locks: the processes are forks of one that may have any. Of the batches, at
    most BATCHES_AHEAD for each process are read before their turn; an error of theirs is raised after the results of
    all before it. All processes end with the iterator, or with this process. Where no process can be started, all is
    done here. Raises SelfsownError where a process ends by itself.
    """
    waiting, errors = deque[tuple[Kept, "Future[Plain]"]](), list[Exception]()
    with _forks(work, processes) as submit:
        for kept, sent in _until_error(batches, errors):
            waiting.append((kept, submit(sent)))
            while waiting and (len(waiting) >= BATCHES_AHEAD * processes or waiting[0][1].done()):
                yield _next_result(waiting)
        while waiting:
            yield _next_result(waiting)
    if errors:
        raise errors[0]


def _until_error(batches: Iterable[tuple[Kept, Plain]], errors: list[Exception]) -> Iterator[tuple[Kept, Plain]]:
    """The batches up to the first error, which is put into the list."""
    try:
        yield from batches
    except Exception as error:
        errors.append(error)


def _next_result(waiting: deque[tuple[Kept, Future[Plain]]]) -> tuple[Kept, Plain]:
    kept, future = waiting.popleft()
    try:
        return kept, future.result()
    except BrokenProcessPool:
        raise SelfsownError(
            "a process that works on a share of the rows has ended, perhaps because memory ran out; run this again, "
            "with more memory or on one core",
            code=ExitCode.FAILED,
        ) from None


@contextmanager
def _forks(work: Callable[[Plain], Plain], processes: int) -> Iterator[Submit]:
    """A function that has a batch worked on in one of so many processes, or here where none can be started."""
    fork = multiprocessing.get_context("fork")
    pool = ProcessPoolExecutor(processes, fork, initializer=_begin, initargs=(work, os.getpid()))
    try:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # of a fork while threads run: it uses no locks
                pool.submit(int)  # starts all of them
        except OSError:  # too many processes on this machine
            yield lambda sent: _done(work, sent)
        else:
            yield lambda sent: pool.submit(_work_on, sent)
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(work: Callable[[Plain], Plain], parent: int) -> None:
    """In a forked process: end with the parent, and let it alone decide what an interruption does."""
    global _work
    _work = work
    gc.freeze()  # searching the parent's objects for garbage would copy them
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    ctypes.CDLL(None).prctl(_END_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it ended before
        os._exit(1)
    _close_sockets()


def _close_sockets() -> None:
    """A server sees that the parent hangs up only if nobody else has the connection."""
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # of the listing itself
            if stat.S_ISSOCK(os.fstat(int(name)).st_mode):
                os.close(int(name))


def _work_on(sent: Plain) -> Plain:
    assert _work
    return _work(sent)


def _done(work: Callable[[Plain], Plain], sent: Plain) -> Future[Plain]:
    done = Future[Plain]()
    done.set_result(work(sent))
    return done
