"""The flow of rows: which methods generated them, and their outcomes, as bands whose height is the number of rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from selfsown.html import svg
from selfsown.html.elements import Figure, Panel, Table
from selfsown.html.formatting import integer, percent, truncate, visible
from selfsown.html.row_counts import STATUSES
from selfsown.html.run_data import GeneratedRows, Outcome, RunData

MAX_BANDS = 6  # more bands on one side are hard to distinguish
MAX_LABEL_CHARS = 24
OTHERS = "others"
HEADER_PX = 26.0
BODY_PX = 200.0
LABEL_PX = 34.0  # two lines of text
GAP_PX = 12.0
BAR_PX = 9.0
SIDE_PX = 184.0
NARROW_PX, WIDE_PX = 340, 900


@dataclass(frozen=True)
class Band:
    """A group of rows; action: what happened to them, by the method or grader that the band is named after."""

    name: str
    rows: int
    colour: str
    action: str = ""

    @property
    def label(self) -> str:
        """ "rejected by judge", or the name alone."""
        return f"{self.action} by {self.name}" if self.action else self.name


def figure(run: RunData) -> Figure | None:
    """A drawing of the whole run, with a table row per generation; None where no row was generated."""
    outcomes: Counter[Outcome] = sum((rows.outcomes() for rows in run.generated), Counter())
    methods: Counter[str] = Counter()
    for rows in run.generated:
        for (method, _), count in rows.flows.items():
            methods[method] += count
    total = sum(outcomes.values())
    if not total:
        return None
    ends = _outcome_bands(outcomes)
    sources = [Band(name, count, svg.GREY, "generated") for name, count in _most_frequent(methods)]
    parts = ", ".join(f"{integer(band.rows)} {band.label}" for band in ends)
    description = f"{integer(total)} rows generated: {parts}"
    height = int(HEADER_PX + max(_drawing_height(bands, total) for bands in (sources, ends)))
    margins = svg.Margins(0, 0, 0, 0)
    narrow = svg.Canvas("flow", "flow of rows", description, NARROW_PX, height, margins)
    wide = svg.Canvas("flow-wide", "flow of rows", description, WIDE_PX, height, margins)
    narrow_svg = svg.draw_svg(narrow, _draw_flow([], ends, narrow))
    panel = Panel("", narrow_svg, svg.draw_svg(wide, _draw_flow(sources, ends, wide)))
    caption = "Every row that the model generated, and its outcome. The height of a band is its number of rows."
    return Figure(caption, [panel], _table(run, outcomes))


def row_counts(run: RunData) -> tuple[str, bool]:
    """Generated = kept + rejected + failed, as text; and whether the rows on disk agree with the run's counts."""
    parts = {status: run.rows_with(status) for status in STATUSES}
    counted = {generation.number: generation.counts for generation in run.history if generation.number}
    agree = all(
        rows.total == counted[rows.number].get("made")
        and all(rows.count(status) == counted[rows.number].get(status) for status in STATUSES)
        for rows in run.generated
        if rows.number in counted
    )
    terms = " + ".join(f"{integer(count)} {status}" for status, count in parts.items())
    return f"{integer(run.rows_total)} generated = {terms}", agree and sum(parts.values()) == run.rows_total


