"""The work of one generation of `run`: each chunk is one call of a generator or of a grader, wherever it is made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import cast

from selfsown import progress
from selfsown.callbacks import Tally
from selfsown.chunks import Chunk, ChunkResult, Work
from selfsown.errors import ModelError
from selfsown.models import Model
from selfsown.recipe.inputs import EngineInputs, GenerateInputs, GradeInputs
from selfsown.recipe.recipe import Recipe
from selfsown.recipe.steps import Step
from selfsown.records import Row
from selfsown.stages import (
    LARGE_CHUNK_ROWS,
    ROLE_MODELS,
    by_prompts,
    derive_seed,
    for_step,
    grade_chunk,
    role_model,
)
from selfsown.tasks import Posing, PosingFromRows
from selfsown.usage.journal import Journal


class GenerationWork(Work):
    """What it takes to generate and to grade the rows of one generation.

    number, level: of the generation. folder: of the student, which has the roles for which the recipe names no model.
    """

    def __init__(
        self,
        recipe: Recipe,
        real: Sequence[Row],
        journal: Journal,
        tally: Tally | None = None,
        *,
        number: int,
        level: int,
        folder: Path | None,
    ) -> None:
        super().__init__(recipe, real, journal, tally or Tally())
        self.number, self.level, self.folder = number, level, folder and folder.absolute()
        self.chunk_size = recipe.chunk_rows or LARGE_CHUNK_ROWS
        self.elsewhere = partial(GenerationWork, number=number, level=level, folder=self.folder)
        self.named = {
            role: role_model(recipe, role, real, derive_seed(recipe.seed, 0, role), journal) for role in ROLE_MODELS
        }

    def models(self) -> Sequence[Model]:
        return [model for model in self.named.values() if model]

    @property
    def threads(self) -> int:
        """As in `Work`; one where the student is asked, which is in this process."""
        roles = {"teacher", *(role for step in self.recipe.grade for role in ROLE_MODELS if step.takes(role))}
        is_asked = self.recipe.generate_with == "student" or not all(self.named[role] for role in roles)
        return 1 if is_asked else super().threads

    @cached_property
    def student(self) -> Model:
        """The student, read when it is first needed. ModelError where this machine does not see its folder."""
        if not self.folder or not self.folder.is_dir():
            raise ModelError(
                f"engine: a machine of the cluster does not see the student's folder {self.folder}; run in a folder on "
                "a file system that all of them mount at the same path"
            )
        return cast(Model, self.recipe.student.load(self.folder, self.journal))

    @property
    def writer(self) -> Model:
        """The model that writes rows."""
        return (self.recipe.generate_with == "teacher" and self.named["teacher"]) or self.student

    def generated(self, step: Step, rows: Sequence[Row], seed: int) -> Iterator[Row]:
        """What a generator makes from the rows, without provenance."""
        chunks = list(self.chunks(step, rows, seed))
        return self._map(chunks, sum(chunk.size for chunk in chunks))

    def graded(self, step: Step, rows: Sequence[Row], seed: int) -> Iterator[Row]:
        """The rows with a grader's grades; one that streams is called once, and here."""
        if step.streams or not rows:
            return self.rows(Chunk(step, seed, rows))
        return self._map((Chunk(step, seed, part) for part in by_prompts(rows, self.chunk_size)), len(rows))

    def chunks(self, step: Step, rows: Sequence[Row], seed: int) -> Iterator[Chunk]:
        """A generator's work in calls of at most `chunk_size` rows.

        Rows are what it makes, where it is given their count, and what it works on, where it is given rows.
        """
        poses = isinstance(self.task, Posing | PosingFromRows)
        counts = step.takes("count") and (poses or not step.takes("rows"))
        size = int(step.option("count")) if counts else len(rows) if step.takes("rows") else 0
        working = rows if step.takes("rows") else []
        for index, start in enumerate(range(0, max(size, 1), self.chunk_size)):
            end, chunk_seed = min(start + self.chunk_size, size), derive_seed(seed, index) if index else seed
            part, count = (working, end - start) if counts else (working[start:end], 0)
            yield Chunk(step, chunk_seed, part, count)

    def rows(self, chunk: Chunk) -> Iterator[Row]:
        """The rows of a chunk, generated, without their provenance; or graded."""
        step = chunk.call
        teacher, judge = ((self.named[role] or self.student) if step.takes(role) else None for role in self.named)
        if step.stage == "grade":
            grading = GradeInputs(judge=judge, teacher=teacher, task=self.task, real=self.real, seed=chunk.seed)
            return grade_chunk(step, chunk.rows, grading)
        inputs = GenerateInputs(
            rows=chunk.rows,
            real=self.real,
            teacher=self.writer,
            task=self.task,
            level=self.level,
            generation=self.number,
            seed=chunk.seed,
        )
        return step.stream(Row, for_step(step, inputs))

    def process(self, chunk: Chunk) -> ChunkResult:
        with self.tally.making.portion(chunk.size):
            return chunk, list(self.rows(chunk)), []

    def _map(self, chunks: Iterable[Chunk], size: int) -> Iterator[Row]:
        """The rows of all chunks, in order: by the engine, or here, one chunk after the other. size: of all chunks."""
        engine = self.recipe.engine
        if not engine:
            for chunk in progress.track(chunks):
                yield from self.rows(chunk)
            return
        with progress.step(total=size, unit="rows") as self.tally.making:
            inputs = EngineInputs(work=self, chunks=chunks, tick=lambda: None)
            for _, rows, _ in engine.stream(tuple, inputs):
                yield from rows
