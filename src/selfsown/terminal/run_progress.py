"""The progress of a run on a terminal, and the table of its generations at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape

from selfsown.callbacks import Callbacks
from selfsown.findings import Findings
from selfsown.history import best_of, monitor_status, reason_without_status, related_scores, worst_status
from selfsown.intake import Intake
from selfsown.progress import Step, watched
from selfsown.recipe.recipe import Recipe
from selfsown.records import Generation, Training, Verdict
from selfsown.signals.status import STATUS_RULES
from selfsown.terminal.layout import Grid, print_line, print_lines, print_table, table
from selfsown.terminal.progress import Clock, Display, State, StepState, counts, money
from selfsown.terminal.run_eta import RunEta
from selfsown.text.durations import duration

TRAINING = ("train", "baselines")  # stages whose training steps are counted
STATUS_COLOURS = {"red": "red", "amber": "yellow", "unknown": "magenta", "green": "green"}
ROW_STATUSES = ("kept", "rejected", "failed")
MIN_STAGE_SECONDS = 0.005  # a shorter stage is not listed
MAX_SCORE_COLUMNS = 4
UNASKED_FAMILIES = {"creativity", "function"}  # what a monitor measures without options; bias needs an attribute


class RunProgress(Callbacks):
    """What a run prints: a bar on a terminal, and two lines for each finished generation."""

    def __init__(
        self,
        recipe: Recipe,
        console: Console,
        clock: Clock = time.monotonic,
        *,
        on_start: Callable[[], None] | None = None,
    ) -> None:
        self.recipe, self.console, self.clock = recipe, console, clock
        self.on_start = on_start  # is called once the recipe is known to fit
        self.eta, self.began, self.stage_began = RunEta(recipe, clock), clock(), clock()
        self.root, self.before = Step(), StepState(Step())  # until the first stage begins, the steps before it
        self.generation, self.stage, self.steps, self.share = 0, "", "", 0.0
        self.notes: list[str] = []
        self.arm, self.generations = "generation", recipe.generations

    @contextmanager
    def shown(self) -> Iterator[RunProgress]:
        """Show the progress inside this context."""
        with watched() as self.root:
            self.before = StepState(self.root, self.clock)
            with Display(self.state, self.console if self.console.is_terminal else None):
                yield self

    def state(self) -> State:
        """How far the run is, and the present stage."""
        if not self.stage:
            return self.before()
        if self.stage not in TRAINING and self.root.share is not None:
            self.eta.advance(self.root.share, 1)
        self.share = max(self.share, self.eta.share or 0.0)
        place, seconds = f"{self.arm} {self.generation} of {self.generations}", self.clock() - self.began
        short = f"{self.arm.replace('generation', 'gen')} {self.generation}, {self.stage}"
        activities = [f"{place}, {self.stage}", f"{self.arm} {self.generation}, {self.stage}", short]
        details = [self.steps] if self.steps else counts(self.root)
        known = self.eta.seconds_left()
        share = None if known is None else self.share
        return State(share, seconds, known, money(self.root.spending), activities, details)

    def started(self) -> None:
        if self.on_start:
            self.on_start()

    def control(self, trainings: int) -> None:
        self.arm, self.generations = "control", trainings
        self.eta.control(trainings)

    def real_rows(self, intake: Intake) -> None:
        print_line(self.console, intake.sentence())

    def decontamination(self, sentence: str) -> None:
        print_line(self.console, sentence)

    def begin(self, generation: int, stage: str) -> None:
        self.eta.begin(generation, stage, self.arm == "control")
        self.generation, self.stage, self.steps, self.stage_began = generation, stage, "", self.clock()

    def tick(self, done: int, of: int) -> None:
        self.eta.advance(done, of)
        self.steps = f"{done:,} of {of:,} steps, {_speed(done, self.clock() - self.stage_began)}"

    def trained(self, training: Training, warning: str) -> None:
        self.eta.trained(training.steps)
        self.notes.append(training.sentence())
        if warning:
            self._print_markup(f"[yellow]warning:[/] {escape(warning)}")

    def end(self, rows: int, seconds: float) -> None:
        if seconds > MIN_STAGE_SECONDS:
            count, speed = (f" {rows:,} rows", f" ({_speed(rows, seconds)})") if rows else ("", "")
            self.notes.append(f"{self.stage}{count} {seconds:.1f} s{speed}")

    def finished(self, generation: Generation) -> None:
        self.eta.close()
        goal, left = generation.score(self.recipe.goal), self.eta.seconds_left()
        score = escape(f"{self.recipe.goal} {goal.value:.3f}") if goal else ""
        name = f"{self.arm} {generation.number}" if self.arm == "control" else f"generation {generation.number}"
        time_left = f"  [dim]about {duration(left)} left[/]" if left else ""
        self._print_markup(f"[bold]{name}[/]  {score}{time_left}")
        self._print_markup(f"  [dim]{' · '.join(self.notes)}[/]")
        for line in _verdict_lines(generation):
            self._print_markup(line)
        self.notes = []

    def end_of_run(self, history: Sequence[Generation], control: Sequence[Generation], folder: object) -> None:
        """The table of all generations, and the sentences that the run supports."""
        print_table(self.console, _generations_table(history, control, self.recipe.goal))
        if any(map(worst_status, history)):
            self._print_markup(f"[dim]status: {escape(STATUS_RULES)}[/]")
        print_lines(self.console, _summary(history, control, self.recipe, folder))

    def _print_markup(self, line: str) -> None:
        print_line(self.console, line, markup=True)


def _speed(parts: int, seconds: float) -> str:
    """Parts per second, or the seconds of one where it takes longer."""
    rate = parts / max(1e-9, seconds)
    return f"{rate:,.0f}/s" if rate >= 1 or not parts else f"{seconds / parts:.1f} s each"


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


def _generations_table(history: Sequence[Generation], control: Sequence[Generation], goal: str) -> Grid:
    """One line a generation: its rows by status, its scores and its verdict; the control's last generation below."""
    title = "rows of each generation, and scores on the test half of the held-out real rows"
    keys = _score_columns(history[0], goal)
    headings = list(map(_heading, keys))
    status = ["status"] * any(map(worst_status, history))
    columns = ("gen", *ROW_STATUSES, "real", *headings, *status, "verdict")
    drop = ("failed", "rejected", *headings[:0:-1], "real", "kept")
    result = table(title, columns, left=0, wrap=("verdict",), drop=drop, compact=True)
    best = best_of(history, goal)
    for generation in history:
        counts = [f"{generation.counts.get(status, 0):,}" if generation.number else "" for status in ROW_STATUSES]
        cells = [str(generation.number), *counts, f"{100 * generation.real_share:.0f} %", *_scores(generation, keys)]
        result.add_row(*cells, *[_coloured(worst_status(generation))] * len(status), _outcome(generation, best))
    if len(control) > 1:
        result.add_row("", "", "", "", "100 %", *_scores(control[-1], keys), *[""] * len(status), "control")
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
    lines = Findings(history, control, recipe.goal, recipe.init_from, recipe.stops_early, str(folder)).sentences()
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
