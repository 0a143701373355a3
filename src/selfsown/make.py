"""The loop without training: real rows → generate → grade → curate → a dataset, many at a time and as they come."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from selfsown.calibration.requirements import trusted
from selfsown.holdout import sides
from selfsown.intake import COUNTS, SET_ASIDE, Intake, Unused, prepared
from selfsown.models import RemoteModel
from selfsown.parallel import ordered, unhurried
from selfsown.preflight.dry_run import tried
from selfsown.recipe.recipe import Recipe
from selfsown.recipe.steps import Step, parameters
from selfsown.records import NoPrompt, Row, SelfsownError
from selfsown.run_folder import RunFolder
from selfsown.stages import as_synthetic, curated, derive_seed, for_step, graded, streams
from selfsown.usage.budget import Meter

ROWS = 64  # rows of a chunk, where models are asked over a wire: few enough that a chunk is soon done
BULK = 1024  # where a model of our own writes, for it is at its best with many at once
ENOUGH = 100  # rows, before a stage is judged by how many of them failed
KINDS = 200  # reasons that are counted apart


@dataclass
class Tally:
    """How far it is and what became of the rows. total: chunks of work come to so many real rows, or rows to make.

    meter: what the models behind servers took, this time. real: what became of the real rows.
    """

    real: Intake = field(default_factory=Intake)
    meter: Meter = field(default_factory=Meter)
    total: int = 0
    done: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    given: Counter[str] = field(default_factory=Counter)  # rows that came out of a stage
    failed: Counter[str] = field(default_factory=Counter)  # those of them that it failed
    began: float = field(default_factory=time.monotonic)

    @property
    def made(self) -> int:
        return self.ends.total()

    def ended(self, row: Row) -> None:
        self.ends[row.status] += 1
        if row.reason:
            by = row.reason.partition(":")[0] if row.status == "rejected" else row.reason[:100]
            said = f"{row.status}: {by}"
            self.reasons[said if said in self.reasons or len(self.reasons) < KINDS else f"{row.status}: otherwise"] += 1


Tell = Callable[[Tally], None]


Counts = list[tuple[str, int, int]]  # of each stage, how many rows came out and how many of them it failed


@dataclass(frozen=True)
class Chunk:
    """Work for one way of generating: real rows, or a number of rows to be made of all of them together."""

    step: Step
    seed: int
    rows: Sequence[Row] = ()
    count: int = 0

    @property
    def size(self) -> int:
        return len(self.rows) or self.count


def make(recipe: Recipe, folder: Path, tell: Tell | None = None) -> Tally:
    """Make the recipe's rows in the folder, as `rows.parquet`; `tell` is told now and then how it goes.

    Nothing that the folder's journal has is paid again. All else is made anew each time, so a changed recipe or more
    real rows cost only what is new.
    """
    trusted(recipe, folder)
    with opened(recipe, folder) as line:
        line.store.forget("rows", "made")  # of another recipe, perhaps
        line.store.write_rows("rows", line.rows(tell or (lambda tally: None)))
        line.unused.account(line.store, line.tally.real)
        line.store.write_json("made", {"rows": line.tally.made, **line.tally.ends, "reasons": line.tally.reasons})
        return line.tally


def preview(recipe: Recipe, folder: Path, few: int) -> list[Row]:
    """What becomes of the first few real rows. Their replies stay in the journal, and `make` does not pay for them."""
    with opened(recipe, folder) as line:
        return list(line.rows(lambda tally: None, few))


@contextmanager
def opened(recipe: Recipe, folder: Path) -> Iterator[Line]:
    """The folder, with the real rows in it, and all that the recipe names there to work on them."""
    tried(recipe, recipe.real())  # before the folder is touched, or anything paid: something may not fit
    with unhurried(), RunFolder.locked(folder, recipe.dump(), recipe.steps(), remake=True) as store:
        line = Line(recipe, store, _pose(recipe, store))
        try:
            yield line
        finally:
            line.halt()


def _pose(recipe: Recipe, store: RunFolder) -> Intake:
    """The real rows as files, those that are held out for the leak check apart, and those that are set aside."""
    task, intake = recipe.real(), Intake()
    with store.written("real") as real, store.written("held_out") as held_out, store.written(SET_ASIDE) as aside:
        readings = iter([None, aside.add] if recipe.held_out else [aside.add])  # the first only counts
        posed = sides(lambda: prepared(recipe, task, intake, next(readings)), recipe.held_out, recipe.seed, task.name)
        for out, row in posed:
            (held_out if out else real).add(row)
            intake.held_out += out
            intake.used += not out
    store.write_json(COUNTS, intake.plain())
    return intake


class Line:
    """The way of the rows through one folder."""

    def __init__(self, recipe: Recipe, store: RunFolder, intake: Intake) -> None:
        self.recipe, self.store, self.tally = recipe, store, Tally(intake, store.journal.meter)
        self.unused, self.refused = Unused(recipe), dict[str, NoPrompt]()
        task = recipe.real()
        self.teacher = self._model("teacher")
        self.judge = self._model("judge") if recipe.judge else self.teacher
        self.roles = {"task": task, "level": recipe.level or task.top_level, "generation": 1, "past": []}
        self.roles |= {"teacher": self.teacher, "judge": self.judge, "grader_count": len(recipe.grade)}
        self.roles |= {"real": store.stream("real"), "held_out": store.stream("held_out")}
        remote = {id(model): model for model in (self.teacher, self.judge) if isinstance(model, RemoteModel)}.values()
        places = sum(model.max_in_flight for model in remote)
        self.chunk = max((model.preferred_batch for model in remote), default=0) or (ROWS if places else BULK)
        self.threads = 2 + 2 * places // self.chunk if places else 1

    def _model(self, role: str) -> Any:
        step = getattr(self.recipe, role)
        rows = self.store.stream("real")
        return step(rows=rows, seed=self.seed(role), journal=self.store.journal, role=role)

    def seed(self, *where: object) -> int:
        return derive_seed(self.recipe.seed, "make", *where)

    def halt(self) -> None:
        """Nothing more is sent."""
        for model in (self.teacher, self.judge):
            if isinstance(model, RemoteModel):
                model.cancel()

    def rows(self, tell: Tell, few: int = 0) -> Iterator[Row]:
        """Every row with its end, in order; few: of the first few real rows alone."""
        rows = self._together(
            ordered(self._worked_or_not, self.chunks(few), self.threads, self.halt, lambda: tell(self.tally)), tell
        )
        for at, step in enumerate(self.recipe.grade):
            if streams(step):
                rows = graded(step, rows, **self.roles, seed=self.seed("grade", at))
        for at, step in enumerate(self.recipe.curate):
            rows = curated(step, rows, **self.roles, seed=self.seed("curate", at))
        for row in rows:
            found = row if row.status else row.kept()
            self.tally.ended(found)
            yield found
        tell(self.tally)

    def chunks(self, few: int) -> Iterator[Chunk]:
        """The work of every way of generating, in pieces whose seeds and rows do not depend on what comes later."""
        real = self.store.stream("real")
        all_of_them = min(self.recipe.prompts_per_generation or len(real), len(real))
        counts = [_count(step) for step in self.recipe.generate]
        most = [all_of_them if count is None else count for count in counts]
        sizes = [min(few or each, each) for each in most]
        self.tally.total = sum(sizes)
        for at, (step, count, size) in enumerate(zip(self.recipe.generate, counts, sizes, strict=True)):
            rows = self._drawn(real, all_of_them)
            for piece, first in enumerate(range(0, size, self.chunk)):
                some = min(self.chunk, size - first)
                if count is None:
                    yield Chunk(step, self.seed("generate", at), list(islice(rows, some)))
                else:
                    yield Chunk(step, self.seed("generate", at, piece), count=some)

    def _drawn(self, real: Sequence[Row], many: int) -> Iterator[Row]:
        """So many of the real rows, in order; always the same."""
        there = len(real)
        drawn = set(random.Random(self.seed("prompts")).sample(range(there), many)) if many < there else range(there)
        return (row for at, row in enumerate(real) if at in drawn)

    def worked(self, chunk: Chunk) -> tuple[Chunk, list[Row], Counts]:
        """The chunk's rows, made and graded.

        Graders that see row by row, and ask nobody, wait until the rows of all chunks pass by.
        """
        counts: Counts = []
        step = replace(chunk.step, options={**chunk.step.options, "count": chunk.count}) if chunk.count else chunk.step
        rows = step.collect(Row, **for_step(step, self.roles), rows=chunk.rows, seed=chunk.seed)
        failed = sum(row.status == "failed" for row in rows)
        counts.append((step.name, len(rows), failed))
        for at, grader in enumerate(self.recipe.grade):
            if not streams(grader):
                rows = list(graded(grader, rows, **self.roles, seed=self.seed("grade", at)))
                before, failed = failed, sum(row.status == "failed" for row in rows)
                counts.append((grader.name, len(rows) - before, failed - before))
        return chunk, rows, counts

    def _worked_or_not(self, chunk: Chunk) -> tuple[Chunk, list[Row], Counts]:
        """The same, where none of a chunk's rows may have a prompt, as long as others have."""
        try:
            return self.worked(chunk)
        except NoPrompt as error:
            if not any(row.prompt for row in self.roles["real"]):
                raise
            self.refused[chunk.step.name] = error
            return chunk, [], [(chunk.step.name, 0, 0)]

    def _together(self, chunks: Iterable[tuple[Chunk, list[Row], Counts]], tell: Tell) -> Iterator[Row]:
        """The chunks' rows, one after the other, each with its place; an end to it all where a stage fails too many."""
        draw = 0
        for chunk, rows, counts in chunks:
            self.tally.done += chunk.size
            for place, given, failed in counts:
                self.tally.given[place] += given
                self.tally.failed[place] += failed
                self._bearable(place, rows)
            self.unused.note(chunk.step, chunk.rows, rows)
            yield from as_synthetic(rows, 1, self.teacher, draw)
            draw += len(rows)
            tell(self.tally)
        for place, error in self.refused.items():
            if not self.tally.given[place]:
                raise error

    def _bearable(self, place: str, rows: Sequence[Row]) -> None:
        given, failed = self.tally.given[place], self.tally.failed[place]
        if given >= ENOUGH and failed > self.recipe.max_failure_rate * given:
            last = next((row.reason for row in reversed(rows) if row.status == "failed"), "")
            raise SelfsownError(
                f"{place}: {failed} of {given} rows failed, more than the share {self.recipe.max_failure_rate:g} that max_failure_rate "
                f"allows; one says: {last}; what was answered is kept; mend it, or --set max_failure_rate=1, and go on"
            )


def _count(step: Step) -> int | None:
    """How many rows a way makes of all real rows together; None: it works on each by itself."""
    asked = parameters(step.function)
    if "rows" in asked:
        return None
    if "count" not in asked:
        raise SelfsownError(f"{step.name} takes neither rows nor a count, so nobody knows how long it is to go on")
    return int(step.options.get("count", asked["count"].default))
