"""Real rows are prepared before anything else sees them, and each that was read is accounted for."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from selfsown.holdout import LEAST, first_of, sides, split
from selfsown.recipe.recipe import Recipe
from selfsown.recipe.steps import Step, parameters
from selfsown.records import Row, SelfsownError, answered
from selfsown.run_folder import RunFolder
from selfsown.stages import CHANGES, streams
from selfsown.tasks import Task

READER = "unusable"  # records that make no row
SET_ASIDE, COUNTS = "set_aside", "real"  # names in the folder: rows with their reasons, numbers


@dataclass
class Intake:
    """How many real rows there are, and what becomes of them: read = used + held_out + unlearned + those set aside.

    unlearned: left over by the key `learn`. set_aside: by what did it: a method of `prepare`, the reader of the file,
    or a step that made nothing of a row. changed: rows that a method changed. rows: those set aside, for a run.
    """

    read: int = 0
    used: int = 0
    held_out: int = 0
    unlearned: int = 0
    set_aside: Counter[str] = field(default_factory=Counter)
    changed: Counter[str] = field(default_factory=Counter)
    rows: list[Row] = field(default_factory=list)

    @classmethod
    def of(cls, store: RunFolder) -> Intake | None:
        """As it stands in the folder; None in one of an older version, or where rows were not read yet."""
        found = store.json(COUNTS)
        if found is None:
            return None
        return cls(**found | {name: Counter(found[name]) for name in ("set_aside", "changed")})

    def plain(self) -> dict[str, Any]:
        """For JSON: the counts alone."""
        counts = {name: getattr(self, name) for name in ("read", "used", "held_out", "unlearned")}
        return counts | {"set_aside": dict(self.set_aside), "changed": dict(self.changed)}

    def sentence(self) -> str:
        """ "3,000 real rows = 2,735 used + 265 set aside (93 blank, 172 dedup)"."""
        parts = [f"{self.used:,} used"]
        parts += [f"{self.held_out:,} held out"] * bool(self.held_out)
        parts += [f"{self.unlearned:,} beyond learn"] * bool(self.unlearned)
        aside = ", ".join(f"{count:,} {by}" for by, count in self.set_aside.items() if count)
        parts += [f"{self.set_aside.total():,} set aside ({aside})"] * bool(aside)
        changed = ", ".join(f"{count:,} by {by}" for by, count in self.changed.items())
        told = f"; changed: {changed}" if changed else ""
        return f"{self.read:,} real rows" + (f" = {' + '.join(parts)}" if len(parts) > 1 else ", all used") + told


def prepared(
    recipe: Recipe, task: Task, intake: Intake | None = None, aside: Callable[[Row], None] | None = None
) -> Iterator[Row]:
    """The task's real rows after the recipe's `prepare`, one by one.

    intake: counts this reading; used is set by who takes the rows. aside: is given each row that is set aside.
    SelfsownError where no row is left.
    """
    found = intake or Intake()
    found.read, found.changed = 0, Counter()
    found.set_aside = Counter({_name(step): 0 for step in recipe.prepare})  # in their order
    rows, left = _counted(task.pose(recipe.seed), found), False
    for step in recipe.prepare:
        rows = _through(step, rows, found.changed)
    for row in rows:
        if row.status:
            found.set_aside[row.reason.partition(":")[0]] += 1
            if aside:
                aside(row)
        else:
            left = True
            yield row
    for at, each in enumerate(getattr(task, "set_aside", list)()):
        found.read += 1
        found.set_aside[READER] += 1
        if aside:
            aside(Row("", "", source=each.place, method=READER, sample_index=at).rejected(f"{READER}: {each.reason}"))
    if found.read and not left:
        raise SelfsownError(
            f"{task.name}: nothing is left to work on, of {_all(found)}; see to the file, or to prepare"
        )


def posed(recipe: Recipe, task: Task, intake: Intake) -> tuple[list[Row], list[Row]]:
    """The real rows to learn from and those held out, prepared before they are split."""
    rows = list(prepared(recipe, task, intake, intake.rows.append))
    rest, held_out = split(rows, recipe.held_out, recipe.seed, named(task, intake))
    real = _enough(rest, held_out, recipe, task.name)
    intake.used, intake.held_out, intake.unlearned = len(real), len(held_out), len(rest) - len(real)
    return real, held_out


def _enough(rest: list[Row], held_out: Sequence[Row], recipe: Recipe, source: str) -> list[Row]:
    """The real rows to work on: `learn` of those to learn from, and all prompts that nobody has answered.

    SelfsownError where too few rows of either side have an answer.
    """
    known, measured = answered(rest), answered(held_out)
    unknown = len(rest) + len(held_out) - len(known) - len(measured)
    if unknown and min(len(known), len(measured)) < LEAST:
        raise SelfsownError(
            f"{source}: {unknown:,} real rows have no answer, which leaves {len(known):,} to learn from and "
            f"{len(measured):,} held out; each side needs {LEAST} or more: have them answered first (selfsown make "
            "answers), or name the column of answers: real: {file: {path: FILE, prompt: COLUMN, answer: COLUMN}}"
        )
    chosen = {id(row) for row in first_of(known, recipe.max_train_rows, recipe.seed, source)}
    return [row for row in rest if not row.answered or id(row) in chosen]


def accounted(store: RunFolder, intake: Intake) -> Intake | None:
    """The account of the folder's real rows: written now, with those that were set aside, where they were read now."""
    if not intake.read:
        return Intake.of(store)
    store.write_rows(SET_ASIDE, intake.rows)  # before the rows to use, which a resumed run goes by
    store.write_json(COUNTS, intake.plain())
    return intake


