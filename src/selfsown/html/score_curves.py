"""Scores over the generations, one panel per score, with 95 % intervals and rollbacks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from selfsown.findings import equal_training
from selfsown.history import related_scores
from selfsown.html import svg
from selfsown.html.elements import Figure, Panel, Table
from selfsown.html.formatting import (
    capitalized,
    describe_score,
    element_id,
    interval,
    number,
    rejecting_guards,
    score_with_interval,
    visible,
)
from selfsown.html.run_data import RunData
from selfsown.records import Generation, Score

WIDE_PX = (900, 300)  # of the goal on a wide screen
MAX_LABELLED_GENERATIONS = 16  # with more generations, guards are not named in the drawing


def score_figures(run: RunData) -> Iterator[Figure]:
    """One figure per score name: the goal's first, then diversity, loss and the others."""
    keys = [score.key for score in run.history[0].scores]
    goal = run.goal.partition("[")[0]
    names = list(dict.fromkeys([goal, "diversity", "loss", *(key.partition("[")[0] for key in keys)]))
    for name in names:
        shown = _shown_scores(run, [key for key in keys if key.partition("[")[0] == name])
        if run.goal in shown:
            yield _goal_figure(run)
            shown.remove(run.goal)
        if shown:
            yield _figure(run, name, shown)


def every_score(run: RunData) -> Table:
    """Each score of each generation, including strata that the drawings omit."""
    keys = dict.fromkeys(score.key for generation in run.history for score in generation.scores)
    shown = [*run.history, *run.control[1:]]
    rows = [
        [run.score_name(key), *(score_with_interval(generation.score(key)) for generation in shown)] for key in keys
    ]
    head = [
        *(f"generation {generation.number}" for generation in run.history),
        *(f"control, {g.number}" for g in run.control[1:]),
    ]
    return Table(["score", *head], rows, "Every score of every generation on test rows, with its 95 % interval")


def generations_axis(axes: Axes, last: int) -> None:
    """The generation axis of all drawings over generations."""
    axes.set_xlim(-0.4, max(last, 1) + 0.4)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=10, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4))
    axes.set_xlabel("generation")
    axes.grid(axis="y")
    axes.tick_params(length=0)
    axes.spines["left"].set_visible(False)


def _shown_scores(run: RunData, keys: Sequence[str]) -> list[str]:
    """The goal and its related scores, and those over all rows; the other strata are in the table of every score."""
    related = [key for key in related_scores(run.history[0], run.goal) if key in keys]
    return list(dict.fromkeys([*related, *(key for key in keys if "=" not in key)]))


def _goal_figure(run: RunData) -> Figure:
    """The goal, as wide as the page."""
    limits = _limits(run, [run.goal])
    panel = _panel(run, run.goal, limits)
    wide = _panel(run, run.goal, limits, wide=True)
    name = run.score_name(run.goal)
    return Figure(_caption(run, run.goal), [Panel(f"{name}: the goal", panel.svg, wide.svg)], _table(run, [run.goal]))


def _figure(run: RunData, name: str, keys: Sequence[str]) -> Figure:
    limits = _limits(run, keys)
    return Figure(_caption(run, name), [_panel(run, key, limits) for key in keys], _table(run, keys))


def _limits(run: RunData, keys: Sequence[str]) -> tuple[float, float]:
    """Of the axis of these scores: their intervals with a margin."""
    scores = [score for generation in (*run.history, *run.control) for key in keys if (score := generation.score(key))]
    low = min(score.low for score in scores)
    high = max(score.high for score in scores)
    margin = 0.18 * (high - low) or 0.05
    bottom = 0.0 if margin < low < 2 * margin else low - margin
    return bottom, high + margin


def _table(run: RunData, keys: Sequence[str]) -> Table:
    rows = [[_generation_label(run, g), *(score_with_interval(g.score(key)) for key in keys)] for g in run.history]
    rows += [[f"control, {g.number}", *(score_with_interval(g.score(key)) for key in keys)] for g in run.control[1:]]
    names = [run.score_name(key) for key in keys]
    return Table(["generation", *names], rows, f"{', '.join(names)} over generations")


