"""The progress of a run on a terminal, and the table of its generations at the end."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from selfsown.callbacks import Callbacks
from selfsown.findings import Findings
from selfsown.history import best_of, monitor_status, reason_without_status, related_scores, worst_status
from selfsown.intake import Intake
from selfsown.recipe.recipe import Recipe
from selfsown.records import Generation, Training, Verdict
from selfsown.signals.status import STATUS_RULES
from selfsown.terminal.layout import print_line, print_lines, table

STAGES = ("generate", "grade", "curate", "train", "evaluate", "guard")
STATUS_COLOURS = {"red": "red", "amber": "yellow", "unknown": "magenta", "green": "green"}
ROW_STATUSES = ("kept", "rejected", "failed")
MIN_STAGE_SECONDS = 0.005  # a shorter stage is not listed
STEPS_PER_UPDATE = 20
MAX_SCORE_COLUMNS = 4
UNASKED_FAMILIES = {"creativity", "function"}  # what a monitor measures without options; bias needs an attribute


class RunProgress(Callbacks):
    """A progress bar on a terminal, and two lines for each finished generation."""

    def __init__(self, recipe: Recipe, console: Console) -> None:
        self.recipe = recipe
        self.console = console
        note = TextColumn("{task.fields[note]}")
        columns = (TextColumn("{task.description}"), BarColumn(20), note, TimeRemainingColumn())
        self.progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self.bar = self.progress.add_task("starting", total=recipe.generations + 1, note="")
        self.generation_began = self.stage_began = time.monotonic()
        self.stage = ""
        self.generation_seconds: list[float] = []
        self.notes: list[str] = []
        self.arm = ""
        self.trainings = recipe.generations

    def control(self, trainings: int) -> None:
        self.arm = "control, "
        self.trainings = trainings
        self.generation_seconds = []
        self.progress.reset(self.bar, total=trainings + 1)

    def real_rows(self, intake: Intake) -> None:
        print_line(self.console, intake.sentence())

    def begin(self, generation: int, stage: str) -> None:
        self.stage, self.stage_began = stage, time.monotonic()
        completed = generation + STAGES.index(stage) / len(STAGES)
        description = f"{self.arm}generation {generation} {stage}"
        self.progress.update(self.bar, description=description, completed=completed, note="")

    def tick(self, done: int, of: int) -> None:
        if done % STEPS_PER_UPDATE == 0 or done == of:
            speed = done / max(1e-9, time.monotonic() - self.stage_began)
            self.progress.update(self.bar, note=f"{done:,} of {of:,} steps, {speed:,.0f}/s")

    def trained(self, training: Training, warning: str) -> None:
        self.notes.append(training.sentence())
        if warning:
            self._print_markup(f"[yellow]warning:[/] {escape(warning)}")

    def end(self, rows: int, seconds: float) -> None:
        if seconds > MIN_STAGE_SECONDS:
            count, speed = (f" {rows:,} rows", f" ({rows / seconds:,.0f}/s)") if rows else ("", "")
            self.notes.append(f"{self.stage}{count} {seconds:.1f} s{speed}")

    def finished(self, generation: Generation) -> None:
        goal = generation.score(self.recipe.goal)
        score = escape(f"{self.recipe.goal} {goal.value:.3f}") if goal else ""
        name, left = f"{self.arm}generation {generation.number}", f"about {self._seconds_left(generation):.0f} s left"
        self._print_markup(f"[bold]{name}[/]  {score}  [dim]{left}[/]")
        self._print_markup(f"  [dim]{' · '.join(self.notes)}[/]")
        for line in _verdict_lines(generation):
            self._print_markup(line)
        self.notes = []
        self.progress.update(self.bar, completed=generation.number + 1)

    def end_of_run(self, history: Sequence[Generation], control: Sequence[Generation], folder: object) -> None:
        """The table of all generations, and the sentences that the run supports."""
        self.console.print(_generations_table(history, control, self.recipe.goal))
        if any(map(worst_status, history)):
            self._print_markup(f"[dim]status: {escape(STATUS_RULES)}[/]")
        print_lines(self.console, _summary(history, control, self.recipe, folder))

    def _seconds_left(self, generation: Generation) -> float:
        now = time.monotonic()
        self.generation_seconds.append(now - self.generation_began)
        self.generation_began = now
        typical = self.generation_seconds[1:] or self.generation_seconds  # generation 0 trains for another time
        return (self.trainings - generation.number) * sum(typical) / len(typical)

    def _print_markup(self, line: str) -> None:
        print_line(self.console, line, markup=True)


def _verdict_lines(generation: Generation) -> Iterator[str]:
    """Which guards rejected the generation, and every status other than green, as Rich markup."""
    consequence = "alarm" if generation.accepted else "rolled back"
    for verdict in generation.rejections:
        yield f"  [red]{consequence}[/] by {escape(verdict.guard)}: {escape(verdict.reason)}"
    for verdict in generation.verdicts:
        status = monitor_status(verdict)
        if verdict.passed and status and (status != "green" or _lacks_a_family(verdict)):
            yield f"  {_coloured(status)} by {escape(verdict.guard)}: {escape(reason_without_status(verdict))}"


def _lacks_a_family(verdict: Verdict) -> bool:
    """Whether the monitor could not measure something that it measures without options."""
    return bool(verdict.signals) and not {signal.family for signal in verdict.signals} >= UNASKED_FAMILIES


def _coloured(status: str) -> str:
    return f"[{STATUS_COLOURS[status]}]{status}[/]" if status in STATUS_COLOURS else ""


def _generations_table(history: Sequence[Generation], control: Sequence[Generation], goal: str) -> Table:
    """One line a generation: its rows by status, its scores and its verdict; the control's last generation below."""
    title = "rows of each generation, and scores on the test half of the held-out real rows"
    keys = _score_columns(history[0], goal)
    monitored = any(map(worst_status, history))
    result = table(title, ("gen", *ROW_STATUSES, "real", *map(_heading, keys)), left=0, compact=True)
    if monitored:
        result.add_column("status")
    result.add_column("verdict")
    best = best_of(history, goal)
    for generation in history:
        counts = [f"{generation.counts.get(status, 0):,}" if generation.number else "" for status in ROW_STATUSES]
        cells = [str(generation.number), *counts, f"{100 * generation.real_share:.0f} %", *_scores(generation, keys)]
        if monitored:
            cells.append(_coloured(worst_status(generation)))
        result.add_row(*cells, _outcome(generation, best))
    if len(control) > 1:
        cells = ["", "", "", "", "100 %", *_scores(control[-1], keys)]
        if monitored:
            cells.append("")
        result.add_row(*cells, "control")
    return result