def counted(recipe: Recipe) -> Intake:
    """What becomes of the real rows of a recipe that only makes rows; nothing is written."""
    task, found = recipe.real(), Intake()
    for out, _ in sides(lambda: prepared(recipe, task, found), recipe.held_out, recipe.seed, task.name):
        found.held_out += out
        found.used += not out
    return found


def named(task: Task, intake: Intake) -> str:
    """The source's name; where rows were set aside, with their number."""
    aside = intake.set_aside.total()
    return f"{task.name} ({aside:,} of its {intake.read:,} rows are set aside)" if aside else task.name


class Unused:
    """The real rows of which no way of generating makes anything, each with the first that did not."""

    def __init__(self, recipe: Recipe) -> None:
        asked = [parameters(step.function) for step in recipe.generate]
        self.counts = all("rows" in names or "real" not in names for names in asked)  # else all real rows are used
        self.first = next((step for step in recipe.generate if "rows" in parameters(step.function)), None)
        self.found: dict[str, str] = {}  # by id

    def note(self, step: Step, given: Iterable[Row], made: Sequence[Row]) -> None:
        """What the step made of the rows that it was given."""
        of = {parent for row in made for parent in row.parents}
        unknown = bool(made) and not of  # a way of the user's own need not say what it made its rows of
        for row in given:
            if unknown or row.id in of:
                self.found.pop(row.id, None)
            elif step is self.first and self.counts:
                self.found[row.id] = f"{step.name}: made nothing of it" + ", for it has no prompt" * (not row.prompt)

    def account(self, store: RunFolder, intake: Intake) -> None:
        """They are set aside, too, when all is made."""
        if not self.found:
            return
        with store.written(SET_ASIDE) as file:
            for row in store.stream(SET_ASIDE):
                file.add(row)
            for row in store.stream("real"):
                if said := self.found.get(row.id):
                    file.add(row.rejected(said))
        intake.used -= len(self.found)
        intake.set_aside.update(said.partition(":")[0] for said in self.found.values())
        store.write_json(COUNTS, intake.plain())


def _all(found: Intake) -> str:
    return found.sentence().replace(" = 0 used + ", " = ")


def _name(step: Step) -> str:
    """As it is counted and shown: a method of the user's own without its folder."""
    return Path(step.method).name if step.method.endswith(".py") else step.method


def _counted(rows: Iterable[Row], intake: Intake) -> Iterator[Row]:
    for row in rows:
        intake.read += 1
        yield row


def _through(step: Step, rows: Iterable[Row], changed: Counter[str]) -> Iterator[Row]:
    """The rows that the step gives, and those that were set aside before, in order: each that goes in comes out."""
    waiting = deque[Row]()

    def fed() -> Iterator[Row]:
        for row in rows:
            waiting.append(row)
            if not row.status:
                yield row

    for row in step.stream(Row, rows=fed() if streams(step) else list(fed())):
        while waiting and waiting[0].status:
            yield waiting.popleft()
        before = waiting.popleft() if waiting else None
        if before is None or (row.source, row.sample_index) != (before.source, before.sample_index):
            raise SelfsownError(
                f"{step.name} gave a row out of turn ({row.source or row.id}); each row must come out "
                "once, in order, the unwanted ones rejected"
            )
        yield _noted(step, before, row, changed)
    while waiting and waiting[0].status:
        yield waiting.popleft()
    if waiting:
        raise SelfsownError(
            f"{step.name} lost {len(waiting)} rows; every row must come out, the unwanted ones rejected"
        )


def _noted(step: Step, before: Row, row: Row, changed: Counter[str]) -> Row:
    """The row, with the step's name where it was set aside, and with what the step changed."""
    if row.status not in ("", "rejected"):
        raise SelfsownError(f"{step.name} gave a row that ended {row.status!r}; it may change rows, or reject them")
    if row.status:
        said = row.reason.removeprefix(f"{_name(step)}: ") or "no reason is given"
        return before.rejected(f"{_name(step)}: {said}")
    parts = {"prompt": (before.prompt, row.prompt), "answer": (before.answer, row.answer)}
    parts |= {name: (before.metadata.get(name, ""), text) for name, text in row.metadata.items()}
    differ = [f"{name} {len(old):,} to {len(new):,}" for name, (old, new) in parts.items() if old != new]
    if not differ:
        return row
    changed[_name(step)] += 1
    said = f"{_name(step)} changed its {', '.join(differ)} characters"
    earlier = before.metadata.get(CHANGES)
    return row.replace_fields(metadata={**row.metadata, CHANGES: f"{earlier}; {said}" if earlier else said})
