"""The loop without training: real rows → generate → grade → curate → a data set, in chunks, several at a time."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import cast

from selfsown import progress
from selfsown.calibration.decontamination import FILE as DECONTAMINATION
from selfsown.calibration.decontamination import measure_decontamination
from selfsown.calibration.requirements import check_requirements
from selfsown.callbacks import Tally
from selfsown.errors import ModelError, RecipeError
from selfsown.holdout import split_stream
from selfsown.intake import COUNTS, SET_ASIDE, Intake, UnusedRows, prepared_rows
from selfsown.models import Model, RemoteModel
from selfsown.parallel import map_ordered, relaxed_garbage_collection
from selfsown.preflight.dry_run import dry_run_make
from selfsown.preflight.servers import check_servers
from selfsown.recipe.inputs import CurateInputs, GenerateInputs, GradeInputs
from selfsown.recipe.recipe import Recipe
from selfsown.recipe.steps import Step
from selfsown.records import NoPrompt, Row
from selfsown.run_folder import PREVIEW, RunFolder
from selfsown.stages import as_synthetic, curate_rows, derive_seed, for_step, grade_rows

CHUNK_ROWS = 64  # of models behind a server: few enough that a chunk is soon done
LOCAL_CHUNK_ROWS = 1024  # of local models, which are fastest with many prompts at once
MIN_ROWS_FOR_RATE = 100  # rows of a stage, before its failure rate can stop the run


OnProgress = Callable[[Tally], None]
StepCounts = list[tuple[str, int, int]]  # of each step: its name, how many rows came out, how many of them it failed


@dataclass(frozen=True)
class Chunk:
    """Work for one generator: real rows, or a number of rows to make from all real rows together."""

    step: Step
    seed: int
    rows: Sequence[Row] = ()
    count: int = 0

    @property
    def size(self) -> int:
        return len(self.rows) or self.count


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
        pipeline = DatasetPipeline(recipe, store, _split_on_disk(recipe, store), chunk_size)
        try:
            yield pipeline
        finally:
            pipeline.halt()


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


class DatasetPipeline:
    """Rows on their way through one folder."""

    def __init__(self, recipe: Recipe, store: RunFolder, intake: Intake, chunk_size: int = 0) -> None:
        self.recipe, self.store, self.tally = recipe, store, Tally(intake, store.journal.meter)
        self.unused = UnusedRows(recipe)
        self.without_prompt: dict[str, NoPrompt] = {}  # by step, its error on a chunk whose rows have no prompt
        self.task = recipe.real()
        self.real = store.stream("real")
        self.held_out = store.stream("held_out")
        self.teacher = self._model("teacher")
        self.judge = self._model("judge") if recipe.judge else self.teacher
        remote = {id(model): model for model in (self.teacher, self.judge) if isinstance(model, RemoteModel)}
        in_flight = sum(model.max_in_flight for model in remote.values())
        preferred = max((model.preferred_batch for model in remote.values()), default=0)
        self.chunk_size = chunk_size or preferred or (CHUNK_ROWS if in_flight else LOCAL_CHUNK_ROWS)
        self.threads = 2 + 2 * in_flight // self.chunk_size if in_flight else 1

    def with_models(self, teacher: Model, judge: Model) -> DatasetPipeline:
        """The same work with other models in its roles."""
        other = copy.copy(self)
        other.teacher, other.judge = teacher, judge
        return other

    def _model(self, role: str) -> Model:
        step = getattr(self.recipe, role)
        return cast(Model, step(rows=self.real, seed=self.seed(role), journal=self.store.journal, role=role))

    def seed(self, *where: object) -> int:
        return derive_seed(self.recipe.seed, "make", *where)

    def halt(self) -> None:
        """Send no more requests."""
        for model in (self.teacher, self.judge):
            if isinstance(model, RemoteModel):
                model.cancel()

    def rows(self, on_progress: OnProgress, first: int = 0) -> Iterator[Row]:
        """Every new row with its status, in order; first: of the first few real rows alone."""
        results = map_ordered(
            self._process_if_prompts, self.chunks(first), self.threads, self.halt, lambda: on_progress(self.tally)
        )
        rows = self._in_order(results, on_progress)
        for index, step in enumerate(self.recipe.grade):
            if step.streams:
                rows = self.graded(index, rows)
        for index, step in enumerate(self.recipe.curate):
            inputs = CurateInputs(
                task=self.task, real=self.real, held_out=self.held_out, grader_count=len(self.recipe.grade)
            )
            rows = curate_rows(step, rows, replace(inputs, seed=self.seed("curate", index)))
        for row in rows:
            finished = row if row.status else row.kept()
            self.tally.add(finished)
            yield finished
        on_progress(self.tally)

    def measure_decontamination(self) -> str:
        """Write how well the recipe's decontamination works; the result in a sentence, "" where it has none."""
        inputs = CurateInputs(task=self.task, real=self.real, held_out=self.held_out)
        seed = self.seed("decontamination")
        measured = measure_decontamination(self.recipe.curate, inputs, self.store, self.store.stream("rows"), seed)
        return f"{measured.sentence()}." if measured else ""

    def graded(self, index: int, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows with the grades of the recipe's grader of this index."""
        seed = self.seed("grade", index)
        inputs = GradeInputs(judge=self.judge, teacher=self.teacher, task=self.task, real=self.real, seed=seed)
        return grade_rows(self.recipe.grade[index], rows, inputs)

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

    def process(self, chunk: Chunk) -> tuple[Chunk, list[Row], StepCounts]:
        """The chunk's rows, generated and graded.

        Graders that stream are left out; they see the rows of all chunks one after the other.
        """
        counts: StepCounts = []
        step = replace(chunk.step, options={**chunk.step.options, "count": chunk.count}) if chunk.count else chunk.step
        level = self.recipe.level or self.task.top_level
        inputs = GenerateInputs(real=self.real, teacher=self.teacher, task=self.task, level=level, generation=1)
        part = chunk.size / (1 + sum(not grader.streams for grader in self.recipe.grade))
        with self.tally.making.portion(part):
            made = step.collect(Row, replace(for_step(step, inputs), rows=chunk.rows, seed=chunk.seed))
        rows = as_synthetic(made, step, 1, self.teacher)
        failed = sum(row.status == "failed" for row in rows)
        counts.append((step.name, len(rows), failed))
        for index, grader in enumerate(self.recipe.grade):
            if not grader.streams:
                with self.tally.making.portion(part):
                    rows = list(self.graded(index, rows))
                before, failed = failed, sum(row.status == "failed" for row in rows)
                counts.append((grader.name, len(rows) - before, failed - before))
        return chunk, rows, counts

    def _process_if_prompts(self, chunk: Chunk) -> tuple[Chunk, list[Row], StepCounts]:
        """The same; a chunk of which no row has a prompt gives no rows, as long as other rows have one."""
        try:
            return self.process(chunk)
        except NoPrompt as error:
            if not any(row.prompt for row in self.real):
                raise
            self.without_prompt[chunk.step.name] = error
            return chunk, [], [(chunk.step.name, 0, 0)]

    def _in_order(
        self, results: Iterable[tuple[Chunk, list[Row], StepCounts]], on_progress: OnProgress
    ) -> Iterator[Row]:
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
