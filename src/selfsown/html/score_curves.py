"""Scores over the generations, one small panel a score, with 95 % intervals and what was rolled back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from selfsown.history import related_scores
from selfsown.html import svg
from selfsown.html.elements import Figure, Panel, Table
from selfsown.html.formatting import about, alarms, interval, measured, named, number, opened, slug, visible
from selfsown.html.run_data import Run
from selfsown.records import Generation, Score

MANY = 16  # beyond so many generations there is no room to name a guard in the drawing


def figures(run: Run) -> Iterator[Figure]:
    """One figure for each measure: the goal's first, then diversity, loss and the others."""
    keys = [score.key for score in run.history[0].scores]
    goal = run.goal.partition("[")[0]
    names = list(dict.fromkeys([goal, "diversity", "loss", *(key.partition("[")[0] for key in keys)]))
    for name in names:
        shown = _shown(run, [key for key in keys if key.partition("[")[0] == name])
        if shown:
            yield _figure(run, name, shown)


def every_score(run: Run) -> Table:
    """Each score of each generation: more than the drawings show."""
    keys = dict.fromkeys(score.key for generation in run.history for score in generation.scores)
    shown = [*run.history, *run.control[1:]]
    rows = [[named(key), *(measured(generation.score(key)) for generation in shown)] for key in keys]
    head = [*(f"generation {each.number}" for each in run.history), *(f"control, {g.number}" for g in run.control[1:])]
    return Table(["score", *head], rows, "Every score of every generation on test rows, with its 95 % interval")


def generations_axis(axes: Axes, last: int) -> None:
    """The axis that all drawings over generations share."""
    axes.set_xlim(-0.4, max(last, 1) + 0.4)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=10, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4))
    axes.set_xlabel("generation")
    axes.grid(axis="y")
    axes.tick_params(length=0)
    axes.spines["left"].set_visible(False)


def _shown(run: Run, keys: Sequence[str]) -> list[str]:
    """The goal and its sisters, and what has no trait; the other strata stand in the table of every score."""
    related = [key for key in related_scores(run.history[0], run.goal) if key in keys]
    return list(dict.fromkeys([*related, *(key for key in keys if "=" not in key)]))


def _figure(run: Run, name: str, keys: Sequence[str]) -> Figure:
    ends = [(s.low, s.high) for g in (*run.history, *run.control) for key in keys if (s := g.score(key))]
    low, high = min(low for low, _ in ends), max(high for _, high in ends)
    room = 0.18 * (high - low) or 0.05
    floor = 0.0 if low > room and low < 2 * room else low - room
    panels = [_panel(run, key, (floor, high + room)) for key in keys]
    better = {score.direction for score in run.history[0].scores if score.name == name}
    way = "; higher is better" if better == {"higher"} else "; lower is better" if better == {"lower"} else ""
    said = f": {about(name)}{way}" if about(name) else way
    caption = f"{opened(name)}{said}. Bars are 95 % intervals."
    if any(alarms(generation) for generation in run.history):
        done = "was rolled back, and no later model has learned from it" if run.rolls_back else "raised an alarm"
        caption += f" A shaded generation with a cross {done}; the guard that spoke is named."
    if run.control:
        caption += " The broken grey line is the control: real rows alone, for as many training steps."
    rows = [[_numbered(run, g), *(measured(g.score(key)) for key in keys)] for g in run.history]
    rows += [[f"control, {g.number}", *(measured(g.score(key)) for key in keys)] for g in run.control[1:]]
    return Figure(caption, panels, Table(["generation", *map(named, keys)], rows, f"{name} over generations"))


def _numbered(run: Run, generation: Generation) -> str:
    notes = ["best"] if generation is run.best else []
    if spoke := alarms(generation):
        notes.append(f"{'alarm' if generation.accepted else 'rolled back'} by {', '.join(spoke)}")
    return f"{generation.number} ({'; '.join(notes)})" if notes else str(generation.number)


def _panel(run: Run, key: str, limits: tuple[float, float]) -> Panel:
    scored = [(generation, score) for generation in run.history if (score := generation.score(key))]
    told = "; ".join(f"generation {g.number}: {s.value:.3f} {interval(s.low, s.high)}" for g, s in scored)
    sheet = svg.Sheet(f"course-{slug(key)}", f"{named(key)} over generations", told)
    return Panel(named(key), svg.drawn(sheet, _course(run, key, scored, limits)))


def _course(
    run: Run, key: str, scored: Sequence[tuple[Generation, Score]], limits: tuple[float, float]
) -> Callable[[Axes], None]:
    def draw(axes: Axes) -> None:
        generations_axis(axes, run.history[-1].number)
        axes.set_ylim(*limits)
        alone = [(g.number, score.value) for g in run.control if (score := g.score(key))]
        if alone:
            axes.plot(*zip(*alone, strict=True), "--", color=svg.GREY, linewidth=1.4, zorder=1.5)
        values = {generation.number: score.value for generation, score in scored}
        for generation, score in scored:
            _point(axes, run, generation, score)
            if generation.number and generation.parent in values:
                ends = (generation.parent, generation.number), (values[generation.parent], score.value)
                style = "-" if generation.accepted else ":"
                axes.plot(*ends, style, color=svg.BLUE, linewidth=1.2 if style == ":" else 1.8, zorder=2)
        if key.startswith("diversity") and limits[0] < 1 < limits[1]:
            axes.axhline(1, color=svg.MUTED, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
        _values(axes, run, scored)

    return draw


def _point(axes: Axes, run: Run, generation: Generation, score: Score) -> None:
    at, spoke = generation.number, alarms(generation)
    colour = svg.ORANGE if spoke else svg.BLUE
    axes.plot([at, at], [score.low, score.high], "-", color=colour, linewidth=1.2, zorder=2)
    axes.plot([at], [score.value], "X" if spoke else "o", color=colour, markersize=7 if spoke else 5, zorder=4)
    if generation is run.best:
        axes.plot([at], [score.value], "o", markersize=10, markerfacecolor="none", color=svg.BLUE, zorder=4)
    if spoke:
        axes.axvspan(at - 0.4, at + 0.4, color=svg.ORANGE, alpha=0.12, linewidth=0, zorder=0)
        if run.history[-1].number <= MANY:
            name, above = visible(", ".join(spoke)), axes.get_xaxis_transform()
            axes.text(at, 0.03, name, rotation=90, ha="center", va="bottom", color=svg.ORANGE, transform=above)


def _values(axes: Axes, run: Run, scored: Sequence[tuple[Generation, Score]]) -> None:
    """The first value and the best one in figures, on the side of the point where the line does not pass."""
    shown = [at for at, (generation, _) in enumerate(scored) if generation is run.best or not generation.number]
    for at in shown:
        generation, score = scored[at]
        beside = scored[at + 1 if at + 1 < len(scored) and not at else at - 1][1].value
        above = score.value >= beside
        text = number(score.value) + (" best" if generation is run.best and generation.number else "")
        across: Literal["left", "center", "right"] = "left" if not at else "right"
        if 0 < generation.number < run.history[-1].number:
            across = "center"
        shift = {"left": -7, "center": 0, "right": 8}[across], 5 if above else -5
        place = generation.number, score.high if above else score.low
        svg.label(axes, text, place, shift, across=across, along="bottom" if above else "top")
