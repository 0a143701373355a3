"""Work on chunks on a Ray cluster, with a worker for each core or GPU.

Workers ask and store through the driver, which alone has the journal and the budget. The cluster does what grows with
the rows: asking, sampling, and graders that work on a chunk by itself. Graders and curators that see all rows follow on
the driver, which gets the rows in their order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from selfsown.chunks import Chunk, ChunkResult, Work
from selfsown.cluster.cluster import check_room, connected, count_workers, mailbox_of_driver, start_worker
from selfsown.cluster.job import job_of, max_workers
from selfsown.cluster.pool import Pool
from selfsown.cluster.server import JournalServer
from selfsown.cluster.worker import ChunkTask
from selfsown.option_types import Count, Natural, NotNegative

CHECK = check_room  # is called with the options before anything is trained


def process_chunks(
    work: Work,
    chunks: Iterable[Chunk],
    tick: Callable[[], None],
    *,
    address: str = "",
    workers: Natural = 0,
    cores: Count = 1,
    gpus: NotNegative = 0.0,
    partition_rows: Count = 512,
) -> Iterator[ChunkResult]:
    """The rows of each chunk, in order.

    address: of the cluster, as HOST:PORT of its first machine; "auto": the one that runs on this machine; "": that of
    RAY_ADDRESS, or one that is started on this machine for as long as it is needed. workers: processes (0: as many as
    the cluster has room for). cores, gpus: of each worker, such as 0.5 of a GPU. partition_rows: rows that a worker is
    given at once, and that are done again where it is lost.

    Limits of a server (max_in_flight, requests_per_minute, tokens_per_minute) are divided among the workers. Raises
    RecipeError where the cluster or a method does not fit, ModelError where one partition ends several workers.
    """
    with connected(address), mailbox_of_driver() as mailbox:
        size = count_workers(workers, max_workers(work.recipe), cores, gpus)
        job = job_of(work, size, cores)
        server = JournalServer(work, mailbox)
        pool = Pool(lambda name: start_worker(job, mailbox, name, gpus), server.finish, server.forget, size)
        try:
            yield from _results(pool, work, _partitions(chunks, partition_rows), tick)
        finally:
            pool.end()
            server.close()


def _results(
    pool: Pool, work: Work, partitions: Iterator[list[Chunk]], tick: Callable[[], None]
) -> Iterator[ChunkResult]:
    def payload(partition: list[Chunk]) -> list[ChunkTask]:
        return [ChunkTask.of(chunk, work.recipe) for chunk in partition]

    for partition, result in pool.map_ordered(partitions, payload, tick):
        work.without_prompt |= result.without_prompt
        for chunk, (rows, counts) in zip(partition, result.chunks, strict=True):
            yield chunk, rows, counts


def _partitions(chunks: Iterable[Chunk], rows: int) -> Iterator[list[Chunk]]:
    """The chunks in order, so many rows together."""
    partition: list[Chunk] = []
    for chunk in chunks:
        partition.append(chunk)
        if sum(chunk.size for chunk in partition) >= rows:
            yield partition
            partition = []
    if partition:
        yield partition