def _caption(run: RunData, name: str) -> str:
    """Of the figure of all scores of a name, or of one score with its stratum."""
    name, title = name.partition("[")[0], run.score_name(name)
    about = describe_score(name)
    caption = f"{capitalized(title)}: {about}" if about else capitalized(title)
    directions = {score.direction for score in run.history[0].scores if score.name == name}
    if len(directions) == 1 and directions != {"neither"}:
        direction = directions.pop()
        caption += "; the target is 1" if direction == "target 1" else f"; {direction} is better"
    caption += ". Bars are 95 % intervals."
    if any(rejecting_guards(generation) for generation in run.history):
        effect = "was rolled back, and no later model is trained on its rows" if run.rollback else "raised an alarm"
        caption += f" A shaded generation with a cross {effect}; its guard is named."
    if run.control:
        caption += f" The dashed grey line is the control: real rows alone, {equal_training(run.findings.stops_early)}."
    return caption


def _generation_label(run: RunData, generation: Generation) -> str:
    notes = ["best"] if generation is run.best else []
    if guards := rejecting_guards(generation):
        notes.append(f"{'alarm' if generation.accepted else 'rolled back'} by {', '.join(guards)}")
    return f"{generation.number} ({'; '.join(notes)})" if notes else str(generation.number)


def _panel(run: RunData, key: str, limits: tuple[float, float], wide: bool = False) -> Panel:
    scored = [(generation, score) for generation in run.history if (score := generation.score(key))]
    description = "; ".join(f"generation {g.number}: {s.value:.3f} {interval(s.low, s.high)}" for g, s in scored)
    canvas = svg.Canvas(f"curve-{element_id(key)}", f"{run.score_name(key)} over generations", description)
    if wide:
        canvas = replace(canvas, name=f"{canvas.name}-wide", width=WIDE_PX[0], height=WIDE_PX[1])
    return Panel(run.score_name(key), svg.draw_svg(canvas, _draw_curve(run, key, scored, limits)))


def _draw_curve(
    run: RunData, key: str, scored: Sequence[tuple[Generation, Score]], limits: tuple[float, float]
) -> Callable[[Axes], None]:
    def draw(axes: Axes) -> None:
        generations_axis(axes, run.history[-1].number)
        axes.set_ylim(*limits)
        control = [(g.number, score.value) for g in run.control if (score := g.score(key))]
        if control:
            axes.plot(*zip(*control, strict=True), "--", color=svg.GREY, linewidth=1.4, zorder=1.5)
        values = {generation.number: score.value for generation, score in scored}
        for generation, score in scored:
            _draw_point(axes, run, generation, score)
            if generation.number and generation.parent in values:
                ends = (generation.parent, generation.number), (values[generation.parent], score.value)
                style = "-" if generation.accepted else ":"
                axes.plot(*ends, style, color=svg.BLUE, linewidth=1.2 if style == ":" else 1.8, zorder=2)
        if key.startswith("diversity") and limits[0] < 1 < limits[1]:
            axes.axhline(1, color=svg.MUTED, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
        _draw_values(axes, run, scored)

    return draw


def _draw_point(axes: Axes, run: RunData, generation: Generation, score: Score) -> None:
    x = generation.number
    guards = rejecting_guards(generation)
    colour = svg.ORANGE if guards else svg.BLUE
    axes.plot([x, x], [score.low, score.high], "-", color=colour, linewidth=1.2, zorder=2)
    axes.plot([x], [score.value], "X" if guards else "o", color=colour, markersize=7 if guards else 5, zorder=4)
    if generation is run.best:
        axes.plot([x], [score.value], "o", markersize=10, markerfacecolor="none", color=svg.BLUE, zorder=4)
    if guards:
        axes.axvspan(x - 0.4, x + 0.4, color=svg.ORANGE, alpha=0.12, linewidth=0, zorder=0)
        if run.history[-1].number <= MAX_LABELLED_GENERATIONS:
            names = visible(", ".join(guards))
            place = axes.get_xaxis_transform()
            axes.text(x, 0.03, names, rotation=90, ha="center", va="bottom", color=svg.ORANGE, transform=place)


def _draw_values(axes: Axes, run: RunData, scored: Sequence[tuple[Generation, Score]]) -> None:
    """The first and the best value as text, on the side of the point where the line does not pass."""
    for index, (generation, score) in enumerate(scored):
        if generation.number and generation is not run.best:
            continue
        neighbour = scored[index - 1] if index or len(scored) == 1 else scored[1]
        above = score.value >= neighbour[1].value
        text = number(score.value) + (" best" if generation is run.best and generation.number else "")
        horizontal: Literal["left", "center", "right"] = "right" if index else "left"
        if 0 < generation.number < run.history[-1].number:
            horizontal = "center"
        offset = {"left": -7, "center": 0, "right": 8}[horizontal], 5 if above else -5
        point = generation.number, score.high if above else score.low
        svg.draw_label(axes, text, point, offset, horizontal=horizontal, vertical="bottom" if above else "top")
