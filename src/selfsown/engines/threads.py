"""Work on chunks on threads of this machine: the default."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from selfsown.chunks import Chunk, ChunkResult, Work
from selfsown.parallel import map_ordered


def process_chunks(work: Work, chunks: Iterable[Chunk], tick: Callable[[], None]) -> Iterator[ChunkResult]:
    """The rows of each chunk, in order; as many chunks at once as keep the models busy."""
    return map_ordered(work.process, chunks, work.threads, work.halt, tick)
