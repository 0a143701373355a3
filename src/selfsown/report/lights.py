"""What the monitor saw: a light for each generation, and each signal against what is borne and against chance."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes

from selfsown.records import Signal, Verdict
from selfsown.report import svg
from selfsown.report.courses import generations_axis
from selfsown.report.figures import Figure, Panel, Table
from selfsown.report.reading import Run
from selfsown.report.words import listed, slug
from selfsown.signals.light import FAMILIES, WHY

Points = Sequence[tuple[int, Signal]]
HEAD = ("generation", "family", "signal", "change", "95 % interval", "borne", "p", "smallest change seen", "documents")


def content(run: Run) -> dict[str, Any] | None:
    """What the page says of the monitor; None where none watched."""
    shown = lights(run)
    if not shown:
        return None
    return {
        "lights": [(number, verdict.light, verdict.reason) for number, verdict in shown.items()],
        "definition": WHY,
        "figure": _figure(shown, run.history[-1].number),
    }


def lights(run: Run) -> dict[int, Verdict]:
    """The monitor's verdict on each generation."""
    said = [(generation.number, verdict) for generation in run.history for verdict in generation.verdicts]
    return {number: verdict for number, verdict in said if verdict.light}


def sentence(run: Run) -> str:
    """The lights in one sentence; empty where nothing was watched."""
    shown = lights(run)
    if not shown:
        return ""
    named = [
        f"{light} in {_which(numbers, len(shown))}"
        for light in ("red", "amber", "green")
        if (numbers := [str(number) for number, verdict in shown.items() if verdict.light == light])
    ]
    return f"Creativity, bias and function were watched: {'; '.join(named)}."


def _which(numbers: Sequence[str], of: int) -> str:
    if len(numbers) == of > 1:
        return f"all of {of} generations"
    return f"{'generation' if len(numbers) == 1 else 'generations'} {listed(numbers)}"


def _figure(shown: Mapping[int, Verdict], last: int) -> Figure:
    courses: dict[str, list[tuple[int, Signal]]] = {}
    for family in FAMILIES:
        for number, verdict in shown.items():
            for signal in verdict.signals:
                if signal.family == family:
                    courses.setdefault(signal.name, []).append((number, signal))
    gaps = {(number, each.name): each for number, verdict in shown.items() for each in verdict.signals}
    panels = []
    for name, points in courses.items():
        beside = [(number, gap) for number, _ in points if (gap := gaps.get((number, f"{name} to real rows")))]
        panels.append(_panel(name, points, beside, last))
    rows = [
        [str(number), *_cells(signal)]
        for number, verdict in shown.items()
        for signal in sorted(verdict.signals, key=lambda each: each.family == "gap")
    ]
    caption = (
        "Each signal with its 95 % interval; above 0 is worse. A filled cross is an alarm: more than chance, and above "
        "the line, which is what is borne. Rings are the difference to held-out real rows, a trait of the model, which "
        "raises no alarm while it stays as it is."
    )
    return Figure(caption, panels, Table(HEAD, rows, "Every signal of every generation"))


def _cells(signal: Signal) -> list[str]:
    scale, unit = _scale(signal)
    least = f"{scale * signal.least:.2g}{unit}" if signal.least == signal.least else "–"
    return [
        "difference" if signal.family == "gap" else signal.family,
        signal.name + (" (alarm)" if signal.fires else ""),
        f"{scale * signal.value:+.2f}{unit}",
        f"[{scale * signal.low:+.2f}, {scale * signal.high:+.2f}]",
        "–" if signal.family == "gap" else f"{scale * signal.tolerance:g}{unit}",
        f"{signal.p:.3g}",
        least,
        f"{signal.n:,}",
    ]


def _scale(signal: Signal) -> tuple[float, str]:
    return (1.0, "") if signal.unit == "of log-odds" else (100.0, "\N{NO-BREAK SPACE}%" if signal.unit == "%" else "")


def _panel(name: str, points: Points, gaps: Points, last: int) -> Panel:
    told = "; ".join(f"generation {number}: {', '.join(_cells(each)[2:4])}" for number, each in points)
    unit = {"%": "%", "points": "points"}.get(points[0][1].unit, "log-odds")
    sheet = svg.Sheet(f"signal-{slug(name)}", f"{name} over generations", told)
    return Panel(f"{name}, {unit}", svg.drawn(sheet, _course(points, gaps, last)))


def _course(points: Points, gaps: Points, last: int) -> Callable[[Axes], None]:
    def draw(axes: Axes) -> None:
        generations_axis(axes, last)
        scale, borne = _scale(points[0][1])[0], points[0][1].tolerance
        axes.axhline(0, color=svg.MUTED, linewidth=0.8, zorder=1)
        axes.axhline(scale * borne, color=svg.ORANGE, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
        for number, gap in gaps:
            axes.plot(
                [number], [scale * gap.value], "o", color=svg.GREY, markerfacecolor="none", markersize=6, zorder=2
            )
        for number, each in points:
            colour = svg.ORANGE if each.fires else svg.BLUE
            axes.plot(
                [number, number], [scale * each.low, scale * each.high], "-", color=colour, linewidth=1.2, zorder=3
            )
            axes.plot([number], [scale * each.value], "X" if each.fires else "o", color=colour, markersize=6, zorder=4)
        low, high = axes.get_ylim()
        axes.set_ylim(low, max(high, 1.35 * scale * borne))
        svg.label(axes, "borne", (-0.4, scale * borne), (2, 2), colour=svg.ORANGE)

    return draw
