"""Real rows: read from the task, prepared and split; every row that was read is accounted for."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from selfsown import progress
from selfsown.errors import DataError, RecipeError
from selfsown.holdout import MIN_ROWS, limit_rows, split, split_stream
from selfsown.recipe.inputs import PrepareInputs
from selfsown.recipe.recipe import Recipe
from selfsown.recipe.steps import Step
from selfsown.records import JsonObject, Row, answered
from selfsown.run_folder import RunFolder
from selfsown.stages import CHANGES_KEY
from selfsown.tasks import Task, measurable

SET_ASIDE = "set_aside"  # the folder's file of rows that were set aside, with their reasons
COUNTS = "real"  # the folder's file of counts


@dataclass
class Intake:
    """Counts of real rows: read = used + held_out + beyond_limit + those set aside."""

    read: int = 0
    used: int = 0
    held_out: int = 0
    beyond_limit: int = 0  # beyond max_train_rows
    set_aside: Counter[str] = field(default_factory=Counter)  # by cause: a method of `prepare`, the reader, a generator
    note: str = ""  # how the rows are read, where no column name says so
    changed: Counter[str] = field(default_factory=Counter)  # rows that each method of `prepare` changed
    rows: list[Row] = field(default_factory=list)  # those set aside, for a run

    @classmethod
    def of(cls, store: RunFolder) -> Intake | None:
        """As the folder has it; None in a folder of an older version, or before the rows are read."""
        counts = store.json(COUNTS)
        if counts is None:
            return None
        return cls(**counts | {name: Counter(counts[name]) for name in ("set_aside", "changed")})

    def plain(self) -> JsonObject:
        """The counts, for JSON."""
        counts = {name: getattr(self, name) for name in ("read", "used", "held_out", "beyond_limit")}
        counts |= {"note": self.note} if self.note else {}
        return counts | {"set_aside": dict(self.set_aside), "changed": dict(self.changed)}

    def sentence(self) -> str:
        """ "3,000 real rows = 2,735 used + 265 set aside (93 blank, 172 dedup)"."""
        parts = [f"{self.used:,} used"]
        if self.held_out:
            parts.append(f"{self.held_out:,} held out")
        if self.beyond_limit:
            parts.append(f"{self.beyond_limit:,} beyond max_train_rows")
        if self.set_aside.total():
            causes = ", ".join(f"{count:,} {cause}" for cause, count in self.set_aside.items() if count)
            parts.append(f"{self.set_aside.total():,} set aside ({causes})")
        real = f"{self.read:,} real rows{f' ({self.note})' if self.note else ''}"
        sentence = f"{real}, none set aside" if len(parts) == 1 else f"{real} = {' + '.join(parts)}"
        if not self.changed:
            return sentence
        return f"{sentence}; changed: " + ", ".join(f"{count:,} by {name}" for name, count in self.changed.items())


def prepared_rows(
    recipe: Recipe, task: Task, intake: Intake | None = None, set_aside: Callable[[Row], None] | None = None
) -> Iterator[Row]:
    """The task's real rows after the recipe's `prepare`, one at a time.

    intake: counts what is read; the caller counts what is used. set_aside: is called with each row that is set aside.
    Raises DataError where no row is left.
    """
    counts = intake or Intake()
    counts.read = 0
    counts.changed = Counter()
    counts.set_aside = Counter({_short_name(step): 0 for step in recipe.prepare})  # in their order
    rows, any_left = _counted(task.pose(recipe.seed), counts), False
    for step in recipe.prepare:
        rows = _prepared_by(step, rows, counts.changed)
    for row in rows:
        if not row.status:
            any_left = True
            yield row
            continue
        counts.set_aside[row.reason.partition(":")[0]] += 1
        if set_aside:
            set_aside(row)
    for index, record in enumerate(getattr(task, "set_aside", list)()):
        counts.read += 1
        counts.set_aside[record.cause] += 1
        if set_aside:
            row = Row("", "", source=record.place, method=record.cause, sample_index=index)
            set_aside(row.rejected(f"{record.cause}: {record.reason}"))
    counts.note = getattr(task, "note", "")
    if counts.read and not any_left:
        sentence = counts.sentence().replace(" = 0 used + ", " = ")
        raise DataError(f"{task.name}: no real row is left, of {sentence}; change the file or the recipe's prepare")


def split_real_rows(recipe: Recipe, task: Task, intake: Intake) -> tuple[list[Row], list[Row]]:
    """(to learn from, held out): the real rows, prepared and split. DataError where there are too few."""
    rows = list(prepared_rows(recipe, task, intake, intake.rows.append))
    rest, held_out = split(rows, recipe.held_out, recipe.seed, source_name(task, intake))
    real = _rows_to_use(rest, held_out, recipe, task)
    intake.used = len(real)
    intake.held_out = len(held_out)
    intake.beyond_limit = len(rest) - len(real)
    return real, held_out


def _rows_to_use(rest: list[Row], held_out: Sequence[Row], recipe: Recipe, task: Task) -> list[Row]:
    """At most `max_train_rows` of the answered rows, and all prompts without an answer.

    DataError where too few rows can be learned from, or measured on: they have no answer, and the task checks none.
    """
    known, measured, source = answered(rest), measurable(held_out, task), task.name
    unanswered = len(rest) + len(held_out) - len(known) - len(measured)
    if unanswered and min(len(known), len(measured)) < MIN_ROWS:
        raise DataError(
            f"{source}: {unanswered:,} real rows have no answer, which leaves {len(known):,} to learn from and "
            f"{len(measured):,} held out; each needs {MIN_ROWS} or more: have them answered first (the recipe "
            "answers), or name the column of answers: real: {file: {path: FILE, prompt: COLUMN, answer: COLUMN}}"
        )
    chosen = {id(row) for row in limit_rows(known, recipe.max_train_rows, recipe.seed, source)}
    return [row for row in rest if not row.answered or id(row) in chosen]


def record_intake(store: RunFolder, intake: Intake) -> Intake | None:
    """Write the counts, and the rows that were set aside, where rows were just read; else read them from the folder."""
    if not intake.read:
        return Intake.of(store)
    store.write_rows(SET_ASIDE, intake.rows)  # before the rows to use, whose presence a resumed run relies on
    store.write_json(COUNTS, intake.plain())
    return intake


def count_real_rows(recipe: Recipe) -> Intake:
    """The counts of a recipe that only makes rows; nothing is written."""
    task, counts = recipe.real(), Intake()
    rows = split_stream(lambda: prepared_rows(recipe, task, counts), recipe.held_out, recipe.seed, task.name)
    for is_held_out, _ in rows:
        counts.held_out += is_held_out
        counts.used += not is_held_out
    return counts


def source_name(task: Task, intake: Intake) -> str:
    """The task's name; where rows were set aside, with their number."""
    aside = intake.set_aside.total()
    return f"{task.name} ({aside:,} of its {intake.read:,} rows are set aside)" if aside else task.name


