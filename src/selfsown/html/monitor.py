"""The monitor's part of a run's page: the status of each generation, and each signal with its tolerance and p-value."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from matplotlib.axes import Axes

from selfsown.guard import monitor
from selfsown.history import STATUSES, monitor_status, reason_without_status, worst_status
from selfsown.html import svg
from selfsown.html.elements import Figure, Panel, Table
from selfsown.html.formatting import capitalized, element_id, generations_text, join_words
from selfsown.html.run_data import RunData
from selfsown.html.score_curves import generations_axis
from selfsown.records import Generation, Json, Signal
from selfsown.signals.reference import AXES
from selfsown.signals.status import FAMILIES, STATUS_RULES

Points = Sequence[tuple[int, Signal]]  # by generation
TABLE_HEAD = ("generation", "family", "signal", "change", "95 % range", "tolerance", "p-value", "MDE", "measured on")
DEGRADATIONS = {"creativity": "less varied", "bias": "more biased", "function": "less capable"}
UNKNOWN = "unknown"


@dataclass(frozen=True)
class MonitorSection:
    """statuses: by generation. reasons: generations, their status, and why. definitions: sentences. figure: None
    without a signal."""

    statuses: list[tuple[int, str]]
    reasons: list[tuple[str, str, str]]
    definitions: list[str]
    figure: Figure | None


def section(run: RunData) -> MonitorSection | None:
    """None where no monitor was run."""
    by_generation = statuses(run)
    if not by_generation:
        return None
    return MonitorSection(
        statuses=list(by_generation.items()),
        reasons=_reasons(run),
        definitions=_definitions(run),
        figure=_figure(run) if measured_families(run) else None,
    )


def statuses(run: RunData) -> dict[int, str]:
    """The worst status of each generation that has one."""
    return {generation.number: status for generation in run.history if (status := worst_status(generation))}


def measured_families(run: RunData) -> list[str]:
    """The families with a signal in any generation."""
    measured = {signal.family for _, signal in _signals(run)}
    return [family for family in FAMILIES if family in measured]


def bias_attributes(run: RunData) -> list[str]:
    """The attributes that the monitors of the recipe measure bias on."""
    return [name for options in _monitor_options(run) for name in options.get("attributes") or ()]


def status_sentence(run: RunData) -> str:
    """The statuses in one sentence, and in another what was not measured; "" where no monitor was run."""
    by_generation = statuses(run)
    families = measured_families(run)
    if not by_generation:
        return ""
    sentence = "The monitor measured nothing."
    if families:
        parts = []
        for status in STATUSES:
            if numbers := [number for number, current in by_generation.items() if current == status]:
                parts.append(f"{status} in {generations_text(numbers, len(by_generation))}")
        were = "were" if len(families) > 1 else "was"
        sentence = f"{capitalized(join_words(families))} {were} measured: {'; '.join(parts)}."
    return " ".join([sentence, *_unmeasured_sentences(run, list(by_generation))])


def headline_status(generations: Sequence[Generation], total: int) -> str:
    """The worst status, the families with an alarm, and the generations; "" where it is green or there is none.

    total: the number of generations in the run.
    """
    by_generation = {generation.number: worst_status(generation) for generation in generations}
    worst = next((status for status in STATUSES if status in by_generation.values()), "green")
    if worst == "green":
        return ""
    numbers = [number for number, status in by_generation.items() if status == worst]
    where = generations_text(numbers, total)
    if worst == UNKNOWN:
        return f"the monitor status is {UNKNOWN} in {where}"
    verdicts = [
        verdict for generation in generations if generation.number in numbers for verdict in generation.verdicts
    ]
    alarms = {signal.family for verdict in verdicts for signal in verdict.signals if signal.is_alarm}
    degradations = join_words([DEGRADATIONS[family] for family in FAMILIES if family in alarms])
    return f"{worst}: {degradations} in {where}" if degradations else f"{worst} in {where}"


def _unmeasured_sentences(run: RunData, numbers: Sequence[int]) -> Iterator[str]:
    """Which families were not measured, and in which of these generations."""
    measured = {(number, signal.family) for number, signal in _signals(run)}
    gaps: dict[tuple[int, ...], list[str]] = {}
    for family in FAMILIES:
        if missing := tuple(number for number in numbers if (number, family) not in measured):
            gaps.setdefault(missing, []).append(family)
    for missing, families in gaps.items():
        reason = ""
        if families == ["bias"] and not bias_attributes(run):
            reason = ", as no attribute is configured"
        yield f"Not measured in {generations_text(missing, len(numbers))}: {join_words(families)}{reason}."


def _monitor_options(run: RunData) -> list[Mapping[str, Json]]:
    """The options of each monitor in the recipe."""
    return [options for method, options in run.steps("guard") if method == "monitor"]


def _reasons(run: RunData) -> list[tuple[str, str, str]]:
    """Generations, their status and why: one entry for all generations with the same status and reason."""
    numbers: dict[tuple[str, str], list[int]] = {}
    for generation in run.history:
        for verdict in generation.verdicts:
            if status := monitor_status(verdict):
                numbers.setdefault((status, reason_without_status(verdict)), []).append(generation.number)
    total = len(statuses(run))
    return [
        (capitalized(generations_text(generations, total)), status, reason)
        for (status, reason), generations in numbers.items()
    ]


def _definitions(run: RunData) -> list[str]:
    families = measured_families(run)
    default = inspect.signature(monitor.guard).parameters["baseline_models"].default
    counts = sorted({str(options.get("baseline_models", default)) for options in _monitor_options(run)})
    sentences = [f"Status: {STATUS_RULES}"]
    if families:
        sentences.append(
            "95 % range: for creativity and bias, the spread of the signal under permutation of whole texts between "
            f"the two sides, centred on its value; for function, a prediction interval (Student’s t) over "
            f"{join_words(counts) or 'several'} models trained on real rows alone."
        )
    if "creativity" in families:
        sentences.append(
            f"The Vendi score is the effective number of directions among the {AXES} leading directions of real rows: "
            f"it is at most {AXES} and does not include other directions."
        )
    return sentences


def _signals(run: RunData) -> Iterator[tuple[int, Signal]]:
    """Every signal with its generation; those of a second monitor have names of their own."""
    for generation in run.history:
        monitors = [verdict for verdict in generation.verdicts if monitor_status(verdict)]
        for index, verdict in enumerate(monitors, 1):
            prefix = f"monitor {index}: " if index > 1 else ""
            for signal in verdict.signals:
                yield generation.number, replace(signal, name=f"{prefix}{signal.name}")


def _figure(run: RunData) -> Figure:
    signals = list(_signals(run))
    gaps = {(number, signal.name): signal for number, signal in signals}
    curves: dict[str, list[tuple[int, Signal]]] = {}
    for family in FAMILIES:
        for number, signal in signals:
            if signal.family == family:
                curves.setdefault(signal.name, []).append((number, signal))
    panels = []
    for name, points in curves.items():
        to_real = [(number, gap) for number, _ in points if (gap := gaps.get((number, f"{name} to real rows")))]
        panels.append(_panel(name, points, to_real, run.history[-1].number))
    ordered = sorted(signals, key=lambda item: (item[0], item[1].family == "gap"))
    rows = [[str(number), *_signal_cells(signal)] for number, signal in ordered]
    caption = (
        "Each signal with its 95 % range; above 0 is worse. A filled cross is an alarm: significant, and above the "
        "tolerance (dashed line). Rings are the difference to held-out real rows, a property of the model that raises "
        "no alarm."
    )
    return Figure(caption, panels, Table(TABLE_HEAD, rows, "Every signal of every generation"))


def _signal_cells(signal: Signal) -> list[str]:
    scale, unit = _scale_and_unit(signal)
    is_gap = signal.family == "gap"
    has_mde = signal.mde == signal.mde  # it is NaN where it is not known
    return [
        "difference" if is_gap else signal.family,
        f"{signal.name} (alarm)" if signal.is_alarm else signal.name,
        f"{scale * signal.value:+.2f}{unit}",
        f"[{scale * signal.low:+.2f}, {scale * signal.high:+.2f}]",
        "–" if is_gap else f"{scale * signal.tolerance:g}{unit}",
        f"{signal.p:.3g}",
        f"{scale * signal.mde:.2g}{unit}" if has_mde else "–",
        f"{signal.n:,} held-out rows" if signal.family == "function" else f"2 × {signal.n:,} texts",
    ]


def _scale_and_unit(signal: Signal) -> tuple[float, str]:
    if signal.unit == "of log-odds":
        return 1.0, ""
    return 100.0, "\N{NO-BREAK SPACE}%" if signal.unit == "%" else ""


def _panel(name: str, points: Points, gaps: Points, last: int) -> Panel:
    values = [f"generation {number}: {', '.join(_signal_cells(signal)[2:4])}" for number, signal in points]
    unit = {"%": "%", "points": "points"}.get(points[0][1].unit, "log-odds")
    canvas = svg.Canvas(f"signal-{element_id(name)}", f"{name} over generations", "; ".join(values))
    return Panel(f"{name}, {unit}", svg.draw_svg(canvas, _draw_signal(points, gaps, last)))


def _draw_signal(points: Points, gaps: Points, last: int) -> Callable[[Axes], None]:
    def draw(axes: Axes) -> None:
        generations_axis(axes, last)
        scale = _scale_and_unit(points[0][1])[0]
        tolerance = scale * points[0][1].tolerance
        axes.axhline(0, color=svg.MUTED, linewidth=0.8, zorder=1)
        axes.axhline(tolerance, color=svg.ORANGE, linewidth=1.4, linestyle=(0, (4, 3)), zorder=1.9)
        for number, gap in gaps:
            value = scale * gap.value
            axes.plot([number], [value], "o", color=svg.GREY, markerfacecolor="none", markersize=6, zorder=2)
        for number, signal in points:
            colour = svg.ORANGE if signal.is_alarm else svg.BLUE
            marker = "X" if signal.is_alarm else "o"
            ends = [scale * signal.low, scale * signal.high]
            axes.plot([number, number], ends, "-", color=colour, linewidth=1.2, zorder=3)
            axes.plot([number], [scale * signal.value], marker, color=colour, markersize=6, zorder=4)
        low, high = axes.get_ylim()
        axes.set_ylim(low, max(high, 1.35 * tolerance))
        svg.draw_label(axes, "tolerance", (-0.4, tolerance), (2, 2), colour=svg.ORANGE)

    return draw
