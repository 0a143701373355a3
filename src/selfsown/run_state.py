"""What all generations of a run share: the recipe, the folder, the real rows and the models."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cached_property
from itertools import chain
from typing import cast

from selfsown import progress
from selfsown.calibration.decontamination import measure_decontamination
from selfsown.callbacks import Callbacks
from selfsown.errors import RunFolderError
from selfsown.files.row_sequences import with_status
from selfsown.history import best_of, last_accepted
from selfsown.holdout import validation_and_test
from selfsown.models import Model, Pretrained, Student
from selfsown.preflight.repeated_rows import repeats_warning
from selfsown.prompting.unconditional import unconditional_samples
from selfsown.recipe.inputs import CurateInputs
from selfsown.recipe.recipe import Recipe
from selfsown.recipe.steps import Step
from selfsown.records import Generation, Row, Training, answered
from selfsown.run_folder import RunFolder, generation_dir
from selfsown.stages import derive_seed, role_model
from selfsown.tasks import Task, measurable


@dataclass(frozen=True)
class RunState:
    """What all generations of a run share.

    Real rows without an answer are given to generators, and kept out of new rows where they are held out; but nothing
    is learned from them, and only accuracy is measured on them, where the task can check answers to them.
    """

    recipe: Recipe
    store: RunFolder
    task: Task
    real: list[Row]
    held_out: list[Row]
    callbacks: Callbacks
    kept_rows: dict[int, Sequence[Row]] = field(default_factory=dict)  # by generation, as far as they were read

    @cached_property
    def _halves(self) -> tuple[list[Row], list[Row]]:
        return validation_and_test(measurable(self.held_out, self.task), self.recipe.seed)

    @property
    def validation(self) -> list[Row]:
        """The half of the held-out rows by which guards judge and the best generation is chosen."""
        return self._halves[0]

    @property
    def test(self) -> list[Row]:
        """The other half, whose scores are reported and decide nothing."""
        return self._halves[1]

    def kept(self, number: int) -> Sequence[Row]:
        """The generation's kept rows, read from the folder once at most where they are few."""
        if number not in self.kept_rows:
            self.kept_rows[number] = with_status(self.store.sequence(f"{generation_dir(number)}/rows") or [], "kept")
        return self.kept_rows[number]

    def model(self, number: int) -> Student:
        """The generation's model, read from the folder."""
        folder = self.store.model(number)
        if not folder:
            raise RunFolderError(
                f"{self.store.folder}: the weights of generation {number} were deleted (keep_models: "
                f"{self.recipe.keep_models}); begin in a new folder with keep_models: all"
            )
        return cast(Student, self.recipe.student.load(folder, self.store.journal))

    def working_rows(self, number: int) -> list[Row]:
        """The real rows for this generation's generators: `prompts_per_generation` of them, drawn again each time."""
        if not (limit := self.recipe.prompts_per_generation):
            return self.real
        rng = random.Random(self.seed(number, "prompts"))
        chosen = rng.sample(range(len(self.real)), min(limit, len(self.real)))
        return [self.real[index] for index in sorted(chosen)]

    def forget_models(self, history: list[Generation]) -> None:
        """Delete weights that `keep_models` does not keep and that no later generation can need."""
        if self.recipe.keep_models != "all":
            self.store.keep_models({0, last_accepted(history).number, best_of(history, self.recipe.goal).number})

    def level_after(self, parent: Generation) -> int:
        """The level to write at: the next one opens when the parent is accurate enough at the hardest so far."""
        accuracy = parent.as_validated().score(f"accuracy[level={parent.level}]")
        if accuracy and accuracy.value >= self.recipe.level_up_accuracy and parent.level < self.task.top_level:
            return parent.level + 1
        return parent.level

    def new_student(self, *index: int) -> Student:
        """The student that the recipe names, before any training here; index: of further ones, with other seeds."""
        seed = self.seed(0, "student", *index)
        student = cast(Student, self.recipe.student(rows=self.real, seed=seed, journal=self.store.journal))
        if isinstance(student, Pretrained):
            self.store.check_student(student.pretrained_from)
        return student

    def role_model(self, role: str) -> Model | None:
        """The teacher or judge that the recipe names; None where it names none."""
        return role_model(self.recipe, role, self.real, self.seed(0, role), self.store.journal)

    def unconditional_rows(self, number: int, count: int) -> list[Row]:
        """Unconditional samples of a generation's model, as rows; failed where the task cannot read one."""
        seed, rows = self.seed(0, "written"), []
        samples = unconditional_samples(
            self.model(number), answered(self.validation), self.task, count, random.Random(seed), seed
        )
        for prompt, answer in samples:
            row = self.task.read(prompt, answer)
            rows.append(row if isinstance(row, Row) else Row(prompt, answer).failed(row))
        return rows

    def curate_inputs(self, past: Sequence[Row] = ()) -> CurateInputs:
        """What curators are given. past: kept rows of earlier accepted generations."""
        count = len(self.recipe.grade)
        return CurateInputs(task=self.task, real=self.real, held_out=self.held_out, past=past, grader_count=count)

    def measure_decontamination(self, generations: int) -> None:
        """Write and report how well the recipe's decontamination works, with a sample of what it rejected."""
        if not generations:
            return
        names = [f"{generation_dir(number)}/rows" for number in range(1, generations + 1)]
        rows = chain.from_iterable(map(self.store.stream, names))
        measured = measure_decontamination(self.recipe.curate, self.curate_inputs(), self.store, rows, self.recipe.seed)
        if measured:
            self.callbacks.decontamination(f"{measured.sentence()}.")

    def seed(self, *where: object) -> int:
        return derive_seed(self.recipe.seed, *where)

    @contextmanager
    def stage(self, number: int, name: str) -> Iterator[list[int]]:
        """Time a stage, report it to the callbacks and the log. The caller appends its number of rows to the list."""
        rows: list[int] = []
        self.callbacks.begin(number, name)
        start = time.monotonic()
        with progress.step():
            yield rows
        seconds = time.monotonic() - start
        self.callbacks.end(sum(rows), seconds)
        self.store.log(generation=number, stage=name, rows=sum(rows), seconds=round(seconds, 3))

    def report_training(self, number: int, step: Step, training: Training) -> None:
        """Tell the callbacks and the log what an objective did, and where it repeated rows too often."""
        warning = repeats_warning(self.recipe, step, training)
        self.callbacks.trained(training, warning)
        event = {"training": step.method, **asdict(training), "summary": training.sentence(), "warning": warning}
        self.store.log(generation=number, **event)
