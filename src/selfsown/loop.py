"""The loop: real rows → generate → grade → curate → mix → train → evaluate → guard → next generation."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import cast

from selfsown import progress
from selfsown.calibration.requirements import check_requirements
from selfsown.callbacks import Callbacks
from selfsown.errors import ModelError, RecipeError
from selfsown.files.row_sequences import chained, status_counts, with_status
from selfsown.generation_work import GenerationWork
from selfsown.history import best_of, last_accepted, learned_from_synthetic, trainings
from selfsown.intake import Intake, record_intake
from selfsown.models import Model, Pretrained, Student
from selfsown.preflight.dry_run import dry_run
from selfsown.preflight.servers import check_servers
from selfsown.recipe.inputs import (
    EvaluateInputs,
    GuardInputs,
    MixInputs,
    TrainInputs,
)
from selfsown.recipe.recipe import Recipe
from selfsown.recipe.steps import Step
from selfsown.records import Generation, Mixture, Row, Score, Verdict, answered
from selfsown.run_folder import RunFolder, generation_dir
from selfsown.run_state import RunState
from selfsown.stages import as_synthetic, curate_rows

SIDES = ("real", "held_out")
STATUSES = ("kept", "rejected", "failed")


def run(recipe: Recipe, folder: Path, callbacks: Callbacks | None = None) -> list[Generation]:
    """Run the recipe in the folder, or resume it there. Returns all generations, rolled-back ones too.

    The folder's `best/` is the model of the best accepted generation. Raises RecipeError, DataError, ModelError or
    RunFolderError.
    """
    if not recipe.trains:
        raise RecipeError(f"{recipe.name} names no student to train; only rows can be made: {recipe.command('make')}")
    check_requirements(recipe, folder)
    task = recipe.real()
    new_rows, intake = None, Intake()
    if not all((folder / f"{side}.parquet").exists() for side in SIDES):
        new_rows = dry_run(recipe, task, intake)  # before the folder is touched: a step may not fit
        check_servers(recipe, folder)
    with RunFolder.locked(folder, recipe.dump(), recipe.steps()) as store:
        callbacks = callbacks or Callbacks()
        callbacks.started()
        progress.spend(store.journal.meter)
        if counts := record_intake(store, intake):
            callbacks.real_rows(counts)
        real, held_out = _real_rows(store, new_rows)
        loop = Loop(recipe, store, task, real, held_out, callbacks)
        history = [loop.train_base()]
        while len(history) <= recipe.generations and not _stuck(history, recipe):
            history.append(loop.run_generation(history))
        loop.measure_decontamination(len(history) - 1)
        if recipe.control and learned_from_synthetic(history, last_accepted(history)):
            loop.run_control(history)
        best = best_of(history, recipe.goal)
        store.write_best(best.number, {"best": best.number, "goal": recipe.goal, "stuck": _stuck(history, recipe)})
        if recipe.keep_models == "last":
            store.keep_models({last_accepted(history).number})
        return history


@dataclass(frozen=True)
class Loop(RunState):
    """Generation after generation."""

    def train_base(self) -> Generation:
        """Generation 0: the student, trained on real rows alone."""
        if finished := self.store.generation(0):
            return finished
        student = self.new_student()
        as_it_came = self.pretrained_scores(student) if isinstance(student, Pretrained) else ()
        mixture = self.mixed([])
        level = self.recipe.level or self.task.top_level
        share = mixture.synthetic_share
        generation = Generation(0, 0, level, {}, 1.0, (), synthetic_share=share, pretrained_scores=as_it_came)
        return self.evaluated(generation, self.trained_model(0, mixture, student), [], [])

    def pretrained_scores(self, student: Student) -> tuple[Score, ...]:
        """The test scores of the model as it came, before anything is trained."""
        if not self.store.pretrained_scores():
            with self.stage(0, "evaluate") as done:
                self.store.write_pretrained_scores(self.scores(student, self.test))
                done.append(len(self.test))
        return self.store.pretrained_scores()

    def run_generation(self, history: list[Generation]) -> Generation:
        """One generation after those of `history`."""
        number, parent = len(history), last_accepted(history)
        if finished := self.store.generation(number):
            return finished
        past = chained(*(self.kept(earlier.number) for earlier in history[1:] if earlier.accepted))
        student = self.model(parent.number)
        level = self.level_after(parent)
        rows = self.store.sequence(f"{generation_dir(number)}/rows")
        if rows is None:
            work = self.work(self.recipe, number, student, level, self.store.model(parent.number))
            rows = self.generate_rows(work, past)
        kept = self.kept_rows[number] = with_status(rows, "kept")
        mixture = self.mixed(chained(past, kept))
        start = student if self.recipe.init_from == "previous" else self.model(0)
        child = self.trained_model(number, mixture, start)
        counted = status_counts(rows)
        counts = {"made": len(rows)} | {status: counted[status] for status in STATUSES}
        shares = mixture.synthetic_share
        generation = Generation(number, parent.number, level, counts, mixture.real_share, (), synthetic_share=shares)
        return self.evaluated(generation, child, history, rows)

    def run_control(self, history: list[Generation]) -> None:
        """Train on real rows alone as often: the comparison for what synthetic rows gain."""
        recipe = replace(self.recipe, generate=(), guard=(), rollback=False, engine=None)
        control = replace(self, recipe=recipe, store=self.store.control(history[0]), kept_rows={})
        needed = max(trainings(history, generation, recipe.init_from) for generation in history if generation.accepted)
        self.callbacks.control(needed)
        generations = [history[0]]
        while len(generations) <= needed:
            generations.append(control.run_generation(generations))

    def mixed(self, synthetic: Sequence[Row]) -> Mixture:
        """The rows to train on, with their weights."""
        return self.recipe.mix.one(Mixture, MixInputs(real=answered(self.real), synthetic=synthetic))

    def work(
        self, recipe: Recipe, number: int, student: Student, level: int = 0, folder: Path | None = None
    ) -> GenerationWork:
        """What it takes to generate and grade rows with this student, which other machines read from the folder."""
        work = GenerationWork(recipe, self.real, self.store.journal, number=number, level=level, folder=folder)
        work.student, work.task = student, self.task  # they are here already
        return work

    def generate_rows(self, work: GenerationWork, past: Sequence[Row]) -> Sequence[Row]:
        """The generation's new rows, each with its status. Without a teacher or judge, the student takes the role."""
        number = work.number
        with self.stage(number, "generate") as done:
            rows = self.store.spooled(number, "generated", self.generated(work))
            done.append(len(rows))
        with self.stage(number, "grade") as done:
            done.append(status_counts(rows)[""])
            rows = self.graded(rows, work)
        with self.stage(number, "curate") as done:
            done.append(status_counts(rows)[""])
            tracked = progress.track(rows, unit="rows")
            rows = self.store.write_sequence(f"{generation_dir(number)}/rows", self.curated(tracked, number, past))
        self.store.forget_working(number)
        return rows

    def generated(self, work: GenerationWork) -> Iterator[Row]:
        """The rows of all generators."""
        size, number = 0, work.number
        for index, step in enumerate(progress.track(self.recipe.generate)):
            made = work.generated(step, self.working_rows(number), self.seed(number, "generate", index))
            for row in as_synthetic(made, step, number, work.writer, size):
                size += 1
                yield row

    def graded(self, rows: Sequence[Row], work: GenerationWork) -> Sequence[Row]:
        """The rows with the grades of all graders."""
        for index, step in enumerate(progress.track(self.recipe.grade)):
            graded = work.graded(step, rows, self.seed(work.number, "grade", index))
            tracked = progress.track(graded, total=len(rows), unit="rows")
            rows = self.store.spooled(work.number, f"graded-{index}", tracked)
        return rows

    def curated(self, rows: Iterable[Row], number: int, past: Sequence[Row]) -> Iterator[Row]:
        """The rows after all curators, each with its status."""
        inputs, working = self.curate_inputs(past), self.store.working_dir(number)
        for index, step in enumerate(self.recipe.curate):
            rows = curate_rows(step, rows, replace(inputs, seed=self.seed(number, "curate", index)), working)
        return (row if row.status else row.kept() for row in rows)

    def trained_model(self, number: int, mixture: Mixture, start: Student) -> Student:
        """The generation's model: from the folder, or trained now."""
        if not self.store.model(number):
            with self.stage(number, "train") as done:
                child = self.trained(number, mixture, start, self.seed(number, "train"))
                done.append(len(mixture.rows))
            self.store.write_model(number, child.save)
        self.store.forget_training(number)
        return self.model(number)

    def trained(self, number: int, mixture: Mixture, start: Student, seed: int) -> Student:
        """The model after all training objectives, one after the other."""
        steps = self.recipe.train if number else (self.recipe.base_train or self.recipe.train[0],)
        model = start
        for index, step in enumerate(steps):
            inputs = TrainInputs(
                mixture=mixture,
                parent=model,
                seed=self.seed(number, "train", index) if index else seed,
                tick=self.callbacks.tick,
                report=partial(self.report_training, number, step),
                work_dir=self.store.training_dir(number, f"{index}-{seed}"),
            )
            model = cast(Student, step.one(object, self.with_teacher_and_grader(step, number, start, inputs)))
        return model

    def with_teacher_and_grader(self, step: Step, number: int, start: Student, inputs: TrainInputs) -> TrainInputs:
        """The inputs with a teacher and a grader, as far as the objective asks for them."""
        if step.takes("teacher"):
            inputs = replace(inputs, teacher=self.role_model("teacher") or start)
        if step.takes("grader"):
            work = self.work(replace(self.recipe, engine=None), number, start)  # a few answers at a time
            inputs = replace(inputs, grader=lambda rows: list(self.graded(rows, work)))
        return inputs

    def evaluated(
        self, generation: Generation, model: Model, history: list[Generation], made: Sequence[Row]
    ) -> Generation:
        """The generation with its scores and verdicts: from the folder, or measured now."""
        if finished := self.store.generation(generation.number):
            return finished
        with self.stage(generation.number, "evaluate") as done:
            test, validation = (self.scores(model, half) for half in progress.track([self.test, self.validation]))
            generation = replace(generation, scores=test, validation_scores=validation)
            done.append(len(self.test) + len(self.validation))
        diverged = not all(any(score.key == self.recipe.goal for score in half) for half in (test, validation))
        if diverged and not history:
            raise ModelError(
                f"{self.recipe.goal} is not a number in generation 0: training diverged (lower the learning_rate or "
                "the steps of base_train), or half of the held-out rows have no such score (hold out more)"
            )
        verdicts: list[Verdict] = []
        if diverged:
            reason = f"{self.recipe.goal} is not a number: training diverged; lower the learning_rate"
            verdicts = [Verdict(False, reason, "loop")]
        elif history:
            with self.stage(generation.number, "guard"):
                inputs = self.guard_inputs([*history, generation], made)
                verdicts = [step.one(Verdict, inputs) for step in progress.track(self.recipe.guard)]
        rollback = self.recipe.rollback or diverged
        generation = replace(generation, verdicts=tuple(verdicts), rollback_enabled=rollback)
        self.store.write_generation(generation)
        self.callbacks.finished(generation)
        self.forget_models([*history, generation])
        return generation

    def guard_inputs(self, history: list[Generation], made: Sequence[Row]) -> GuardInputs:
        """What guards see: validation scores and rows, never those of the test half."""
        return GuardInputs(
            history=[generation.as_validated() for generation in history],
            made=made,
            kept=with_status(made, "kept"),
            real=answered(self.real),
            held_out=answered(self.validation),
            task=self.task,
            goal=self.recipe.goal,
            written=self.unconditional_rows,
            baselines=partial(self.baselines, history[-1].number),
        )

    def scores(self, model: Model, held_out: list[Row]) -> tuple[Score, ...]:
        """What is measured of a model on one half of the held-out rows."""
        scores: list[Score] = []
        for index, step in enumerate(progress.track(self.recipe.evaluate)):
            seed = self.seed(0, "evaluate", index)
            scores += step.collect(Score, EvaluateInputs(model=model, held_out=held_out, task=self.task, seed=seed))
        return tuple(score for score in scores if math.isfinite(score.value))

    def baselines(self, number: int, models: int) -> list[tuple[Score, ...]]:
        """Validation scores of so many models trained on real rows alone: generation 0, and others by other seeds."""
        baselines = [tuple(Score(**score) for score in scores) for scores in self.store.json("baselines") or []]
        missing = range(len(baselines) + 1, models)
        for index in missing:
            self.callbacks.begin(number, "baselines")
            model = self.trained(0, self.mixed([]), self.new_student(index), self.seed(0, "train", index))
            baselines.append(self.scores(model, self.validation))
            self.store.forget_training(0)
            self.store.write_json("baselines", [[asdict(score) for score in scores] for scores in baselines])
        if missing:
            self.callbacks.begin(number, "guard")
        first = self.store.generation(0)
        return [*([first.as_validated().scores] if first else []), *baselines[: models - 1]]


def _real_rows(store: RunFolder, new_rows: tuple[list[Row], list[Row]] | None) -> tuple[list[Row], list[Row]]:
    """(to learn from, held out): the new rows, after writing them, or those of the folder."""
    if new_rows is not None:
        for side, rows in zip(SIDES, new_rows, strict=True):
            store.write_rows(side, rows)
        return new_rows
    real, held_out = (store.rows(side) or [] for side in SIDES)
    return real, held_out


def _stuck(history: Sequence[Generation], recipe: Recipe) -> bool:
    """Whether the last `patience` generations were all rolled back, which ends the run."""
    last = history[-recipe.patience :]
    return recipe.rollback and len(history) > recipe.patience and not any(generation.accepted for generation in last)
