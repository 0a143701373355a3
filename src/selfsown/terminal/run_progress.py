"""What a run shows while it goes on, and the table at its end, for a person at a terminal."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from selfsown.callbacks import Callbacks
from selfsown.findings import Findings
from selfsown.history import best_of
from selfsown.intake import Intake
from selfsown.recipe.recipe import Recipe
from selfsown.records import Generation, Verdict
from selfsown.signals.status import STATUS_RULES

STAGES = ("generate", "grade", "curate", "train", "evaluate", "guard")
LIGHTS = {"red": "red", "amber": "yellow", "cannot say": "magenta", "green": "green"}  # the worst first; their colours


class Screen(Callbacks):
    """A bar for the whole run while a terminal watches, and two lines for each finished generation."""

    def __init__(self, recipe: Recipe, console: Console) -> None:
        self.recipe, self.console = recipe, console
        note = TextColumn("{task.fields[note]}")
        columns = (TextColumn("{task.description}"), BarColumn(20), note, TimeRemainingColumn())
        self.progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self.bar = self.progress.add_task("starting", total=recipe.generations + 1, note="")
        self.began = self.stage_began = time.monotonic()
        self.stage = ""
        self.laps: list[float] = []  # seconds
        self.notes: list[str] = []
        self.arm, self.trainings = "", recipe.generations

    def control(self, trainings: int) -> None:
        self.arm, self.trainings, self.laps = "control, ", trainings, []
        self.progress.reset(self.bar, total=trainings + 1)

    def real_rows(self, intake: Intake) -> None:
        self.say(escape(intake.sentence()))

    def begin(self, generation: int, stage: str) -> None:
        self.stage, self.stage_began = stage, time.monotonic()
        at = generation + STAGES.index(stage) / len(STAGES)
        self.progress.update(self.bar, description=f"{self.arm}generation {generation} {stage}", completed=at, note="")

    def tick(self, done: int, of: int) -> None:
        if done % 20 == 0 or done == of:
            speed = done / max(1e-9, time.monotonic() - self.stage_began)
            self.progress.update(self.bar, note=f"{done:,} of {of:,} steps, {speed:,.0f}/s")

    def end(self, rows: int, seconds: float) -> None:
        if seconds > 0.005:
            count, speed = (f" {rows:,} rows", f" ({rows / seconds:,.0f}/s)") if rows else ("", "")
            self.notes.append(f"{self.stage}{count} {seconds:.1f} s{speed}")

    def finished(self, generation: Generation) -> None:
        now = time.monotonic()
        self.laps.append(now - self.began)
        self.began = now
        usual = self.laps[1:] or self.laps  # generation 0 trains longer than the others, or shorter
        left = (self.trainings - generation.number) * sum(usual) / len(usual)
        goal = generation.score(self.recipe.goal)
        shown = f"{self.recipe.goal} {goal.value:.3f}" if goal else ""
        self.say(f"[bold]{self.arm}generation {generation.number}[/]  {escape(shown)}  [dim]about {left:.0f} s left[/]")
        self.say(f"  [dim]{' · '.join(self.notes)}[/]")
        said = "alarm" if generation.accepted else "rolled back"
        for verdict in generation.rejections:
            self.say(f"  [red]{said}[/] by {escape(verdict.guard)}: {escape(verdict.reason)}")
        for verdict in generation.verdicts:
            shown = lamp(verdict)
            if verdict.passed and shown and (shown != "green" or _half_blind(verdict)):
                self.say(f"  {_coloured(shown)} by {escape(verdict.guard)}: {escape(why(verdict))}")
        self.notes = []
        self.progress.update(self.bar, completed=generation.number + 1)

    def say(self, text: str) -> None:
        """One line, never broken: it may be searched for or copied."""
        self.console.print(text, highlight=False, soft_wrap=True)

    def end_of_run(self, history: Sequence[Generation], control: Sequence[Generation], folder: object) -> None:
        """The table of all generations, and what the run may claim."""
        self.console.print(_table(history, control, self.recipe.goal))
        if any(map(worst, history)):
            self.say(f"[dim]light: {escape(STATUS_RULES)}[/]")
        for line in _summary(history, control, self.recipe, folder):
            self.say(escape(line))


def lamp(verdict: Verdict) -> str:
    """Its light, "cannot say" of a monitor that has none; empty of a guard that gives none."""
    return verdict.status or "cannot say" * (verdict.guard == "monitor")


def worst(generation: Generation) -> str:
    """The worst light that was given; empty where nobody gives any."""
    given = set(map(lamp, generation.verdicts))
    return next((light for light in LIGHTS if light in given), "")


def why(verdict: Verdict) -> str:
    """What was said, without the light that it begins with: that is shown beside it."""
    shown = lamp(verdict)
    return verdict.reason[len(shown) :].lstrip(":; ") if verdict.reason.lower().startswith(shown) else verdict.reason


def _half_blind(verdict: Verdict) -> bool:
    """Whether something is not measured that a monitor watches without being asked; bias takes named attributes."""
    return bool(verdict.signals) and not {"creativity", "function"} <= {each.family for each in verdict.signals}


def _coloured(light: str) -> str:
    return f"[{LIGHTS[light]}]{light}[/]" if light in LIGHTS else ""


def _table(history: Sequence[Generation], control: Sequence[Generation], goal: str) -> Table:
    """A line for each generation: what became of its rows, its scores, whether it stands; the control's last."""
    found = Table(box=SIMPLE_HEAD, padding=0, show_edge=False, title_justify="left")
    found.title = "each generation's rows, and its scores on the test half of the held-out real rows"
    keys = shown(history[0], goal)
    for name in ("gen", "kept", "rejected", "failed", "real", *map(_heading, keys)):
        found.add_column(name, justify="right")
    watched = ["light"] * any(map(worst, history))
    for name in (*watched, "verdict"):
        found.add_column(name)
    best = best_of(history, goal)
    for generation in history:
        ends = [f"{generation.counts.get(end, 0):,}" for end in ("kept", "rejected", "failed")]
        scores = _scores(generation, keys)
        refused = "alarm: " * generation.accepted + ", ".join(
            dict.fromkeys(verdict.guard for verdict in generation.rejections)
        )
        said = ["[green]best[/]"] * (generation is best) + [f"[red]{escape(refused)}[/]"] * bool(generation.rejections)
        lights = [_coloured(worst(generation)) for _ in watched]
        real = f"{100 * generation.real_share:.0f} %"
        ends = ends if generation.number else [""] * 3
        found.add_row(str(generation.number), *ends, real, *scores, *lights, ", ".join(said) or "stands")
    for generation in control[-1:] if len(control) > 1 else ():
        found.add_row("", *[""] * 3, "100 %", *_scores(generation, keys), *[""] * bool(watched), "control")
    return found


