"""What a run shows while it goes on, and the table at its end, for a person at a terminal."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from selfsown.loop import Watch, best_of
from selfsown.recipe import Recipe
from selfsown.records import Generation, Score

STAGES = ("generate", "grade", "curate", "train", "evaluate")


class Screen(Watch):
    """One bar for the whole run and one line for each finished generation."""

    def __init__(self, recipe: Recipe, console: Console) -> None:
        self.recipe, self.console = recipe, console
        columns = (
            TextColumn("{task.description}"),
            BarColumn(24),
            TextColumn("{task.fields[note]}"),
            TimeRemainingColumn(),
        )
        self.progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self.bar: TaskID = self.progress.add_task("starting", total=recipe.generations + 1, note="")
        self.started, self.first, self.stage_began = time.monotonic(), -1, 0.0
        self.notes: list[str] = []

    def begin(self, generation: int, stage: str) -> None:
        self.first = generation if self.first < 0 else self.first
        self.stage_began = time.monotonic()
        at = generation + STAGES.index(stage) / len(STAGES)
        self.progress.update(self.bar, description=f"generation {generation} · {stage}", completed=at, note="")

    def tick(self, done: int, of: int) -> None:
        if done % 20 == 0 or done == of:
            speed = done / max(1e-9, time.monotonic() - self.stage_began)
            self.progress.update(self.bar, note=f"step {done:,} of {of:,} · {speed:,.0f} steps/s")

    def end(self, rows: int, seconds: float) -> None:
        if rows and seconds > 0.005:
            task = self.progress.tasks[0]
            stage = task.description.rpartition(" ")[2]
            self.notes.append(f"{stage} {rows:,} rows in {seconds:.1f} s ({rows / seconds:,.0f}/s)")

    def finished(self, generation: Generation) -> None:
        left = self.recipe.generations - generation.number
        each = (time.monotonic() - self.started) / max(1, generation.number - self.first + 1)
        goal = generation.score(self.recipe.goal)
        shown = f"{self.recipe.goal} {goal.value:.3f}" if goal else ""
        self.console.print(
            f"[bold]generation {generation.number}[/]  {shown}  [dim]about {left * each:.0f} s left[/]", highlight=False
        )
        self.console.print(f"  [dim]{' · '.join(self.notes)}[/]", highlight=False)
        for verdict in generation.verdicts:
            if not verdict.ok:
                self.console.print(f"  [red]rolled back[/] by {verdict.by}: {verdict.reason}", highlight=False)
        self.notes = []
        self.progress.update(self.bar, completed=generation.number + 1)


def table(history: Sequence[Generation], goal: str) -> Table:
    """A line for each generation: what became of its rows, the scores, and whether it stands."""
    found = Table(title="What each generation made, kept and scored on held-out real rows", title_justify="left")
    found.add_column("generation", justify="right")
    for name in ("made", "kept", "rejected", "failed", "real share"):
        found.add_column(name, justify="right")
    keys = _shown(history[0], goal)
    for key in keys:
        found.add_column(key.replace("[", "\n[").replace("form=", ""), justify="right")
    found.add_column("verdict")
    best = best_of(history, goal)
    for generation in history:
        counts = [
            f"{generation.counts.get(name, 0):,}" if generation.number else ""
            for name in ("made", "kept", "rejected", "failed")
        ]
        scores = [f"{score.value:.3f}" if (score := generation.score(key)) else "" for key in keys]
        refused = ", ".join(verdict.by for verdict in generation.verdicts if not verdict.ok)
        verdict = (
            f"[red]rolled back ({refused})[/]" if refused else "[green]best[/]" if generation is best else "stands"
        )
        found.add_row(str(generation.number), *counts, f"{100 * generation.real_share:.0f} %", *scores, verdict)
    return found


def summary(history: Sequence[Generation], recipe: Recipe, folder: object) -> list[str]:
    """The outcome in plain words."""
    first, best = history[0].score(recipe.goal), best_of(history, recipe.goal)
    last = best.score(recipe.goal)
    assert first
    assert last
    lines = [
        f"{recipe.goal}: {_with_interval(first)} from real rows alone → {_with_interval(last)} "
        f"in generation {best.number}, measured on {last.n:,} held-out real rows. No new real row was used."
    ]
    rolled = sum(not generation.stands for generation in history)
    if rolled:
        lines.append(f"{rolled} of {len(history) - 1} generations were rolled back by a guard.")
    if len(history) - 1 < recipe.generations:
        lines.append(f"The run ended early: its last {recipe.patience} generations were rolled back.")
    made = sum(generation.counts.get("made", 0) for generation in history)
    ends = {end: sum(generation.counts.get(end, 0) for generation in history) for end in ("kept", "rejected", "failed")}
    if made:
        lines.append(f"{made:,} rows made = " + " + ".join(f"{n:,} {end}" for end, n in ends.items()) + ".")
    lines.append(f"The best model is a Hugging Face folder: {folder}/best")
    return lines


def _with_interval(score: Score) -> str:
    return f"{score.value:.3f} [{score.low:.3f}, {score.high:.3f}]"


def _shown(first: Generation, goal: str) -> list[str]:
    """The goal, then what has no group or belongs to the goal's family, as far as a terminal is wide."""
    others = [score.key for score in first.scores if score.key != goal and (not score.group or "," not in score.group)]
    family = [key for key in others if key.startswith(goal.partition("[")[0]) and "form=" in key]
    plain = [key for key in others if "[" not in key and key != goal.partition("[")[0]]
    return [goal, *family, *plain][:6]
