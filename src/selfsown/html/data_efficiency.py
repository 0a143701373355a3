"""What the loop spares: the real rows that plain training needs to do as well, and what either costs."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, MaxNLocator

from selfsown.html import svg
from selfsown.html.comparison_data import Comparison
from selfsown.html.elements import Figure, Panel, Table
from selfsown.html.formatting import named, number, whole

MONEY = {"labels": "labels only", "compute": "compute only", "both": "both"}


def content(compared: Comparison) -> dict[str, Any]:
    """The figure of data efficiency, and the cost in three ratios that are never mixed."""
    found = compared.found["efficiency"]
    cost = found["cost"]
    least = "≥ " if None in found["scores"][compared.goal]["ratios"] else ""
    hedge = {"labels": least, "compute": "", "both": least}
    facts = [
        (name, "–" if cost[key] is None else f"{hedge[key]}{cost[key]:.2f}×", "plain training against the loop")
        for key, name in MONEY.items()
    ]
    prices = [[name, f"{price:g}"] for name, price in cost["prices"].items()]
    return {
        "thrift": _figure(found),
        "ratios": [(named(key), score["words"]) for key, score in found["scores"].items()],
        "usd": facts,
        "cost": cost["words"],
        "prices": Table(["what", "USD"], prices, "Prices taken") if prices else None,
    }


def _figure(found: Mapping[str, Any]) -> Figure:
    rows, loop, scores = found["rows"], found["loop"], found["scores"]
    panels = []
    for at, (key, score) in enumerate(scores.items()):
        told = f"{loop} is matched at {score['words']} the real rows. Plain training: " + "; ".join(
            f"{whole(rows[name])} rows: {statistics.fmean(values):.3f}" for name, values in score["curve"].items()
        )
        sheet = svg.Sheet(f"thrift-{at}", f"{named(key)} by number of real rows", told, 340, 260)
        panels.append(Panel(named(key), svg.drawn(sheet, _curve(rows, loop, score))))
    head = ["real rows", *(f"{named(key)}: plain" for key in scores)]
    lines = [
        [whole(rows[name]), *(number(statistics.fmean(score["curve"][name])) for score in scores.values())]
        for name in rows
    ]
    lines.append([f"{loop}, the loop", *(number(statistics.fmean(score["loop"])) for score in scores.values())])
    lines.append(["rows for the same score", *(score["words"] for score in scores.values())])
    caption = (
        f"Plain training on more and more real rows, as many steps each. Thin lines are seeds, the thick one is their "
        f"mean; the band is what {loop} reaches in its last generation, over the seeds. Diamonds: where a seed’s plain "
        "training first does as well. It is given the best generation of each run, which flatters it."
    )
    return Figure(caption, panels, Table(head, lines, "Means over the seeds"))


def _curve(rows: Mapping[str, int], loop: str, score: Mapping[str, Any]) -> Callable[[Axes], None]:
    def draw(axes: Axes) -> None:
        sizes = [rows[name] for name in score["curve"]]
        seeds = list(zip(*score["curve"].values(), strict=True))
        _level(axes, loop, score["loop"], sizes)
        for values in seeds:
            axes.plot(sizes, values, "-", color=svg.ORANGE, linewidth=0.9, alpha=0.7)
        means = [statistics.fmean(values) for values in score["curve"].values()]
        axes.plot(sizes, means, "-s", color=svg.ORANGE, linewidth=2.4, markersize=4.5)
        _crossings(axes, score, _smallest(rows))
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_locator(FixedLocator([float(size) for size in sizes]))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.yaxis.set_major_locator(MaxNLocator(nbins=5))
        axes.minorticks_off()
        axes.margins(0.06, 0.12)
        axes.set_xlabel("real rows")
        axes.grid(axis="y")
        axes.tick_params(length=0)
        axes.spines["left"].set_visible(False)

    return draw


def _level(axes: Axes, loop: str, levels: Sequence[float], sizes: Sequence[int]) -> None:
    """What the loop reaches: the range over the seeds, and the mean."""
    axes.axhspan(min(levels), max(levels), color=svg.BLUE, alpha=0.18, linewidth=0)
    axes.axhline(statistics.fmean(levels), color=svg.BLUE, linewidth=1.2, linestyle=(0, (4, 3)))
    svg.label(axes, loop, (sizes[0], max(levels)), (0, 5), colour=svg.BLUE)


def _crossings(axes: Axes, score: Mapping[str, Any], one: float) -> None:
    beyond = score.get("beyond") or [""] * len(score["ratios"])
    for ratio, side, level in zip(score["ratios"], beyond, score["loop"], strict=True):
        if ratio is not None and not side:
            axes.plot([ratio * one], [level], "D", color=svg.INK, markersize=6, zorder=5)
    if score["mean"]:
        axes.axvline(score["mean"] * one, color=svg.INK, linewidth=1, linestyle=":")


def _smallest(rows: Mapping[str, int]) -> float:
    """The real rows of 1x, which are those that the loop has."""
    name, size = next(iter(rows.items()))
    return size / float(name.removeprefix("real-").removesuffix("x"))
