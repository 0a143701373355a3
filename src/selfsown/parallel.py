"""Chunks of work on threads, several at a time, with results in the order of the chunks."""

from __future__ import annotations

import gc
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from itertools import islice
from typing import TypeVar

Chunk = TypeVar("Chunk")
Result = TypeVar("Result")

TICK_SECONDS = 0.5  # between two calls of `tick`
CHUNKS_PER_THREAD = 4  # done or waiting at a time, so that one slow chunk does not idle the other threads


def usable_cores() -> int:
    """The cores that this process may use, where the operating system tells; otherwise all."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def relaxed_garbage_collection() -> Iterator[None]:
    """Run the garbage collector less often: thousands of rows come and go, hardly any in cycles, and searching for
    cycles took a quarter of the time."""
    before = gc.get_threshold()
    gc.set_threshold(50_000, 20, 20)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def map_ordered(
    work: Callable[[Chunk], Result],
    chunks: Iterable[Chunk],
    threads: int,
    halt: Callable[[], None],
    tick: Callable[[], None] = lambda: None,
) -> Iterator[Result]:
    """The result of `work` for each chunk, in order.

    halt: is called, repeatedly, to make the threads return where their results are not needed any more. tick: is called
    every half second while a result is awaited.
    """
    source = iter(chunks)
    futures = deque[Future[Result]]()
    with ThreadPoolExecutor(threads, thread_name_prefix="work") as pool:
        try:
            while True:
                futures.extend(
                    pool.submit(work, chunk) for chunk in islice(source, threads * CHUNKS_PER_THREAD - len(futures))
                )
                if not futures:
                    return
                while wait(list(futures)[:1], timeout=TICK_SECONDS).not_done:
                    tick()
                yield futures.popleft().result()
        except BaseException:
            while wait([future for future in futures if not future.cancel()], timeout=0.1).not_done:
                halt()  # repeatedly: a thread may be just about to start
            raise
