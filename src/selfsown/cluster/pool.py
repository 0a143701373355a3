"""Workers of a cluster, and partitions that are worked on until each has its result, whoever is lost meanwhile."""

from __future__ import annotations

import itertools
from collections import Counter, deque
from collections.abc import Callable, Iterator
from typing import Any

import ray

from selfsown.chunks import Chunk
from selfsown.cluster.worker import ChunkTask, PartitionResult
from selfsown.errors import ModelError

WAIT_SECONDS = 0.5  # between two calls of `tick`
HALT_SECONDS = 15.0  # for requests in flight, where the run ends early
MAX_LOST = 5  # workers that one partition, or starting, may lose in a row: it is probably to blame
STARTING = -1  # in place of a partition's number
PARTITIONS_AHEAD = 4  # for each worker, beyond the first one that is not done

StartWorker = Callable[[str], Any]


class Pool:
    """Workers, each with one partition at a time. One that is lost is replaced, and its partition is done again.

    start_worker: starts an actor of this name. finish: is called with its name once it has done a partition; forget,
    where it is lost. workers: at most.
    """

    def __init__(
        self, start_worker: StartWorker, finish: Callable[[str, int], None], forget: Callable[[str], None], workers: int
    ) -> None:
        self.start_worker, self.finish, self.forget, self.size = start_worker, finish, forget, workers
        self.names = (f"worker-{number}" for number in itertools.count())
        self.actors: dict[str, Any] = {}
        self.idle: list[str] = []
        self.starting: dict[Any, str] = {}  # by the reference of what is awaited
        self.running: dict[Any, tuple[str, int]] = {}
        self.again = deque[int]()  # partitions whose workers are lost
        self.lost = Counter[int]()  # workers, by partition

    def map_ordered(
        self,
        partitions: Iterator[list[Chunk]],
        payload: Callable[[list[Chunk]], list[ChunkTask]],
        tick: Callable[[], None],
    ) -> Iterator[tuple[list[Chunk], PartitionResult]]:
        """Each partition with its result, in order. payload: what a worker is sent."""
        waiting, results = dict[int, list[Chunk]](), dict[int, PartitionResult]()
        numbered, first = enumerate(partitions), 0
        while True:
            self._start_missing()
            while self.idle and (number := self._next(numbered, waiting)) is not None:
                name = self.idle.pop()
                self.running[self.actors[name].process.remote(payload(waiting[number]))] = name, number
            if not waiting and not self.running and self.idle:
                return
            for name, number, result in self._finished():
                results[number] = result
                self.finish(name, sum(chunk.size for chunk in waiting[number]))
            tick()
            while first in results:
                yield waiting.pop(first), results.pop(first)
                first += 1

    def _next(self, numbered: Iterator[tuple[int, list[Chunk]]], waiting: dict[int, list[Chunk]]) -> int | None:
        """The partition to work on next, now among those that wait for their result; None where there is none."""
        if self.again:
            return self.again.popleft()
        if len(waiting) < self.size * PARTITIONS_AHEAD:
            for number, partition in itertools.islice(numbered, 1):
                waiting[number] = partition
                return number
        return None

    def _start_missing(self) -> None:
        while len(self.actors) < self.size:
            name = next(self.names)
            self.actors[name] = self.start_worker(name)
            self.starting[self.actors[name].start.remote()] = name

    def _finished(self) -> Iterator[tuple[str, int, PartitionResult]]:
        """Results that have come, each with its worker and the number of its partition. Those whose workers are lost
        are to be done again."""
        ready, _ = ray.wait([*self.running, *self.starting], num_returns=1, timeout=WAIT_SECONDS)
        for reference in ready:
            name, number = self.running.pop(reference, None) or (self.starting.pop(reference), None)
            try:
                result = ray.get(reference)
            except ray.exceptions.RayError as error:
                self._lose(name)
                self._count_loss(number, error)
                if number is not None:
                    self.again.append(number)
                continue
            if problem := result if number is None else result.error:
                raise problem
            self.idle.append(name)
            if number is None:
                self.lost.pop(STARTING, None)
            else:
                yield name, number, result

    def _count_loss(self, number: int | None, error: Exception) -> None:
        number = STARTING if number is None else number
        self.lost[number] += 1
        if self.lost[number] >= MAX_LOST:
            reason = str(error).strip().splitlines()[0]
            what = "the start of a worker" if number == STARTING else f"partition {number} of the rows"
            raise ModelError(
                f"engine.ray: {what} has ended {MAX_LOST} workers, the last one with: {reason}; see Ray's logs; "
                "replies are kept, and the same command continues"
            )

    def _lose(self, name: str) -> None:
        actor = self.actors.pop(name)
        ray.kill(actor)
        self.forget(name)

    def end(self) -> None:
        """Let requests in flight end, and end the workers."""
        if self.running:
            halting = [self.actors[name].halt.remote() for name, _ in self.running.values()]
            ray.wait(halting, num_returns=len(halting), timeout=1)
            ray.wait(list(self.running), num_returns=len(self.running), timeout=HALT_SECONDS)
        for actor in self.actors.values():
            ray.kill(actor)
