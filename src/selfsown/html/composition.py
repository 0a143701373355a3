"""What was watched and spent: bias, the share of synthetic rows, and time by stage, over the generations."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from selfsown.guard import bias
from selfsown.html import svg
from selfsown.html.elements import Figure, Panel, Table
from selfsown.html.formatting import duration, percent, whole
from selfsown.html.run_data import STAGES, Run
from selfsown.html.score_curves import generations_axis

SHADES = {"generate": svg.GREY, "grade": svg.PURPLE, "curate": svg.GREEN, "train": svg.BLUE, "evaluate": svg.ORANGE}
Points = Sequence[tuple[int, float]]


def bias_figure(run: Run) -> Figure | None:
    """The shift of each attribute that the guard `bias` watched, and how much it tolerates."""
    found = [
        (generation.number, verdict.metrics)
        for generation in run.history
        for verdict in generation.verdicts
        if verdict.guard == "bias" and verdict.metrics
    ]
    names = list(dict.fromkeys(name for _, numbers in found for name in numbers))
    if not names:
        return None
    tolerance = _tolerance(run)
    panels = []
    for at, name in enumerate(names):
        points = [(number, numbers[name]) for number, numbers in found if name in numbers]
        told = f"tolerance {percent(tolerance)}; " + _told(points)
        sheet = svg.Sheet(f"bias-{at}", f"shift of {name} over generations", told)
        last = run.history[-1].number
        panels.append(Panel(f"shift of {name}", svg.drawn(sheet, _line(points, last, (tolerance, "tolerance")))))
    rows = [
        [str(number), *(percent(numbers[name]) if name in numbers else "–" for name in names)]
        for number, numbers in found
    ]
    caption = (
        "Bias: how much of an attribute's distribution moved from the real rows to the kept rows, as a share of all "
        f"rows. The guard speaks above {percent(tolerance)}, where chance does not explain it."
    )
    return Figure(caption, panels, Table(["generation", *names], rows, "Shift of each watched attribute"))


def synthetic_figure(run: Run) -> Figure:
    """Synthetic rows against real ones: of the rows there are, and of what training drew."""
    stock: list[tuple[int, int, int]] = []  # generation, new kept rows, kept rows so far
    before = 0
    for generation in run.history:
        kept = generation.counts.get("kept", 0)
        stock.append((generation.number, kept, before + kept))
        before += kept if generation.accepted else 0
    of_rows = [(number, have / (have + run.real) if have else 0.0) for number, _, have in stock]
    of_draws = [(generation.number, 1 - generation.real_share) for generation in run.history]
    last, panels = run.history[-1].number, []
    for name, title, points in (
        ("rows", "of the rows there are", of_rows),
        ("draws", "of the training draws", of_draws),
    ):
        sheet = svg.Sheet(f"synthetic-{name}", f"synthetic share {title}", _told(points))
        panels.append(Panel(f"synthetic share {title}", svg.drawn(sheet, _line(points, last, None, top=1.0))))
    rows = [
        [str(number), whole(run.real), whole(new), whole(have), percent(rows_share), percent(draws)]
        for (number, new, have), (_, rows_share), (_, draws) in zip(stock, of_rows, of_draws, strict=True)
    ]
    head = ["generation", "real rows", "new kept rows", "kept rows so far", "share of rows", "share of draws"]
    caption = (
        f"How much of the data is synthetic: {whole(run.real)} real rows against the kept rows of the generations that "
        "stand, and how the recipe weighs them when it trains."
    )
    return Figure(caption, panels, Table(head, rows, "Synthetic and real rows"))


def time_figure(run: Run) -> Figure | None:
    """Seconds of each stage, one bar a generation."""
    if not run.log:
        return None
    stages = [*STAGES, *sorted({str(line["stage"]) for line in run.log} - {*STAGES})]
    numbers = sorted({int(line["generation"]) for line in run.log})
    spent = {number: [run.seconds(stage, number) for stage in stages] for number in numbers}
    totals = [sum(column) for column in zip(*spent.values(), strict=True)]
    told = "; ".join(f"{stage} {duration(total)}" for stage, total in zip(stages, totals, strict=True))
    height = 58 + 24 * len(numbers)
    panels = [
        Panel(
            "",
            svg.drawn(_sheet("time", 340, height, told), _bars(spent, stages)),
            svg.drawn(_sheet("time-wide", 900, height, told), _bars(spent, stages)),
        )
    ]
    rows = [[str(at), *(duration(each) for each in spent[at]), duration(sum(spent[at]))] for at in numbers]
    rows.append(["all", *map(duration, totals), duration(sum(totals))])
    caption = (
        "Time by stage, from left to right in the order named above. A stage that a kill cut short and that was done "
        "again counts each time it was finished."
    )
    return Figure(caption, panels, Table(["generation", *stages, "together"], rows, "Time by stage"))


def legend(figure: Figure) -> list[tuple[str, str]]:
    """The stages of the time figure with the colours of their bars."""
    return [(stage, svg.VARIABLES[SHADES.get(stage, svg.MUTED)]) for stage in figure.table.head[1:-1]]


def _sheet(name: str, width: int, height: int, told: str) -> svg.Sheet:
    return svg.Sheet(name, "time by stage", told, width, height, svg.Margins(24, 56, 6, 36))


def _bars(spent: dict[int, list[float]], stages: Sequence[str]) -> Callable[[Axes], None]:
    def draw(axes: Axes) -> None:
        for number, seconds in spent.items():
            start = 0.0
            for stage, each in zip(stages, seconds, strict=True):
                colour = SHADES.get(stage, svg.MUTED)
                axes.barh(number, each, 0.62, start, color=colour, edgecolor=svg.PAPER, linewidth=0.8)
                start += each
            svg.label(axes, duration(start), (start, number), (5, 0), along="center")
        axes.set_ylim(max(spent) + 0.6, min(spent) - 0.6)
        axes.set_yticks(list(spent))
        axes.xaxis.set_major_locator(MaxNLocator(nbins=4))
        axes.set_xlabel("seconds")
        axes.tick_params(length=0)
        axes.spines["left"].set_visible(False)

    return draw


def _line(points: Points, last: int, limit: tuple[float, str] | None, top: float = 0.0) -> Callable[[Axes], None]:
    """Shares over generations, from zero up, with a limit drawn across where there is one."""

    def draw(axes: Axes) -> None:
        generations_axis(axes, last)
        highest = max([top / 1.08, limit[0] if limit else 0.0, *(value for _, value in points)])
        axes.set_ylim(0, 1.08 * highest or 1)
        axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.3g} %")
        axes.plot(*zip(*points, strict=True), "-o", color=svg.BLUE, markersize=5, clip_on=False)
        if limit:
            axes.axhline(limit[0], color=svg.ORANGE, linewidth=1.2, linestyle=(0, (4, 3)))
            svg.label(axes, limit[1], (last + 0.4, limit[0]), (0, -4), colour=svg.ORANGE, across="right", along="top")

    return draw


def _told(points: Points) -> str:
    return "; ".join(f"generation {number}: {percent(value)}" for number, value in points)


def _tolerance(run: Run) -> float:
    """What the recipe lets an attribute shift, or the guard's default."""
    default = inspect.signature(bias.guard).parameters["tolerance"].default
    named = [step["bias"] or {} for step in run.recipe.get("guard") or [] if isinstance(step, dict) and "bias" in step]
    return float((named[0] if named else {}).get("tolerance", default))
