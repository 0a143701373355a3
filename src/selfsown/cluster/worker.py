"""A worker: an actor that works on one partition after the other, each some chunks."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import ray

from selfsown.callbacks import Tally
from selfsown.chunks import Chunk, StepCounts, Work
from selfsown.cluster.cores import reserve_cores
from selfsown.cluster.journal import RemoteJournal, ReplyTotals
from selfsown.cluster.mailbox import Driver
from selfsown.errors import SelfsownError
from selfsown.files.row_parquet import StoredRows
from selfsown.files.row_sequences import IN_MEMORY
from selfsown.parallel import map_ordered, relaxed_garbage_collection
from selfsown.recipe.recipe import Recipe
from selfsown.records import JsonObject, NoPrompt, Row
from selfsown.usage.journal import Journal

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
    work: Callable[[Recipe, Sequence[Row], Journal, Tally], Work]
    cores: int = 1


@dataclass(frozen=True)
class ChunkTask:
    """A chunk, as it is sent: its step by its place in the recipe's list of this stage."""

    stage: str
    index: int
    seed: int
    rows: Sequence[Row]
    count: int

    @classmethod
    def of(cls, chunk: Chunk, recipe: Recipe) -> ChunkTask:
        stage = chunk.step.stage
        return cls(stage, getattr(recipe, stage).index(chunk.step), chunk.seed, list(chunk.rows), chunk.count)

    def chunk(self, recipe: Recipe) -> Chunk:
        return Chunk(getattr(recipe, self.stage)[self.index], self.seed, self.rows, self.count)


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
        self.work: Work | None = None
        self.partitions_done = 0

    def start(self) -> SelfsownError | None:
        """Create the models; the error where that is not possible."""
        job = self.job
        self.reserved = reserve_cores(job.cores)
        os.environ.update(job.environment)
        if job.folder.is_dir():
            os.chdir(job.folder)
        journal = RemoteJournal(job.journal, self.driver, job.caps, job.reply_totals)
        try:
            self.work = job.work(_recipe(job), FetchedRows(self.driver), journal, Tally())
        except SelfsownError as error:
            return error
        return None

    def process(self, partition: list[ChunkTask]) -> PartitionResult:
        """The rows of a partition."""
        assert self.work
        work, result = self.work, PartitionResult()
        work.without_prompt, work.tally = result.without_prompt, Tally()
        chunks = [task.chunk(work.recipe) for task in partition]
        try:
            with relaxed_garbage_collection():
                results = map_ordered(work.process, chunks, work.threads, work.halt, self._report_progress)
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


def _recipe(job: Job) -> Recipe:
    """The recipe with its custom methods, which are loaded from a folder that is there no longer than that takes."""
    with tempfile.TemporaryDirectory(prefix="selfsown-") as name:
        folder = Path(name) / _DEPTH
        folder.mkdir(parents=True)
        for method, source in job.sources.items():
            (folder / method).parent.mkdir(parents=True, exist_ok=True)
            (folder / method).write_bytes(source)
        return Recipe.of(job.recipe, folder)


class FetchedRows(StoredRows):
    """The real rows, fetched from the driver where a method reads them at all; no file of them is left behind.

    Few are a list once they were read; of many, each use decodes the file again.
    """

    def __init__(self, driver: Driver) -> None:
        self.driver, self.status = driver, None

    @cached_property
    def _parquet(self) -> pyarrow.Buffer:
        (reference,) = self.driver.call("real_rows")
        return pyarrow.py_buffer(ray.get(reference))

    @cached_property
    def _few(self) -> list[Row]:
        return list(super().__iter__()) if len(self) <= IN_MEMORY else []

    def __iter__(self) -> Iterator[Row]:
        return iter(self._few) if self._few else super().__iter__()

    def take(self, indices: Sequence[int]) -> list[Row]:
        return [self._few[index] for index in indices] if self._few else super().take(indices)

    def _open(self) -> pyarrow.parquet.ParquetFile:
        return pyarrow.parquet.ParquetFile(pyarrow.BufferReader(self._parquet), pre_buffer=False)
