"""The data efficiency of the loop: the real rows that plain training needs for the same score, and both costs."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, MaxNLocator

from selfsown.compare.results import DataEfficiency, EfficiencyScore
from selfsown.html import svg
from selfsown.html.comparison_data import ComparisonData
from selfsown.html.elements import Fact, Figure, Panel, Table
from selfsown.html.formatting import integer, number


@dataclass(frozen=True)
class EfficiencySection:
    """ratios: for each score, the ratio of real rows. cost_facts: the three cost ratios."""

    figure: Figure
    ratios: list[tuple[str, str]]
    cost_facts: list[Fact]
    cost_sentences: list[str]
    prices: Table | None


def section(comparison: ComparisonData) -> EfficiencySection:
    efficiency = comparison.result.data_efficiency
    assert efficiency
    cost = efficiency.cost
    at_least = "≥ " if None in efficiency.scores[comparison.goal].ratios else ""
    ratios = {
        "labels only": (at_least, cost.label_ratio),
        "compute only": ("", cost.compute_ratio),
        "both": (at_least, cost.total_ratio),
    }
    facts = [
        Fact(name, "–" if ratio is None else f"{bound}{ratio:.2f}×", "plain training relative to the loop")
        for name, (bound, ratio) in ratios.items()
    ]
    prices = [[name, f"{price:g}"] for name, price in cost.prices.items()]
    return EfficiencySection(
        figure=_figure(comparison, efficiency),
        ratios=[(comparison.score_name(key), score.summary) for key, score in efficiency.scores.items()],
        cost_facts=facts,
        cost_sentences=cost.sentences,
        prices=Table(["item", "USD"], prices, "Prices used") if prices else None,
    )


def _figure(comparison: ComparisonData, efficiency: DataEfficiency) -> Figure:
    rows, loop, scores = efficiency.rows, efficiency.loop, efficiency.scores
    panels = []
    for index, (key, score) in enumerate(scores.items()):
        points = [f"{integer(rows[name])} rows: {statistics.fmean(values):.3f}" for name, values in score.curve.items()]
        description = f"{loop} is matched at {score.summary} the real rows. Plain training: {'; '.join(points)}"
        title = f"{comparison.score_name(key)} by number of real rows"
        canvas = svg.Canvas(f"data-efficiency-{index}", title, description, 340, 260)
        panels.append(Panel(comparison.score_name(key), svg.draw_svg(canvas, _draw_curve(rows, loop, score))))
    head = ["real rows", *(f"{comparison.score_name(key)}: plain training" for key in scores)]
    lines = [
        [integer(rows[name]), *(number(statistics.fmean(score.curve[name])) for score in scores.values())]
        for name in rows
    ]
    lines.append([f"{loop}, the loop", *(number(statistics.fmean(score.loop)) for score in scores.values())])
    lines.append(["rows for the same score", *(score.summary for score in scores.values())])
    caption = (
        "Plain training on increasing numbers of real rows, with the same number of steps. Thin lines are seeds, the "
        f"thick line is their mean; the band is the range of {loop}’s last generation over the seeds. Diamonds mark "
        "where plain training first reaches that score in a seed. Plain training is given the best generation of each "
        "run, which favours it."
    )
    return Figure(caption, panels, Table(head, lines, "Means over the seeds"))


def _draw_curve(rows: Mapping[str, int], loop: str, score: EfficiencyScore) -> Callable[[Axes], None]:
    def draw(axes: Axes) -> None:
        sizes = [rows[name] for name in score.curve]
        _draw_loop(axes, loop, score.loop, sizes)
        for values in zip(*score.curve.values(), strict=True):
            axes.plot(sizes, values, "-", color=svg.ORANGE, linewidth=0.9, alpha=0.7)
        means = [statistics.fmean(values) for values in score.curve.values()]
        axes.plot(sizes, means, "-s", color=svg.ORANGE, linewidth=2.4, markersize=4.5)
        _draw_crossovers(axes, score, _base_rows(rows))
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


def _draw_loop(axes: Axes, loop: str, scores: Sequence[float], sizes: Sequence[int]) -> None:
    """The score of the loop: its range over the seeds, and the mean."""
    axes.axhspan(min(scores), max(scores), color=svg.BLUE, alpha=0.18, linewidth=0)
    axes.axhline(statistics.fmean(scores), color=svg.BLUE, linewidth=1.2, linestyle=(0, (4, 3)))
    svg.draw_label(axes, loop, (sizes[0], max(scores)), (0, 5), colour=svg.BLUE)


def _draw_crossovers(axes: Axes, score: EfficiencyScore, base_rows: float) -> None:
    for ratio, beyond, level in zip(score.ratios, score.beyond, score.loop, strict=True):
        if ratio is not None and not beyond:
            axes.plot([ratio * base_rows], [level], "D", color=svg.INK, markersize=6, zorder=5)
    if score.mean:
        axes.axvline(score.mean * base_rows, color=svg.INK, linewidth=1, linestyle=":")


def _base_rows(rows: Mapping[str, int]) -> float:
    """The real rows of the size 1x, which are those of the loop."""
    name, size = next(iter(rows.items()))
    return size / float(name.removeprefix("real-").removesuffix("x"))
