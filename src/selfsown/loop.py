"""The loop: real rows → generate → grade → curate → mix → train → evaluate → guard → next generation."""

from __future__ import annotations

import math
import random
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from selfsown.calibration.requirements import trusted
from selfsown.callbacks import Callbacks
from selfsown.history import best_of, last_accepted, learned_from_synthetic, trainings
from selfsown.holdout import halves
from selfsown.intake import Intake, accounted
from selfsown.preflight.dry_run import rehearsed
from selfsown.prompting.unconditional import unconditional_samples
from selfsown.recipe.recipe import Recipe
from selfsown.recipe.steps import Step, parameters
from selfsown.records import Generation, Mixture, Row, Score, SelfsownError, Verdict, answered
from selfsown.run_folder import RunFolder, generation_dir
from selfsown.stages import affordable, as_synthetic, curated, derive_seed, for_step, graded
from selfsown.tasks import Task

SIDES = ("real", "held_out")
ENDS = ("kept", "rejected", "failed")


def run(recipe: Recipe, folder: Path, watch: Callbacks | None = None) -> list[Generation]:
    """Run the recipe in the folder, or go on where it was left; the generations, rolled-back ones too.

    The folder's `best/` is the model of the best generation that stands.
    """
    if not recipe.trains:
        raise SelfsownError(f"{recipe.name} names no student to train; selfsown make {recipe.name} makes rows alone")
    trusted(recipe, folder)
    task = recipe.real()
    posed, intake = None, Intake()
    if not all((folder / f"{side}.parquet").exists() for side in SIDES):
        posed = rehearsed(recipe, task, intake)  # before the folder is touched: something may not fit
    with RunFolder.locked(folder, recipe.dump(), recipe.steps()) as store:
        watch = watch or Callbacks()
        if found := accounted(store, intake):
            watch.real_rows(found)
        real, held_out = _real_rows(store, posed)
        loop = Loop(recipe, store, task, real, held_out, watch)
        history = [loop.train_base()]
        while len(history) <= recipe.generations and not _stuck(history, recipe):
            history.append(loop.run_generation(history))
        if recipe.control and learned_from_synthetic(history, last_accepted(history)):
            loop.control(history)
        best = best_of(history, recipe.goal)
        store.write_best(best.number, {"best": best.number, "goal": recipe.goal, "stuck": _stuck(history, recipe)})
        return history