class UnusedRows:
    """The real rows from which no generator makes anything, each with the first generator that did not."""

    def __init__(self, recipe: Recipe) -> None:
        self.counts = all(step.takes("rows") or not step.takes("real") for step in recipe.generate)  # else all are used
        self.first = next((step for step in recipe.generate if step.takes("rows")), None)
        self.reasons: dict[str, str] = {}  # by id

    def note(self, step: Step, inputs: Iterable[Row], made: Sequence[Row]) -> None:
        """Record which of the given rows the step made rows from."""
        parents = {parent for row in made for parent in row.parents}
        unknown = bool(made) and not parents  # a custom generator need not name parents
        for row in inputs:
            if unknown or row.id in parents:
                self.reasons.pop(row.id, None)
            elif step is self.first and self.counts:
                why = "" if row.prompt else ", because it has no prompt"
                self.reasons[row.id] = f"{step.name}: made nothing from it{why}"

    def set_aside(self, store: RunFolder, intake: Intake) -> None:
        """Set them aside, too, once everything is made."""
        if not self.reasons:
            return
        with store.written(SET_ASIDE) as file:
            for row in store.stream(SET_ASIDE):
                file.add(row)
            for row in store.stream("real"):
                if reason := self.reasons.get(row.id):
                    file.add(row.rejected(reason))
        intake.used -= len(self.reasons)
        intake.set_aside.update(reason.partition(":")[0] for reason in self.reasons.values())
        store.write_json(COUNTS, intake.plain())


def _short_name(step: Step) -> str:
    """The method's name as it is counted and shown: a custom one without its folder."""
    return Path(step.method).name if step.method.endswith(".py") else step.method


def _counted(rows: Iterable[Row], intake: Intake) -> Iterator[Row]:
    for row in progress.track(rows, "reading real rows", unit="rows"):
        intake.read += 1
        yield row


def _prepared_by(step: Step, rows: Iterable[Row], changed: Counter[str]) -> Iterator[Row]:
    """The rows that the step gives, and those that were set aside before, in order.

    RecipeError unless every row that goes in comes out.
    """
    waiting = deque[Row]()

    def rows_to_prepare() -> Iterator[Row]:
        for row in rows:
            waiting.append(row)
            if not row.status:
                yield row

    for row in step.stream(Row, PrepareInputs(rows=rows_to_prepare() if step.streams else list(rows_to_prepare()))):
        while waiting and waiting[0].status:
            yield waiting.popleft()
        before = waiting.popleft() if waiting else None
        if before is None or (row.source, row.sample_index) != (before.source, before.sample_index):
            raise RecipeError(
                f"{step.name} gave a row out of order ({row.source or row.id}); it must give every row once, in order, "
                "the unwanted ones rejected"
            )
        yield _noted(step, before, row, changed)
    while waiting and waiting[0].status:
        yield waiting.popleft()
    if waiting:
        raise RecipeError(f"{step.name} lost {len(waiting)} rows; it must give every row, the unwanted ones rejected")


def _noted(step: Step, before: Row, row: Row, changed: Counter[str]) -> Row:
    """The row, with the step's name in its reason where it was set aside, and with what the step changed."""
    name = _short_name(step)
    if row.status not in ("", "rejected"):
        raise RecipeError(f"{step.name} gave a row with the status {row.status!r}; it may change rows, or reject them")
    if row.status:
        reason = row.reason.removeprefix(f"{name}: ") or "no reason is given"
        return before.rejected(f"{name}: {reason}")
    parts = {"prompt": (before.prompt, row.prompt), "answer": (before.answer, row.answer)}
    parts |= {key: (before.metadata.get(key, ""), text) for key, text in row.metadata.items()}
    lengths = [f"{part} {len(old):,} to {len(new):,}" for part, (old, new) in parts.items() if old != new]
    if not lengths:
        return row
    changed[name] += 1
    change = f"{name} changed its {', '.join(lengths)} characters"
    earlier = before.metadata.get(CHANGES_KEY)
    return row.replace_fields(metadata={**row.metadata, CHANGES_KEY: f"{earlier}; {change}" if earlier else change})
