"""Bias, the share of synthetic rows, and the time of each stage, over the generations."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from selfsown.guard import bias
from selfsown.html import svg
from selfsown.html.elements import Figure, Panel, Table
from selfsown.html.formatting import duration, integer, percent
from selfsown.html.run_data import STAGES, RunData
from selfsown.html.score_curves import generations_axis

STAGE_COLOURS = {
    "generate": svg.GREY,
    "grade": svg.PURPLE,
    "curate": svg.GREEN,
    "train": svg.BLUE,
    "evaluate": svg.ORANGE,
    "guard": svg.INK,
}
Points = Sequence[tuple[int, float]]


def bias_figure(run: RunData) -> Figure | None:
    """The shift of each attribute that the guard `bias` measured, and its tolerance."""
    shifts = [
        (generation.number, verdict.metrics)
        for generation in run.history
        for verdict in generation.verdicts
        if verdict.guard == "bias" and verdict.metrics
    ]
    names = list(dict.fromkeys(name for _, metrics in shifts for name in metrics))
    if not names:
        return None
    tolerance = _bias_tolerance(run)
    panels = []
    for index, name in enumerate(names):
        points = [(number, metrics[name]) for number, metrics in shifts if name in metrics]
        description = f"tolerance {percent(tolerance)}; {_points_text(points)}"
        canvas = svg.Canvas(f"bias-{index}", f"shift of {name} over generations", description)
        last = run.history[-1].number
        panels.append(
            Panel(f"shift of {name}", svg.draw_svg(canvas, _draw_shares(points, last, (tolerance, "tolerance"))))
        )
    rows = [
        [str(number), *(percent(metrics[name]) if name in metrics else "–" for name in names)]
        for number, metrics in shifts
    ]
    caption = (
        "Bias: how much of an attribute's distribution moved from the real rows to the kept rows, as a share of all "
        f"rows. The guard triggers above {percent(tolerance)}, if the shift is significant."
    )
    return Figure(caption, panels, Table(["generation", *names], rows, "Shift of each attribute"))


def synthetic_figure(run: RunData) -> Figure:
    """The share of synthetic rows: of all rows, and of the training draws."""
    stock: list[tuple[int, int, int]] = []  # generation, newly kept rows, kept rows so far
    before = 0
    for generation in run.history:
        kept = generation.counts.get("kept", 0)
        stock.append((generation.number, kept, before + kept))
        before += kept if generation.accepted else 0
    of_rows = [(number, total / (total + run.real) if total else 0.0) for number, _, total in stock]
    of_draws = [(generation.number, 1 - generation.real_share) for generation in run.history]
    last = run.history[-1].number
    panels = []
    for name, title, points in (
        ("rows", "of all rows", of_rows),
        ("draws", "of the training draws", of_draws),
    ):
        canvas = svg.Canvas(f"synthetic-{name}", f"synthetic share {title}", _points_text(points))
        panels.append(
            Panel(f"synthetic share {title}", svg.draw_svg(canvas, _draw_shares(points, last, None, top=1.0)))
        )
    rows = [
        [str(number), integer(run.real), integer(new), integer(total), percent(of_all), percent(draws)]
        for (number, new, total), (_, of_all), (_, draws) in zip(stock, of_rows, of_draws, strict=True)
    ]
    head = ["generation", "real rows", "newly kept rows", "kept rows so far", "share of rows", "share of draws"]
    caption = (
        f"The share of synthetic data: {integer(run.real)} real rows against the kept rows of accepted generations, "
        "and the weights of both in training."
    )
    return Figure(caption, panels, Table(head, rows, "Synthetic and real rows"))


def time_figure(run: RunData) -> Figure | None:
    """Seconds of each stage, one bar per generation."""
    if not run.log:
        return None
    stages = [*STAGES, *sorted({str(line["stage"]) for line in run.log} - {*STAGES})]
    numbers = sorted({int(line["generation"]) for line in run.log})
    seconds = {number: [run.seconds(stage, number) for stage in stages] for number in numbers}
    totals = [sum(column) for column in zip(*seconds.values(), strict=True)]
    description = "; ".join(f"{stage} {duration(total)}" for stage, total in zip(stages, totals, strict=True))
    height = 58 + 24 * len(numbers)
    panels = [
        Panel(
            "",
            svg.draw_svg(_time_canvas("time", 340, height, description), _draw_bars(seconds, stages)),
            svg.draw_svg(_time_canvas("time-wide", 900, height, description), _draw_bars(seconds, stages)),
        )
    ]
    rows = [[str(number), *map(duration, seconds[number]), duration(sum(seconds[number]))] for number in numbers]
    rows.append(["all", *map(duration, totals), duration(sum(totals))])
    caption = (
        "The time of each generation by stage, from left to right in the order of the legend. A stage that was "
        "repeated after a kill counts each time it finished."
    )
    return Figure(caption, panels, Table(["generation", *stages, "total"], rows, "Time by stage"))


def legend(figure: Figure) -> list[tuple[str, str]]:
    """The stages of the time figure with the colours of their bars."""
    return [(stage, svg.VARIABLES[STAGE_COLOURS.get(stage, svg.MUTED)]) for stage in figure.table.head[1:-1]]


def _time_canvas(name: str, width: int, height: int, description: str) -> svg.Canvas:
    return svg.Canvas(name, "time by stage", description, width, height, svg.Margins(24, 56, 6, 36))


def _draw_bars(seconds: dict[int, list[float]], stages: Sequence[str]) -> Callable[[Axes], None]:
    def draw(axes: Axes) -> None:
        for number, by_stage in seconds.items():
            start = 0.0
            for stage, width in zip(stages, by_stage, strict=True):
                colour = STAGE_COLOURS.get(stage, svg.MUTED)
                axes.barh(number, width, 0.62, start, color=colour, edgecolor=svg.PAPER, linewidth=0.8)
                start += width
            svg.draw_label(axes, duration(start), (start, number), (5, 0), vertical="center")
        axes.set_ylim(max(seconds) + 0.6, min(seconds) - 0.6)
        axes.set_yticks(list(seconds))
        axes.xaxis.set_major_locator(MaxNLocator(nbins=4))
        axes.set_xlabel("seconds")
        axes.tick_params(length=0)
        axes.spines["left"].set_visible(False)

    return draw


def _draw_shares(
    points: Points, last: int, limit: tuple[float, str] | None, top: float = 0.0
) -> Callable[[Axes], None]:
    """Shares over generations, with an axis from zero. limit: a dashed line, with its label."""

    def draw(axes: Axes) -> None:
        generations_axis(axes, last)
        highest = max([top / 1.08, limit[0] if limit else 0.0, *(value for _, value in points)])
        axes.set_ylim(0, 1.08 * highest or 1)
        axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.3g} %")
        axes.plot(*zip(*points, strict=True), "-o", color=svg.BLUE, markersize=5, clip_on=False)
        if limit:
            axes.axhline(limit[0], color=svg.ORANGE, linewidth=1.2, linestyle=(0, (4, 3)))
            svg.draw_label(
                axes, limit[1], (last + 0.4, limit[0]), (0, -4), colour=svg.ORANGE, horizontal="right", vertical="top"
            )

    return draw


def _points_text(points: Points) -> str:
    return "; ".join(f"generation {number}: {percent(value)}" for number, value in points)


def _bias_tolerance(run: RunData) -> float:
    """The tolerance in the recipe, or the guard's default."""
    default = inspect.signature(bias.guard).parameters["tolerance"].default
    options = [options for method, options in run.steps("guard") if method == "bias"]
    return float(options[0].get("tolerance", default) if options else default)
