"""A worker: an actor that works on one partition after the other, each some chunks."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, overload

import ray

from selfsown.callbacks import Tally
from selfsown.chunks import Chunk, ChunkWork, StepCounts
from selfsown.cluster.cores import reserve_cores
from selfsown.cluster.journal import RemoteJournal, ReplyTotals
from selfsown.cluster.mailbox import Driver
from selfsown.errors import SelfsownError
from selfsown.files.row_parquet import StoredRows
from selfsown.parallel import map_ordered, relaxed_garbage_collection
from selfsown.recipe.recipe import Recipe
from selfsown.records import JsonObject, NoPrompt, Row

_DEPTH = "a/b/c/d"  # of the recipe's folder in the worker's: `../file.py` of a recipe stays within


@dataclass(frozen=True)
class Job:
    """What a worker must know.

    recipe, sources: as plain values, and the files of its custom methods by name. folder: in which the driver works; a
    worker works there, too, if its machine has it. environment: variables with secrets that the recipe names. cores: of
    a worker.
    """

    recipe: JsonObject
    sources: Mapping[str, bytes]
    folder: Path
    journal: Path
    caps: dict[str, float] | None
    reply_totals: ReplyTotals
    environment: Mapping[str, str] = field(repr=False)
    chunk_size: int = 0
    cores: int = 1


@dataclass(frozen=True)
class ChunkTask:
    """A chunk, as it is sent: its step by its place in the recipe."""

    step: int
    seed: int
    rows: Sequence[Row]
    count: int


@dataclass
class PartitionResult:
    """The rows and counts of each chunk; or the error that ends the run."""

    chunks: list[tuple[list[Row], StepCounts]] = field(default_factory=list)
    without_prompt: dict[str, NoPrompt] = field(default_factory=dict)
    error: SelfsownError | None = None


class Worker:
    """The actor. A mistake of the user's is returned, not raised: Ray would wrap it in a traceback."""

    def __init__(self, job: Job, mailbox: Any, name: str) -> None:
        self.job, self.driver = job, Driver(mailbox, name)
        self.work: ChunkWork | None = None
        self.partitions_done = 0

    def start(self) -> SelfsownError | None:
        """Create the models; the error where that is not possible."""
        job, folder = self.job, Path(tempfile.mkdtemp(prefix="selfsown-")) / _DEPTH
        self.reserved = reserve_cores(job.cores)
        os.environ.update(job.environment)
        if job.folder.is_dir():
            os.chdir(job.folder)
        folder.mkdir(parents=True)
        for name, source in job.sources.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(source)
        journal = RemoteJournal(job.journal, self.driver, job.caps, job.reply_totals)
        try:
            recipe = Recipe.of(job.recipe, folder)
            real = FetchedRows(self.driver, folder / "real.parquet")
            self.work = ChunkWork(recipe, real, journal, Tally(), job.chunk_size)
        except SelfsownError as error:
            return error
        return None

    def process(self, partition: list[ChunkTask]) -> PartitionResult:
        """The rows of a partition."""
        assert self.work
        work, result = self.work, PartitionResult()
        work.without_prompt, work.tally = result.without_prompt, Tally()
        chunks = [Chunk(work.recipe.generate[task.step], task.seed, task.rows, task.count) for task in partition]
        try:
            with relaxed_garbage_collection():
                results = map_ordered(work.process_if_prompts, chunks, work.threads, work.halt, self._report_progress)
                result.chunks += [(rows, counts) for _, rows, counts in results]
        except SelfsownError as error:
            return PartitionResult(error=error)
        self.partitions_done += 1
        return result

    def _report_progress(self) -> None:
        assert self.work
        self.driver.notify("progress", self.partitions_done, self.work.tally.making.count)

    def halt(self) -> None:
        """Send no more requests; those in flight are waited for."""
        if self.work:
            self.work.halt()


class FetchedRows(Sequence[Row]):
    """The real rows, fetched from the driver where a method reads them at all."""

    def __init__(self, driver: Driver, path: Path) -> None:
        self.driver, self.path = driver, path

    @cached_property
    def stored(self) -> StoredRows:
        """The rows in a file of this worker."""
        (reference,) = self.driver.call("real_rows")
        self.path.write_bytes(ray.get(reference))
        return StoredRows(self.path)

    def __len__(self) -> int:
        return len(self.stored)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.stored)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        return self.stored[index]
