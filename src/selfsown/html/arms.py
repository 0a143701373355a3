"""The arms of a comparison against one another: their scores, differences and courses."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from selfsown.html import svg
from selfsown.html.comparison_data import Comparison
from selfsown.html.elements import Figure, Panel, Table
from selfsown.html.formatting import about, cut, duration, interval, named, number, opened, slug, visible
from selfsown.html.score_curves import generations_axis
from selfsown.records import Generation

Mean = Mapping[str, Any]  # mean, low and high
Lines = Mapping[int, Mapping[int, float]]  # seed, generation, score


def scores(compared: Comparison) -> Table:
    """A line for each arm: the goal, its paired difference, and what it took."""
    goal = compared.goal
    head = ["arm", named(goal), f"{compared.reference} − arm", "best generation", "rows kept", "CPU time a run"]
    rows = []
    for arm in compared.arms:
        mean = arm["scores"][goal]
        gap, best = mean["difference"], number(statistics.fmean(mean["best"]))
        spent = duration(statistics.fmean(arm["cpu_seconds"]))
        kept = f"{statistics.fmean(arm['kept']):,.0f}"
        rows.append([arm["name"], _mean(mean), _gap(gap) if gap else "–", best, kept, spent])
    return Table(head, rows, "Means over the seeds with 95 % intervals, of the last generation but where it says best")


def others(compared: Comparison) -> Table:
    """The other scores: the goal's sisters, and those without a group."""
    keys, stem = list(compared.arms[0]["scores"]), compared.goal.partition("=")[0]
    near = [key for key in keys if key.startswith(stem + "=") and "," not in key]
    shown = [key for key in [*near, *(key for key in keys if "=" not in key)] if key != compared.goal]
    rows = [[arm["name"], *(_mean(arm["scores"][key]) for key in shown)] for arm in compared.arms]
    return Table(["arm", *map(named, shown)], rows, "Other scores of the last generation: means over the seeds")


def strata(compared: Comparison) -> Table | None:
    """A verdict on each stratum of the goal, where a proof was asked for and there are any."""
    found = compared.found.get("proof", {}).get("strata")
    if not found:
        return None
    rows = [
        [named(key), _gap(each), _gap(each["stopped"]), f"{each['corrected']:.2g}", each["verdict"]]
        for key, each in found.items()
    ]
    caption = (
        f"By stratum, paired by seed. The p and the verdict are by Holm’s correction over {len(found)} strata; the "
        "95 % intervals are of each by itself. Better takes a gain on the best generation of real rows alone, too"
    )
    return Table(["stratum", "graded − real", "graded − best of real", "p", "verdict"], rows, caption)


def standing(compared: Comparison) -> Figure:
    """Each arm's seeds, mean and interval, and beside it the paired difference to the reference."""
    goal = compared.goal
    ends = [(arm["name"], arm["scores"][goal]["last"], arm["scores"][goal]) for arm in compared.arms]
    panels = [_panel("standing", f"{named(goal)}, last generation", ends, None)]
    gaps = []
    for arm in compared.arms:
        if gap := arm["scores"][goal]["difference"]:
            first = next(each for each in compared.arms if each["name"] == compared.reference)["scores"][goal]["last"]
            pairs = [a - b for a, b in zip(first, arm["scores"][goal]["last"], strict=True)]
            gaps.append((f"{compared.reference} − {arm['name']}", pairs, gap))
    if gaps:
        panels.append(_panel("gaps", "paired difference, seed by seed", gaps, 0.0))
    seeds = [f"seed {seed}" for seed in compared.found["seeds"]]
    rows = [[name, *map(number, values), _mean(mean)] for name, values, mean in [*ends, *gaps]]
    caption = (
        "Circles are seeds, diamonds their mean, bars 95 % intervals over seeds; an arrow says that the bar goes on."
    )
    return Figure(caption, panels, Table(["", *seeds, "mean"], rows, "Each seed’s score"))


def course(compared: Comparison, key: str) -> Figure | None:
    """A panel for each arm: its seeds, their mean, and the reference's mean to compare with."""
    lines = {arm["name"]: _lines(compared.courses[arm["name"]], key) for arm in compared.arms}
    values = [value for seeds in lines.values() for line in seeds.values() for value in line.values()]
    if not values:
        return None
    room = 0.1 * (max(values) - min(values)) or 0.05
    limits, reference = (min(values) - room, max(values) + room), _means(lines[compared.reference])
    panels = []
    for at, arm in enumerate(compared.arms):
        name, means = arm["name"], _means(lines[arm["name"]])
        told = "mean: " + "; ".join(f"generation {number}: {value:.3f}" for number, value in means.items())
        sheet = svg.Sheet(f"arm-{at}-{slug(key)}", f"{named(key)} of {name} over generations", told)
        other = {} if name == compared.reference else reference
        alarms = {said["seed"]: said["generations"] for said in arm["guards"]}
        panels.append(Panel(name, svg.drawn(sheet, _course(lines[name], other, alarms, limits))))
    said = f", {about(key)}" if about(key) else ""
    crosses = " A cross: a guard spoke." if any(arm["guards"] for arm in compared.arms) else ""
    caption = (
        f"{opened(named(key))} over the generations{said}. Thin lines are seeds, the thick one is their mean, the "
        f"dashed grey one that of {compared.reference}.{crosses}"
    )
    last = max(max(line) for seeds in lines.values() for line in seeds.values() if line)
    rows = [[name, *(number(_means(seeds).get(at)) for at in range(last + 1))] for name, seeds in lines.items()]
    return Figure(caption, panels, Table(["arm", *map(str, range(last + 1))], rows, "Mean by generation"))


