"""Chunks of work on threads, several at a time, their results in the order of the chunks."""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from itertools import islice
from typing import TypeVar

Chunk = TypeVar("Chunk")
Found = TypeVar("Found")

TICK_SECONDS = 0.5  # seconds between two ticks
CHUNKS_PER_THREAD = (
    4  # times as many chunks may be done or waiting as there are threads: one slow chunk does not idle the rest
)


@contextmanager
def relaxed_garbage_collection() -> Iterator[None]:
    """The garbage collector looks less often: rows come and go by the thousand, hardly any in circles, and looking for
    those took a quarter of all the time."""
    before = gc.get_threshold()
    gc.set_threshold(50_000, 20, 20)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def map_ordered(
    work: Callable[[Chunk], Found],
    chunks: Iterable[Chunk],
    threads: int,
    halt: Callable[[], None],
    tick: Callable[[], None] = lambda: None,
) -> Iterator[Found]:
    """The work's result for each chunk. `halt` makes the threads come back, where their results are not wanted; `tick`
    is called now and then while there is nothing else to tell."""
    source, out = iter(chunks), deque[Future[Found]]()
    with ThreadPoolExecutor(threads, thread_name_prefix="work") as pool:
        try:
            while True:
                out.extend(pool.submit(work, chunk) for chunk in islice(source, threads * CHUNKS_PER_THREAD - len(out)))
                if not out:
                    return
                while wait(list(out)[:1], timeout=TICK_SECONDS).not_done:
                    tick()
                yield out.popleft().result()
        except BaseException:
            while wait([each for each in out if not each.cancel()], timeout=0.1).not_done:
                halt()  # again and again, for a thread may be just about to begin
            raise