@dataclass(frozen=True)
class Loop:
    """What every generation shares. Real rows that nobody has answered are worked on, and hidden from new rows where
    they are held out; but nothing is learned from them, nor measured on them."""

    recipe: Recipe
    store: RunFolder
    task: Task
    real: list[Row]
    held_out: list[Row]
    watch: Callbacks
    seen: dict[int, list[Row]] = field(default_factory=dict)

    @cached_property
    def sides(self) -> tuple[list[Row], list[Row]]:
        """Of the held-out rows those that decide, validation, and those that report, test."""
        return halves(answered(self.held_out), self.recipe.seed)

    def train_base(self) -> Generation:
        """Generation 0: the student, trained on real rows alone."""
        blank = self.recipe.student(rows=self.real, seed=self.seed(0, "student"))
        mixture = self.recipe.mix.one(Mixture, real=answered(self.real), synthetic=[])
        level = self.recipe.level or self.task.top_level
        found = Generation(0, 0, level, {}, 1.0, (), synthetic_share=mixture.synthetic_share)
        return self.evaluated(found, self.trained_model(0, mixture, blank), [], [])

    def run_generation(self, history: list[Generation]) -> Generation:
        """One generation after those of `history`."""
        number, parent = len(history), last_accepted(history)
        past = self.past(history)
        student = self.model(parent.number)
        level = self.level(parent)
        rows = self.store.rows(f"{generation_dir(number)}/rows")
        if rows is None:
            rows = self.generate_rows(number, level, student, past)
        kept = self.seen[number] = [row for row in rows if row.status == "kept"]
        mixture = self.recipe.mix.one(Mixture, real=answered(self.real), synthetic=[*past, *kept])
        start = student if self.recipe.init_from == "previous" else self.model(0)
        child = self.trained_model(number, mixture, start)
        counts = {"made": len(rows)} | {end: sum(row.status == end for row in rows) for end in ENDS}
        shares = mixture.synthetic_share
        found = Generation(number, parent.number, level, counts, mixture.real_share, (), synthetic_share=shares)
        return self.evaluated(found, child, history, rows)

    def control(self, history: list[Generation]) -> None:
        """Real rows alone for as many training steps: what a gain by synthetic rows is measured against."""
        store = self.store.control(history[0])
        recipe = replace(self.recipe, generate=(), guard=(), rollback=False)
        alone, found = replace(self, recipe=recipe, store=store, seen={}), [history[0]]
        most = max(trainings(history, each, recipe.init_from) for each in history if each.accepted)
        self.watch.control(most)
        while len(found) <= most:
            found.append(alone.run_generation(found))

    def generate_rows(self, number: int, level: int, student: Any, past: list[Row]) -> list[Row]:
        """The generation's new rows, every one with its end. The student is teacher and judge if no other is."""
        teacher = self.role_model("teacher") or student
        roles = {"real": self.real, "held_out": self.held_out, "past": past, "task": self.task, "level": level}
        roles |= {"generation": number, "teacher": teacher, "judge": self.role_model("judge") or student}
        roles |= {"grader_count": len(self.recipe.grade)}
        writer = student if self.recipe.generate_with == "student" else teacher
        rows: list[Row] = []
        with self.stage(number, "generate") as done:
            for at, step in enumerate(self.recipe.generate):
                seed = self.seed(number, "generate", at)
                rows += step.collect(
                    Row, **for_step(step, roles | {"teacher": writer}), rows=self.working_rows(number), seed=seed
                )
            rows = as_synthetic(rows, number, writer)
            done.append(len(rows))
        with self.stage(number, "grade") as done:
            done.append(sum(not row.status for row in rows))
            rows = self.graded(rows, number, roles)
        with self.stage(number, "curate") as done:
            done.append(sum(not row.status for row in rows))
            for at, step in enumerate(self.recipe.curate):
                rows = list(curated(step, rows, **roles, seed=self.seed(number, "curate", at)))
        rows = sorted((row if row.status else row.kept() for row in rows), key=lambda row: row.sample_index)
        self.store.write_rows(f"{generation_dir(number)}/rows", rows)
        return rows

    def graded(self, rows: Sequence[Row], number: int, roles: Mapping[str, Any]) -> list[Row]:
        """The rows with the grades of all graders."""
        found = list(rows)
        for at, step in enumerate(self.recipe.grade):
            found = list(graded(step, found, **roles, seed=self.seed(number, "grade", at)))
        return found

    def working_rows(self, number: int) -> list[Row]:
        """The real rows that the generation works on: `prompts` of them, drawn anew."""
        few = self.recipe.prompts_per_generation
        drawn = random.Random(self.seed(number, "prompts")).sample(range(len(self.real)), min(few, len(self.real)))
        return [self.real[at] for at in sorted(drawn)] if few else self.real

    def trained_model(self, number: int, mixture: Mixture, start: Any) -> Any:
        """The generation's model: from disk, or trained now."""
        if not self.store.model(number):
            with self.stage(number, "train") as done:
                child = self.train_steps(number, mixture, start, self.seed(number, "train"))
                done.append(len(mixture.rows))
            self.store.write_model(number, child.save)
        return self.model(number)

    def train_steps(self, number: int, mixture: Mixture, start: Any, seed: int) -> Any:
        """The model that training on the mixture makes of this one, and the ways that follow of that."""
        steps = self.recipe.train if number else (self.recipe.base_train or self.recipe.train[0],)
        child: Any = start
        for at, step in enumerate(steps):
            roles: dict[str, Any] = {"mixture": mixture, "parent": child, "tick": self.watch.tick}
            roles |= {"seed": self.seed(number, "train", at) if at else seed}
            child = step.one(object, **roles, **self.train_inputs(step, number, start))
        return child

    def train_inputs(self, train: Step, number: int, start: Any) -> dict[str, Any]:
        """Who teaches and grades while the student is trained, where the way asks for it."""
        wanted, found = parameters(train.function), dict[str, Any]()
        if "teacher" in wanted:
            found["teacher"] = self.role_model("teacher") or start
        if "grader" in wanted:
            judging = {"judge": self.role_model("judge") or start, "task": self.task, "real": self.real}
            found["grader"] = lambda rows: self.graded(rows, number, judging)
        return found

    def evaluated(self, found: Generation, model: Any, history: list[Generation], made: list[Row]) -> Generation:
        """The generation with its scores and verdicts: from disk, or measured now."""
        if before := self.store.generation(found.number):
            return before
        with self.stage(found.number, "evaluate") as done:
            found = replace(
                found, scores=self.scores(model, self.sides[1]), validation_scores=self.scores(model, self.sides[0])
            )
            done.append(sum(map(len, self.sides)))
        verdicts = list[Verdict]()
        astray = not all(
            any(score.key == self.recipe.goal for score in half) for half in (found.scores, found.validation_scores)
        )
        if astray:
            verdicts = [Verdict(False, f"{self.recipe.goal} is not a number: training went astray", "loop")]
            if not history:
                raise SelfsownError(
                    f"{self.recipe.goal} is no number in generation 0: training went astray (a lower rate, or fewer "
                    "steps of base, may help), or half of the held-out rows have no such score (hold out more)"
                )
        elif history:
            seen = [each.as_validated() for each in (*history, found)]
            roles = {"history": seen, "real": answered(self.real), "task": self.task}
            roles |= {"held_out": self.sides[0]}
            roles |= {"made": made, "kept": [row for row in made if row.status == "kept"], "goal": self.recipe.goal}
            roles |= {"written": self.unconditional_rows, "baselines": self.baselines}
            with self.stage(found.number, "guard"):
                verdicts = [step.one(Verdict, **roles) for step in self.recipe.guard]
        found = replace(found, verdicts=tuple(verdicts), rollback_enabled=self.recipe.rollback or astray)
        self.store.write_generation(found)
        self.watch.finished(found)
        return found

    def scores(self, model: Any, held_out: list[Row]) -> tuple[Score, ...]:
        """What is measured of a model on one half of the held-out real rows."""
        found: list[Score] = []
        for at, step in enumerate(self.recipe.evaluate):
            given = {"model": model, "held_out": held_out, "task": self.task}
            found += step.collect(Score, **given, seed=self.seed(0, "evaluate", at))
        return tuple(score for score in found if math.isfinite(score.value))

    def unconditional_rows(self, number: int, count: int) -> list[Row]:
        """What that generation's model writes when left to itself."""
        seed, task = self.seed(0, "written"), self.task
        said = unconditional_samples(self.model(number), self.sides[0], task, count, random.Random(seed), seed)
        read = [task.read(prompt, answer) for prompt, answer in said]
        return [Row(*two).failed(row) if isinstance(row, str) else row for row, two in zip(read, said, strict=True)]

    def baselines(self, models: int) -> list[tuple[Score, ...]]:
        """The scores of so many models trained on real rows alone: generation 0, and others by seeds of their own."""
        found = [tuple(Score(**score) for score in scores) for scores in self.store.json("baselines") or []]
        for at in range(len(found) + 1, models):
            blank = self.recipe.student(rows=self.real, seed=self.seed(0, "student", at))
            mixture = self.recipe.mix.one(Mixture, real=answered(self.real), synthetic=[])
            found.append(self.scores(self.train_steps(0, mixture, blank, self.seed(0, "train", at)), self.sides[0]))
            self.store.write_json("baselines", [[asdict(score) for score in scores] for scores in found])
        first = self.store.generation(0)
        return [*([first.as_validated().scores] if first else []), *found[: models - 1]]

    def past(self, history: list[Generation]) -> list[Row]:
        """The kept rows of the generations that stand, oldest first."""
        return [row for generation in history[1:] if generation.accepted for row in self.kept(generation.number)]

    def kept(self, number: int) -> list[Row]:
        """The generation's kept rows, read from disk once at the most."""
        if number not in self.seen:
            rows = self.store.rows(f"{generation_dir(number)}/rows") or []
            self.seen[number] = [row for row in rows if row.status == "kept"]
        return self.seen[number]

    def level(self, parent: Generation) -> int:
        """The next level opens when the one before is mastered."""
        mastered = parent.as_validated().score(f"accuracy[level={parent.level}]")
        higher = bool(
            mastered and mastered.value >= self.recipe.level_up_accuracy and parent.level < self.task.top_level
        )
        return parent.level + higher

    def model(self, number: int) -> Any:
        folder = self.store.model(number)
        return sys.modules[self.recipe.student.function.__module__].load(folder)

    def role_model(self, role: str) -> Any:
        """The model that the recipe names for the role, if it names one."""
        step = getattr(self.recipe, role)
        if not step:
            return None
        model = step(rows=self.real, seed=self.seed(0, role), journal=self.store.journal, role=role)
        affordable(self.recipe, role, model)
        return model

    def seed(self, *where: object) -> int:
        return derive_seed(self.recipe.seed, *where)

    @contextmanager
    def stage(self, number: int, name: str) -> Iterator[list[int]]:
        """Time a stage, tell it to the watch and the log. The stage appends its number of rows to the list."""
        rows: list[int] = []
        self.watch.begin(number, name)
        start = time.monotonic()
        yield rows
        seconds = time.monotonic() - start
        self.watch.end(sum(rows), seconds)
        self.store.log(generation=number, stage=name, rows=sum(rows), seconds=round(seconds, 3))


def _real_rows(store: RunFolder, posed: tuple[list[Row], list[Row]] | None) -> tuple[list[Row], list[Row]]:
    """The real rows to learn from and those held out: as they stand on disk, or both as they were posed now."""
    if posed is not None:
        for side, rows in zip(SIDES, posed, strict=True):
            store.write_rows(side, rows)
        return posed
    real, held_out = (store.rows(side) or [] for side in SIDES)
    return real, held_out


def _stuck(history: Sequence[Generation], recipe: Recipe) -> bool:
    """Whether the last `patience` generations were all rolled back, which ends the run."""
    last = history[-recipe.patience :]
    return recipe.rollback and len(history) > recipe.patience and not any(generation.accepted for generation in last)