def _mean(found: Mean) -> str:
    return f"{found['mean']:.3f} {interval(found['low'], found['high'])}".strip()


def _gap(found: Mean) -> str:
    sure = "" if found["low"] is None else f" [{found['low']:+.3f}, {found['high']:+.3f}]"
    return f"{found['mean']:+.3f}{sure}"


def _panel(name: str, title: str, ends: Sequence[tuple[str, Sequence[float], Mean]], zero: float | None) -> Panel:
    told = "; ".join(f"{name}: {_mean(mean)}" for name, _, mean in ends)
    sheet = svg.Sheet(name, title, told, 340, 44 + 44 * len(ends), svg.Margins(8, 14, 6, 36))
    return Panel(title, svg.drawn(sheet, _dots(ends, zero)))


def _dots(ends: Sequence[tuple[str, Sequence[float], Mean]], zero: float | None) -> Callable[[Axes], None]:
    """One line an arm, its name above it. Intervals do not set the scale: of two seeds they may be huge."""

    def draw(axes: Axes) -> None:
        values = [value for _, seeds, _ in ends for value in seeds] + ([zero] if zero is not None else [])
        room = 0.3 * (max(values) - min(values)) or 0.05
        left, right = min(values) - room, max(values) + room
        axes.set_xlim(left, right)
        axes.set_ylim(len(ends) - 0.25, -0.75)
        if zero is not None:
            axes.axvline(zero, color=svg.MUTED, linewidth=1, linestyle=(0, (4, 3)))
        for at, (name, seeds, mean) in enumerate(ends):
            sign = "+.3f" if zero is not None else ".3f"
            label = f"{visible(cut(name, 28))}  {mean['mean']:{sign}}"
            axes.annotate(label, (0, at - 0.36), xycoords=axes.get_yaxis_transform(), va="center", color=svg.INK)
            if mean["low"] is not None:
                axes.plot([max(mean["low"], left), min(mean["high"], right)], [at, at], "-", color=svg.BLUE)
                for edge, sign, beyond in ((left, "<", mean["low"] < left), (right, ">", mean["high"] > right)):
                    if beyond:
                        axes.plot([edge], [at], sign, color=svg.BLUE, clip_on=False)
            axes.plot(seeds, [at] * len(seeds), "o", markersize=6, markerfacecolor=svg.PAPER, color=svg.BLUE)
            axes.plot([mean["mean"]], [at], "D", markersize=5.5, color=svg.BLUE)
        axes.set_yticks([])
        axes.xaxis.set_major_locator(MaxNLocator(nbins=5))
        axes.grid(axis="x")
        axes.tick_params(length=0)
        axes.spines["left"].set_visible(False)

    return draw


def _lines(courses: Mapping[int, Sequence[Generation]], key: str) -> Lines:
    return {
        seed: {each.number: value for each in history if (value := each.pooled(key)) is not None}
        for seed, history in courses.items()
    }


def _means(lines: Lines) -> dict[int, float]:
    """The mean over the seeds that have the generation."""
    numbers = sorted({at for line in lines.values() for at in line})
    return {at: statistics.fmean(line[at] for line in lines.values() if at in line) for at in numbers}


def _course(
    lines: Lines, other: Mapping[int, float], alarms: Mapping[int, Sequence[int]], limits: tuple[float, float]
) -> Callable[[Axes], None]:
    def draw(axes: Axes) -> None:
        means = _means(lines)
        generations_axis(axes, max([*means, *other, 1]))
        axes.set_ylim(*limits)
        if other:
            axes.plot(list(other), list(other.values()), "--", color=svg.GREY, linewidth=1.4)
        for seed, line in lines.items():
            axes.plot(list(line), list(line.values()), "-", color=svg.BLUE, linewidth=0.9, alpha=0.6)
            spoke = [number for number in alarms.get(seed, ()) if number in line]
            axes.plot(spoke, [line[number] for number in spoke], "X", color=svg.ORANGE, markersize=7, zorder=4)
        axes.plot(list(means), list(means.values()), "-o", color=svg.BLUE, linewidth=2.4, markersize=4)

    return draw