def _scores(generation: Generation, keys: Sequence[str]) -> list[str]:
    return [f"{score.value:.3f}" if (score := generation.score(key)) else "" for key in keys]


def _summary(history: Sequence[Generation], control: Sequence[Generation], recipe: Recipe, folder: object) -> list[str]:
    """The outcome in plain words."""
    lines = Findings(history, control, recipe.goal, recipe.init_from).sentences()
    total = {end: sum(g.counts.get(end, 0) for g in history) for end in ("made", "kept", "rejected", "failed")}
    if total["made"]:
        parts = " + ".join(f"{total[end]:,} {end}" for end in ("kept", "rejected", "failed"))
        lines.append(f"{total['made']:,} rows made = {parts}.")
    rolled = sum(not generation.accepted for generation in history)
    if rolled:
        early = (
            "" if len(history) > recipe.generations else f"; the last {recipe.patience} in a row, which ended the run"
        )
        lines.append(f"{rolled} of {len(history) - 1} generations rolled back by a guard{early}.")
    alarms = sum(generation.accepted and bool(generation.rejections) for generation in history)
    if alarms:
        lines.append(
            f"A guard raised an alarm in {alarms} of {len(history) - 1} generations; rollback: false let it be."
        )
    return [*lines, f"The best model is kept in {folder}/best"]


def _heading(key: str) -> str:
    """ "accuracy[form=induction]" over two lines, "accuracy" and "induction"."""
    name, _, group = key.rstrip("]").partition("[")
    return f"{name}\n{group.rpartition('=')[2]}" if group else name


def sisters(first: Generation, goal: str) -> list[str]:
    """The goal, and the same score by the same trait."""
    stem = goal.partition("=")[0]
    return [goal, *(s.key for s in first.scores if s.key.startswith(stem + "=") and "," not in s.key and s.key != goal)]


def shown(first: Generation, goal: str) -> list[str]:
    """The goal, its sisters, and what has no group: a terminal is narrow."""
    plain = [score.key for score in first.scores if not score.stratum and score.key not in goal]
    return list(dict.fromkeys([*sisters(first, goal), *plain]))[:4]