def _most_frequent(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """The most frequent in descending order; the rest together as "others"."""
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    rest = sum(count for _, count in ranked[MAX_BANDS:])
    return [*ranked[:MAX_BANDS], (OTHERS, rest)] if rest else ranked


def _rejected_by(outcomes: Mapping[Outcome, int]) -> list[tuple[str, int]]:
    return _most_frequent({name: count for (status, name), count in outcomes.items() if status == "rejected"})


def _outcome_bands(outcomes: Mapping[Outcome, int]) -> list[Band]:
    rejected = [Band(name, count, svg.ORANGE, "rejected") for name, count in _rejected_by(outcomes)]
    kept = Band("kept", outcomes.get(("kept", ""), 0), svg.BLUE)
    failed = Band("failed", outcomes.get(("failed", ""), 0), svg.GREY)
    return [band for band in [kept, *rejected, failed] if band.rows]


def _table(run: RunData, outcomes: Mapping[Outcome, int]) -> Table:
    """A row for each generation and one for all; a column for each outcome."""
    names = [name for name, _ in _rejected_by(outcomes)]
    head = ["generation", "generated", "kept", *(f"rejected by {name}" for name in names), "failed"]
    counts = [_counts(rows, names) for rows in run.generated]
    lines = [[str(rows.number), *map(integer, line)] for rows, line in zip(run.generated, counts, strict=True)]
    totals = [sum(column) for column in zip(*counts, strict=True)]
    return Table(head, [*lines, ["all", *map(integer, totals)]], "Rows by generation and outcome")


def _counts(rows: GeneratedRows, names: Sequence[str]) -> list[int]:
    outcomes = rows.outcomes()
    rejected = [outcomes["rejected", name] for name in names if name != OTHERS]
    if OTHERS in names:
        rejected.append(rows.count("rejected") - sum(rejected))
    return [rows.total, rows.count("kept"), *rejected, rows.count("failed")]


def _band_heights(bands: Sequence[Band], scale: float) -> list[float]:
    """The height that each needs: its own, or that of its two lines of text."""
    return [max(band.rows * scale, LABEL_PX) for band in bands]


def _drawing_height(bands: Sequence[Band], total: int) -> float:
    return sum(_band_heights(bands, BODY_PX / total)) + GAP_PX * (len(bands) - 1) + 4


def _draw_flow(sources: Sequence[Band], ends: Sequence[Band], canvas: svg.Canvas) -> Callable[[Axes], None]:
    """Sources flow into one bar, and the bar into the outcomes; without sources the bar is at the left."""

    def draw(axes: Axes) -> None:
        width, height = canvas.width, canvas.height
        axes.set_xlim(0, width)
        axes.set_ylim(height, 0)
        axes.axis("off")
        total = sum(band.rows for band in ends)
        scale = BODY_PX / total
        middle = width * 0.4 if sources else 2.0
        top = HEADER_PX + (height - HEADER_PX - BODY_PX) / 2
        axes.add_patch(Rectangle((middle, top), BAR_PX, BODY_PX, color=svg.INK, linewidth=0))
        label = f"generated {integer(total)}"
        # Where the bar is at the left edge, its bands would run through a label right above it.
        x, y, align = (middle + BAR_PX / 2, top, "center") if sources else (0, HEADER_PX, "left")
        axes.text(x, y - 8, label, ha=align, va="bottom", color=svg.INK, weight="bold")
        _draw_side(axes, sources, (2.0 + BAR_PX, middle), scale, "left")
        _draw_side(axes, ends, (middle + BAR_PX, width - SIDE_PX), scale, "right")

    return draw


def _draw_side(axes: Axes, bands: Sequence[Band], span: tuple[float, float], scale: float, side: str) -> None:
    """The bands between the middle bar and one side. span: their left and right end."""
    height = axes.get_ylim()[0]
    total = sum(band.rows for band in bands)
    heights = _band_heights(bands, scale)
    top = HEADER_PX + (height - HEADER_PX - sum(heights) - GAP_PX * (len(heights) - 1)) / 2
    inner = HEADER_PX + (height - HEADER_PX - BODY_PX) / 2
    for band, band_height in zip(bands, heights, strict=True):
        thickness = band.rows * scale
        outer = top + (band_height - thickness) / 2
        left, right = (outer, inner) if side == "left" else (inner, outer)
        axes.add_patch(_band_shape(span, left, right, max(thickness, 0.6), band.colour))
        edge = span[0] - BAR_PX if side == "left" else span[1]
        axes.add_patch(Rectangle((edge, outer), BAR_PX, max(thickness, 1.2), color=band.colour, linewidth=0))
        x = edge + BAR_PX + 8
        y = top + band_height / 2
        count = f"{integer(band.rows)} {band.action}".rstrip()
        axes.text(x, y - 1, visible(truncate(band.name, MAX_LABEL_CHARS)), va="bottom", color=svg.INK)
        axes.text(x, y + 1, f"{count} · {percent(band.rows, total)}", va="top", color=svg.MUTED)
        top += band_height + GAP_PX
        inner += thickness


def _band_shape(span: tuple[float, float], left: float, right: float, thickness: float, colour: str) -> PathPatch:
    """A band from the height `left` to the height `right`, horizontal at both ends."""
    start, stop = span
    bend = (start + stop) / 2
    points = [(start, left), (bend, left), (bend, right), (stop, right), (stop, right + thickness)]
    points += [(bend, right + thickness), (bend, left + thickness), (start, left + thickness), (start, left)]
    codes = [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4, Path.LINETO]
    codes += [Path.CURVE4, Path.CURVE4, Path.CURVE4, Path.CLOSEPOLY]
    return PathPatch(Path(points, codes), facecolor=colour, alpha=0.28, linewidth=0)
