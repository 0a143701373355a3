"""Chunks of work, and how `make` generates and grades the rows of one, on whatever thread or machine that happens."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Self, cast

from selfsown.callbacks import Tally
from selfsown.models import Model, RemoteModel
from selfsown.recipe.inputs import GenerateInputs, GradeInputs
from selfsown.recipe.recipe import Recipe
from selfsown.recipe.steps import Step
from selfsown.records import NoPrompt, Row
from selfsown.stages import as_synthetic, derive_seed, for_step, grade_rows, role_model
from selfsown.usage.journal import Journal

CHUNK_ROWS = 64  # of models behind a server: few enough that a chunk is soon done
LOCAL_CHUNK_ROWS = 1024  # of local models, which are fastest with many prompts at once

StepCounts = list[tuple[str, int, int]]  # of each step: its name, how many rows came out, how many of them it failed


@dataclass(frozen=True)
class Chunk:
    """One call of a generator or grader: rows to work on, or a number of rows to make from all real rows together."""

    step: Step
    seed: int
    rows: Sequence[Row] = ()
    count: int = 0

    @property
    def size(self) -> int:
        return self.count or len(self.rows)

    @property
    def call(self) -> Step:
        """The step with the number of rows to make in this call."""
        return replace(self.step, options={**self.step.options, "count": self.count}) if self.count else self.step


ChunkResult = tuple[Chunk, list[Row], StepCounts]


class Work(ABC):
    """What it takes to work on chunks: a recipe with its task and models, and the real rows.

    tally: counts the steps that rows have passed. chunk_size: rows of a chunk. without_prompt: by step, its error on a
    chunk whose rows have no prompt. elsewhere: creates the same on another machine.
    """

    chunk_size: int
    elsewhere: Callable[[Recipe, Sequence[Row], Journal, Tally], Work]

    def __init__(self, recipe: Recipe, real: Sequence[Row], journal: Journal, tally: Tally) -> None:
        self.recipe, self.real, self.journal, self.tally = recipe, real, journal, tally
        self.without_prompt: dict[str, NoPrompt] = {}
        self.task = recipe.real()

    @abstractmethod
    def process(self, chunk: Chunk) -> ChunkResult:
        """The rows that come of the chunk."""

    @abstractmethod
    def models(self) -> Sequence[Model]:
        """Those that the recipe names."""

    @property
    def remote_models(self) -> list[RemoteModel]:
        """Those behind servers, each once."""
        models = {id(model): model for model in self.models()}
        return [model for model in models.values() if isinstance(model, RemoteModel)]

    @property
    def threads(self) -> int:
        """How many chunks to work on at once, so that servers always have as many requests as they may."""
        in_flight = sum(model.max_in_flight for model in self.remote_models)
        return 2 + 2 * in_flight // self.chunk_size if in_flight else 1

    def halt(self) -> None:
        """Send no more requests."""
        for model in self.remote_models:
            model.cancel()


class ChunkWork(Work):
    """That of `make`: each chunk is generated and graded. chunk_size: 0: as many rows as suit the models."""

    def __init__(
        self, recipe: Recipe, real: Sequence[Row], journal: Journal, tally: Tally, *, chunk_size: int = 0
    ) -> None:
        super().__init__(recipe, real, journal, tally)
        self.teacher = self._model("teacher")
        self.judge = self._model("judge") if recipe.judge else self.teacher
        preferred = max((model.preferred_batch for model in self.remote_models), default=0)
        suited = preferred or (CHUNK_ROWS if self.remote_models else LOCAL_CHUNK_ROWS)
        self.chunk_size = chunk_size or recipe.chunk_rows or suited
        self.elsewhere = partial(ChunkWork, chunk_size=self.chunk_size)

    def models(self) -> Sequence[Model]:
        return self.teacher, self.judge

    def with_models(self, teacher: Model, judge: Model) -> Self:
        """The same work with other models in its roles."""
        other = copy.copy(self)
        other.teacher, other.judge = teacher, judge
        return other

    def _model(self, role: str) -> Model:
        return cast(Model, role_model(self.recipe, role, self.real, self.seed(role), self.journal))

    def seed(self, *where: object) -> int:
        return derive_seed(self.recipe.seed, "make", *where)

    def graded(self, index: int, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows with the grades of the recipe's grader of this index."""
        seed = self.seed("grade", index)
        inputs = GradeInputs(judge=self.judge, teacher=self.teacher, task=self.task, real=self.real, seed=seed)
        return grade_rows(self.recipe.grade[index], rows, inputs)

    def generate_and_grade(self, chunk: Chunk) -> ChunkResult:
        """The chunk's rows, generated and graded.

        Graders that stream are left out; they see the rows of all chunks one after the other.
        """
        step, counts = chunk.call, StepCounts()
        level = self.recipe.level or self.task.top_level
        inputs = GenerateInputs(real=self.real, teacher=self.teacher, task=self.task, level=level, generation=1)
        part = chunk.size / (1 + sum(not grader.streams for grader in self.recipe.grade))
        with self.tally.making.portion(part):
            made = step.collect(Row, replace(for_step(step, inputs), rows=chunk.rows, seed=chunk.seed))
        rows = list(as_synthetic(made, step, 1, self.teacher))
        failed = sum(row.status == "failed" for row in rows)
        counts.append((step.name, len(rows), failed))
        for index, grader in enumerate(self.recipe.grade):
            if not grader.streams:
                with self.tally.making.portion(part):
                    rows = list(self.graded(index, rows))
                before, failed = failed, sum(row.status == "failed" for row in rows)
                counts.append((grader.name, len(rows) - before, failed - before))
        return chunk, rows, counts

    def process(self, chunk: Chunk) -> ChunkResult:
        """The same; a chunk of which no row has a prompt gives no rows, as long as other rows have one."""
        try:
            return self.generate_and_grade(chunk)
        except NoPrompt as error:
            if not any(row.prompt for row in self.real):
                raise
            self.without_prompt[chunk.step.name] = error
            return chunk, [], [(chunk.step.name, 0, 0)]