def _outcome(generation: Generation, best: Generation) -> str:
    """accepted, best, or the guards that rejected it, as Rich markup."""
    parts = ["[green]best[/]"] if generation is best else []
    if generation.rejections:
        guards = ", ".join(dict.fromkeys(verdict.guard for verdict in generation.rejections))
        consequence = "alarm" if generation.accepted else "rolled back"
        parts.append(f"[red]{consequence}: {escape(guards)}[/]")
    return ", ".join(parts) or "accepted"


def _scores(generation: Generation, keys: Sequence[str]) -> list[str]:
    return [f"{score.value:.3f}" if (score := generation.score(key)) else "" for key in keys]


def _summary(history: Sequence[Generation], control: Sequence[Generation], recipe: Recipe, folder: object) -> list[str]:
    """What the run supports, its rows, its alarms and where its best model is."""
    lines = Findings(history, control, recipe.goal, recipe.init_from, recipe.stops_early).sentences()
    total = {name: sum(g.counts.get(name, 0) for g in history) for name in ("made", *ROW_STATUSES)}
    if total["made"]:
        parts = " + ".join(f"{total[status]:,} {status}" for status in ROW_STATUSES)
        lines.append(f"{total['made']:,} rows made = {parts}.")
    later = len(history) - 1
    if rolled_back := sum(not generation.accepted for generation in history):
        stopped = f"; the last {recipe.patience} in a row, which ended the run"
        ending = "" if len(history) > recipe.generations else stopped
        lines.append(f"{rolled_back} of {later} generations rolled back by a guard{ending}.")
    if alarms := sum(generation.accepted and bool(generation.rejections) for generation in history):
        lines.append(f"A guard raised an alarm in {alarms} of {later} generations; with rollback: false they are kept.")
    return [*lines, f"The best model is in {folder}/best"]


def _heading(key: str) -> str:
    """ "accuracy[form=induction]" on two lines, "accuracy" and "induction"."""
    name, _, stratum = key.rstrip("]").partition("[")
    return f"{name}\n{stratum.rpartition('=')[2]}" if stratum else name


def _score_columns(first: Generation, goal: str) -> list[str]:
    """The goal, its related scores, and scores of all rows, at most as many as fit a terminal."""
    unstratified = [score.key for score in first.scores if not score.stratum and score.key not in goal]
    return list(dict.fromkeys([*related_scores(first, goal), *unstratified]))[:MAX_SCORE_COLUMNS]
