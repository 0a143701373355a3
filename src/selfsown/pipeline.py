"""The loop without training: real rows → generate → grade → curate → a data set, in chunks, several at a time."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from selfsown import progress
from selfsown.calibration.decontamination import FILE as DECONTAMINATION
from selfsown.calibration.decontamination import measure_decontamination
from selfsown.calibration.requirements import check_requirements
from selfsown.callbacks import Tally
from selfsown.chunks import Chunk, ChunkResult, ChunkWork
from selfsown.errors import ModelError, RecipeError
from selfsown.holdout import split_stream
from selfsown.intake import COUNTS, SET_ASIDE, Intake, UnusedRows, prepared_rows
from selfsown.parallel import relaxed_garbage_collection
from selfsown.preflight.dry_run import dry_run_make
from selfsown.preflight.servers import check_servers
from selfsown.recipe.inputs import CurateInputs, EngineInputs
from selfsown.recipe.recipe import Recipe
from selfsown.recipe.steps import Step
from selfsown.recipe.steps import step as step_of
from selfsown.records import Row
from selfsown.run_folder import PREVIEW, RunFolder
from selfsown.stages import as_synthetic, curate_rows

MIN_ROWS_FOR_RATE = 100  # rows of a stage, before its failure rate can stop the run

OnProgress = Callable[[Tally], None]


def make(recipe: Recipe, folder: Path, on_progress: OnProgress | None = None) -> Tally:
    """Make the recipe's rows, as the folder's `rows.parquet`; `on_progress` is called now and then.

    A reply in the folder's journal is not paid again. Everything else is computed again each time, so a changed recipe
    or more real rows cost only what is new. Raises RecipeError, DataError, ModelError or RunFolderError.
    """
    check_requirements(recipe, folder)
    with open_pipeline(recipe, folder) as pipeline:
        store, tally = pipeline.store, pipeline.tally
        on_progress = on_progress or (lambda tally: None)
        on_progress(tally)
        store.forget("rows", "made", DECONTAMINATION, PREVIEW)  # of another recipe, perhaps
        with progress.step("making rows", unit="rows") as tally.making:
            store.write_rows("rows", pipeline.rows(on_progress))
        pipeline.unused.set_aside(store, tally.real)
        tally.decontamination = pipeline.measure_decontamination()
        store.write_json("made", {"rows": tally.made, **tally.counts, "reasons": tally.reasons})
        return tally


def preview(recipe: Recipe, folder: Path, first: int) -> list[Row]:
    """The rows made from the first few real rows. They and their replies stay in the folder for `make`."""
    with (
        open_pipeline(recipe, folder) as pipeline,
        progress.step("making rows", unit="rows") as pipeline.tally.making,
    ):
        rows = list(pipeline.rows(lambda tally: None, first))
        pipeline.store.write_rows(PREVIEW, rows)
        return rows


@contextmanager
def open_pipeline(
    recipe: Recipe, folder: Path, chunk_size: int = 0, offline: bool = False
) -> Iterator[DatasetPipeline]:
    """The pipeline of the recipe in the folder, with the real rows there.

    chunk_size: rows of a chunk; 0: as many as suit the models. offline: no model will be asked.
    """
    dry_run_make(recipe, recipe.real())  # before the folder is touched or anything is paid: a step may not fit
    if not offline:
        check_servers(recipe, folder)
    with (
        relaxed_garbage_collection(),
        RunFolder.locked(folder, recipe.dump(), recipe.steps(), remake=True) as store,
    ):
        progress.spend(store.journal.meter)
        store.forget_working()  # of one that was killed
        pipeline = DatasetPipeline(recipe, store, _split_on_disk(recipe, store), chunk_size)
        try:
            yield pipeline
        finally:
            pipeline.halt()
            store.forget_working()


def _split_on_disk(recipe: Recipe, store: RunFolder) -> Intake:
    """Write the real rows to files: those to work on, those held out for decontamination, and those set aside."""
    task, intake = recipe.real(), Intake()
    with store.written("real") as real, store.written("held_out") as held_out, store.written(SET_ASIDE) as aside:
        readings = iter([None, aside.add] if recipe.held_out else [aside.add])  # the first of two only counts
        rows = split_stream(
            lambda: prepared_rows(recipe, task, intake, next(readings)), recipe.held_out, recipe.seed, task.name
        )
        for is_held_out, row in rows:
            (held_out if is_held_out else real).add(row)
            intake.held_out += is_held_out
            intake.used += not is_held_out
    store.write_json(COUNTS, intake.plain())
    return intake


class DatasetPipeline(ChunkWork):
    """Rows on their way through one folder."""

    def __init__(self, recipe: Recipe, store: RunFolder, intake: Intake, chunk_size: int = 0) -> None:
        tally = Tally(intake, store.journal.meter)
        super().__init__(recipe, store.stream("real"), store.journal, tally, chunk_size=chunk_size)
        self.store, self.held_out = store, store.stream("held_out")
        self.unused = UnusedRows(recipe)

    def rows(self, on_progress: OnProgress, first: int = 0) -> Iterator[Row]:
        """Every new row with its status, in order; first: of the first few real rows alone."""
        chunked = EngineInputs(work=self, chunks=self.chunks(first), tick=lambda: on_progress(self.tally))
        engine = step_of("engines", "threads") if first or not self.recipe.engine else self.recipe.engine
        results = engine.stream(tuple, chunked)
        rows = self._in_order(results, on_progress)
        for index, step in enumerate(self.recipe.grade):
            if step.streams:
                rows = self.graded(index, rows)
        for index, step in enumerate(self.recipe.curate):
            inputs = self.curate_inputs(self.seed("curate", index))
            rows = curate_rows(step, rows, inputs, self.store.working_dir())
        for row in rows:
            finished = row if row.status else row.kept()
            self.tally.add(finished)
            yield finished
        on_progress(self.tally)

    def curate_inputs(self, seed: int) -> CurateInputs:
        """What a curator is given, but for the rows."""
        count = len(self.recipe.grade)
        return CurateInputs(task=self.task, real=self.real, held_out=self.held_out, grader_count=count, seed=seed)

    def measure_decontamination(self) -> str:
        """Write how well the recipe's decontamination works; the result in a sentence, "" where it has none."""
        seed, rows = self.seed("decontamination"), self.store.stream("rows")
        measured = measure_decontamination(self.recipe.curate, self.curate_inputs(seed), self.store, rows, seed)
        return f"{measured.sentence()}." if measured else ""

    def chunks(self, first: int) -> Iterator[Chunk]:
        """The work of all generators in chunks, whose seeds and rows do not depend on later chunks."""
        limit = min(self.recipe.prompts_per_generation or len(self.real), len(self.real))
        counts = [_rows_to_make(step) for step in self.recipe.generate]
        sizes = [limit if count is None else count for count in counts]
        sizes = [min(first or size, size) for size in sizes]
        self.tally.making.total = self.tally.total = sum(sizes)
        for index, (step, count, size) in enumerate(zip(self.recipe.generate, counts, sizes, strict=True)):
            rows = self._working_rows(limit)
            for piece, start in enumerate(range(0, size, self.chunk_size)):
                chunk_size = min(self.chunk_size, size - start)
                if count is None:
                    yield Chunk(step, self.seed("generate", index), list(islice(rows, chunk_size)))
                else:
                    yield Chunk(step, self.seed("generate", index, piece), count=chunk_size)

    def _working_rows(self, limit: int) -> Iterator[Row]:
        """So many of the real rows, in order; always the same."""
        size = len(self.real)
        every = range(size)
        chosen = set(random.Random(self.seed("prompts")).sample(every, limit)) if limit < size else every
        return (row for index, row in enumerate(self.real) if index in chosen)

    def _in_order(self, results: Iterable[ChunkResult], on_progress: OnProgress) -> Iterator[Row]:
        """The rows of all chunks, one after the other, each with its index. ModelError where a step fails too many."""
        next_index = 0
        for chunk, rows, counts in results:
            self.tally.done += chunk.size
            for name, size, failed in counts:
                self.tally.stage_rows[name] += size
                self.tally.stage_failed[name] += failed
                self._check_failure_rate(name, rows)
            self.unused.note(chunk.step, chunk.rows, rows)
            yield from as_synthetic(rows, chunk.step, 1, self.teacher, next_index)
            next_index += len(rows)
            on_progress(self.tally)
        for name, error in self.without_prompt.items():
            if not self.tally.stage_rows[name]:
                raise error

    def _check_failure_rate(self, name: str, rows: Sequence[Row]) -> None:
        size, failed, limit = self.tally.stage_rows[name], self.tally.stage_failed[name], self.recipe.max_failure_rate
        if size >= MIN_ROWS_FOR_RATE and failed > limit * size:
            last = next((row.reason for row in reversed(rows) if row.status == "failed"), "")
            raise ModelError(
                f"{name}: {failed} of {size} rows failed, more than max_failure_rate: {limit:g} allows; the last "
                f"reason: {last}; replies are kept: fix the cause, or --set max_failure_rate=1, and run it again"
            )


def _rows_to_make(step: Step) -> int | None:
    """How many rows a generator makes from all real rows together; None: it works on each real row by itself."""
    if step.takes("rows"):
        return None
    if not step.takes("count"):
        raise RecipeError(f"{step.name} takes neither rows nor a count, so the number of rows to make is not known")
    return int(step.option("count"))
