"""The arms of a comparison: their scores, paired differences, and score curves over the generations."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from selfsown.compare.results import ArmResult, Estimate
from selfsown.html import svg
from selfsown.html.comparison_data import ComparisonData, Histories
from selfsown.html.elements import Figure, Panel, Table
from selfsown.html.formatting import (
    capitalized,
    describe_score,
    duration,
    element_id,
    interval,
    number,
    truncate,
    visible,
)
from selfsown.html.score_curves import generations_axis
from selfsown.scores import distance

Curves = Mapping[int, Mapping[int, float]]  # score by seed and generation
MAX_LABEL_CHARS = 28


@dataclass(frozen=True)
class DotRow:
    """One row of a dot plot: a value per seed, and their mean."""

    name: str
    values: Sequence[float]
    mean: Estimate


def scores(comparison: ComparisonData) -> Table:
    """One row per arm: the goal, its paired difference, and the cost."""
    goal = comparison.goal
    difference = f"{comparison.reference} − arm"
    head = ["arm", comparison.score_name(goal), difference, "best generation", "rows kept", "CPU time per run"]
    rows = []
    for arm in comparison.arms:
        score = arm.scores[goal]
        gap = _signed(score.difference) if score.difference else "–"
        best = number(statistics.fmean(score.best))
        kept = f"{statistics.fmean(arm.kept):,.0f}"
        rows.append([arm.name, _mean(score), gap, best, kept, duration(statistics.fmean(arm.cpu_seconds))])
    caption = "Means over the seeds with 95 % intervals, of the last generation except in the column best generation"
    return Table(head, rows, caption)


def other_scores(comparison: ComparisonData) -> Table:
    """The related scores of the goal, and those over all rows."""
    keys = list(comparison.arms[0].scores)
    stem = comparison.goal.partition("=")[0]
    related = [key for key in keys if key.startswith(f"{stem}=") and "," not in key]
    shown = [key for key in [*related, *(key for key in keys if "=" not in key)] if key != comparison.goal]
    rows = [[arm.name, *(_mean(arm.scores[key]) for key in shown)] for arm in comparison.arms]
    return Table(
        ["arm", *map(comparison.score_name, shown)], rows, "Other scores of the last generation: means over the seeds"
    )


def strata(comparison: ComparisonData) -> Table | None:
    """The verdict on each stratum of the goal; None without a proof or strata."""
    proof = comparison.result.proof
    if not proof or not proof.strata:
        return None
    rows = [
        [
            comparison.score_name(key),
            _signed(gap),
            _signed(gap.against_best),
            f"{gap.corrected_p_value:.2g}",
            gap.verdict,
        ]
        for key, gap in proof.strata.items()
    ]
    caption = (
        f"By stratum, paired by seed. P-value and verdict are with Holm’s correction over {len(proof.strata)} strata; "
        "the 95 % intervals are without it. Better requires a gain over the best generation of real rows alone, too"
    )
    return Table(["stratum", "graded − real", "graded − best of real", "p-value", "verdict"], rows, caption)


def differences(comparison: ComparisonData) -> Figure:
    """The seeds, mean and interval of each arm, and beside it the paired difference to the reference."""
    goal = comparison.goal
    ends = [DotRow(arm.name, arm.scores[goal].last, arm.scores[goal]) for arm in comparison.arms]
    panels = [_dot_panel("scores", f"{comparison.score_name(goal)}, last generation", ends, None)]
    gaps = _gap_rows(comparison)
    if gaps:
        panels.append(_dot_panel("gaps", "paired difference by seed", gaps, 0.0))
    seeds = [f"seed {seed}" for seed in comparison.result.seeds]
    rows = [[row.name, *map(number, row.values), _mean(row.mean)] for row in [*ends, *gaps]]
    caption = "Circles are seeds, diamonds their mean, bars 95 % intervals over seeds; arrows mark bars cut off."
    return Figure(caption, panels, Table(["", *seeds, "mean"], rows, "The score of each seed"))


def curves(comparison: ComparisonData, key: str) -> Figure | None:
    """One panel per arm: its seeds, their mean, and the mean of the reference; None where no run is left."""
    by_arm = {arm.name: _curves(comparison.histories[arm.name], key) for arm in comparison.arms}
    values = [value for by_seed in by_arm.values() for curve in by_seed.values() for value in curve.values()]
    if not values:
        return None
    margin = 0.1 * (max(values) - min(values)) or 0.05
    limits = (min(values) - margin, max(values) + margin)
    reference = _means(by_arm[comparison.reference])
    panels = []
    for index, arm in enumerate(comparison.arms):
        dashed = {} if arm.name == comparison.reference else reference
        name = comparison.score_name(key)
        panels.append(_curve_panel(f"arm-{index}-{element_id(key)}", name, arm, by_arm[arm.name], dashed, limits))
    about = f", {describe_score(key)}" if describe_score(key) else ""
    crosses = " A cross: a guard triggered." if any(arm.guards for arm in comparison.arms) else ""
    caption = (
        f"{capitalized(comparison.score_name(key))} over the generations{about}. Thin lines are seeds, the thick line "
        f"is their mean, the dashed grey line that of {comparison.reference}.{crosses}"
    )
    last = max(max(curve) for by_seed in by_arm.values() for curve in by_seed.values() if curve)
    generations = range(last + 1)
    rows = [
        [name, *(number(_means(by_seed).get(generation)) for generation in generations)]
        for name, by_seed in by_arm.items()
    ]
    return Figure(caption, panels, Table(["arm", *map(str, generations)], rows, "Mean by generation"))


def _mean(estimate: Estimate) -> str:
    return f"{estimate.mean:.3f} {interval(estimate.low, estimate.high)}".strip()


def _signed(gap: Estimate) -> str:
    if gap.low is None or gap.high is None:
        return f"{gap.mean:+.3f}"
    return f"{gap.mean:+.3f} [{gap.low:+.3f}, {gap.high:+.3f}]"


def _gap_rows(comparison: ComparisonData) -> list[DotRow]:
    """The reference minus each other arm."""
    reference = comparison.result.arm(comparison.reference).scores[comparison.goal].last
    rows = []
    for arm in comparison.arms:
        score = arm.scores[comparison.goal]
        if score.difference:
            by_arm = ([distance(value, comparison.direction) for value in values] for values in (reference, score.last))
            pairs = [ours - theirs for ours, theirs in zip(*by_arm, strict=True)]
            rows.append(DotRow(f"{comparison.reference} − {arm.name}", pairs, score.difference))
    return rows


def _dot_panel(name: str, title: str, rows: Sequence[DotRow], zero: float | None) -> Panel:
    description = "; ".join(f"{row.name}: {_mean(row.mean)}" for row in rows)
    canvas = svg.Canvas(name, title, description, 340, 44 + 44 * len(rows), svg.Margins(8, 14, 6, 36))
    return Panel(title, svg.draw_svg(canvas, _draw_dots(rows, zero)))


def _draw_dots(rows: Sequence[DotRow], zero: float | None) -> Callable[[Axes], None]:
    """One line per row with its name above; intervals do not set the scale, as those of two seeds can be huge.

    zero: where a dashed line is drawn; None for no line and numbers without a sign.
    """

    def draw(axes: Axes) -> None:
        values = [value for row in rows for value in row.values] + ([] if zero is None else [zero])
        margin = 0.3 * (max(values) - min(values)) or 0.05
        limits = (min(values) - margin, max(values) + margin)
        axes.set_xlim(*limits)
        axes.set_ylim(len(rows) - 0.25, -0.75)
        if zero is not None:
            axes.axvline(zero, color=svg.MUTED, linewidth=1, linestyle=(0, (4, 3)))
        for y, row in enumerate(rows):
            mean = f"{row.mean.mean:.3f}" if zero is None else f"{row.mean.mean:+.3f}"
            label = f"{visible(truncate(row.name, MAX_LABEL_CHARS))}  {mean}"
            axes.annotate(label, (0, y - 0.36), xycoords=axes.get_yaxis_transform(), va="center", color=svg.INK)
            _draw_interval(axes, y, row.mean, limits)
            axes.plot(row.values, [y] * len(row.values), "o", markersize=6, markerfacecolor=svg.PAPER, color=svg.BLUE)
            axes.plot([row.mean.mean], [y], "D", markersize=5.5, color=svg.BLUE)
        axes.set_yticks([])
        axes.xaxis.set_major_locator(MaxNLocator(nbins=5))
        axes.grid(axis="x")
        axes.tick_params(length=0)
        axes.spines["left"].set_visible(False)

    return draw


def _draw_interval(axes: Axes, y: int, mean: Estimate, limits: tuple[float, float]) -> None:
    """The interval within the limits, with an arrow where it is cut off."""
    if mean.low is None or mean.high is None:
        return
    left, right = limits
    axes.plot([max(mean.low, left), min(mean.high, right)], [y, y], "-", color=svg.BLUE)
    if mean.low < left:
        axes.plot([left], [y], "<", color=svg.BLUE, clip_on=False)
    if mean.high > right:
        axes.plot([right], [y], ">", color=svg.BLUE, clip_on=False)


def _curves(histories: Histories, key: str) -> Curves:
    return {
        seed: {generation.number: value for generation in history if (value := generation.pooled(key)) is not None}
        for seed, history in histories.items()
    }


def _means(by_seed: Curves) -> dict[int, float]:
    """By generation, the mean over the seeds that have it."""
    numbers = sorted({generation for curve in by_seed.values() for generation in curve})
    return {
        generation: statistics.fmean(curve[generation] for curve in by_seed.values() if generation in curve)
        for generation in numbers
    }


def _curve_panel(
    canvas_id: str,
    score: str,
    arm: ArmResult,
    by_seed: Curves,
    dashed: Mapping[int, float],
    limits: tuple[float, float],
) -> Panel:
    points = [f"generation {generation}: {value:.3f}" for generation, value in _means(by_seed).items()]
    canvas = svg.Canvas(canvas_id, f"{score} of {arm.name} over generations", f"mean: {'; '.join(points)}")
    alarms: dict[int, list[int]] = {}
    for guard in arm.guards:
        alarms.setdefault(guard.seed, []).extend(guard.generations)
    return Panel(arm.name, svg.draw_svg(canvas, _draw_curves(by_seed, dashed, alarms, limits)))


def _draw_curves(
    by_seed: Curves, dashed: Mapping[int, float], alarms: Mapping[int, Sequence[int]], limits: tuple[float, float]
) -> Callable[[Axes], None]:
    def draw(axes: Axes) -> None:
        means = _means(by_seed)
        generations_axis(axes, max([*means, *dashed, 1]))
        axes.set_ylim(*limits)
        if dashed:
            axes.plot(list(dashed), list(dashed.values()), "--", color=svg.GREY, linewidth=1.4)
        for seed, curve in by_seed.items():
            axes.plot(list(curve), list(curve.values()), "-", color=svg.BLUE, linewidth=0.9, alpha=0.6)
            marked = [generation for generation in alarms.get(seed, ()) if generation in curve]
            scores = [curve[generation] for generation in marked]
            axes.plot(marked, scores, "X", color=svg.ORANGE, markersize=7, zorder=4)
        axes.plot(list(means), list(means.values()), "-o", color=svg.BLUE, linewidth=2.4, markersize=4)

    return draw
