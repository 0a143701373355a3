"""What the monitor saw: a light for each generation, and each signal against what is borne and against chance."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from matplotlib.axes import Axes

from selfsown.guard import monitor
from selfsown.html import svg
from selfsown.html.elements import Figure, Panel, Table
from selfsown.html.formatting import listed, opened, slug, which
from selfsown.html.run_data import Run
from selfsown.html.score_curves import generations_axis
from selfsown.records import Generation, Signal
from selfsown.signals.reference import AXES
from selfsown.signals.status import FAMILIES, STATUS_RULES
from selfsown.terminal.run_progress import LIGHTS, lamp, why, worst

Points = Sequence[tuple[int, Signal]]
HEAD = ("generation", "family", "signal", "change", "95 % range", "borne", "p", "smallest it would see", "measured on")
WORSE = {"creativity": "less varied", "bias": "more biased", "function": "less able"}


def content(run: Run) -> dict[str, Any] | None:
    """What the page says of the monitor; None where none watched."""
    shown = lights(run)
    if not shown:
        return None
    return {
        "lights": list(shown.items()),
        "reasons": _reasons(run),
        "definition": _definition(run),
        "figure": _figure(run) if measured(run) else None,
    }


def lights(run: Run) -> dict[int, str]:
    """The worst light of each generation that was watched."""
    return {generation.number: light for generation in run.history if (light := worst(generation))}


def measured(run: Run) -> list[str]:
    """The families that have a signal, in any generation."""
    there = {signal.family for _, signal in _signals(run)}
    return [family for family in FAMILIES if family in there]


def attributes(run: Run) -> list[str]:
    """What monitors of the recipe are told to watch for bias."""
    return [name for knobs in _monitors(run) for name in knobs.get("attributes") or ()]


def sentence(run: Run) -> str:
    """The lights in one sentence, and in another what has none; empty where nothing was watched."""
    shown, there = lights(run), measured(run)
    if not shown:
        return ""
    named = [
        f"{light} in {which(numbers, len(shown))}"
        for light in LIGHTS
        if (numbers := [number for number, each in shown.items() if each == light])
    ]
    said = f"{opened(listed(there))} {'were' if there[1:] else 'was'} measured: {'; '.join(named)}."
    return " ".join([said if there else "The monitor gave no light.", *_unmeasured(run, list(shown))])


def worst_of(generations: Sequence[Generation], of: int) -> str:
    """The worst light of these, what it is about, and which have it; empty where it is green or there is none."""
    shown = {generation.number: worst(generation) for generation in generations}
    light = next((each for each in LIGHTS if each in shown.values()), "green")
    if light == "green":
        return ""
    at = [number for number, each in shown.items() if each == light]
    if light == "cannot say":
        return f"the monitor cannot judge {'any generation' if len(at) == of else which(at, of)}"
    said = [verdict for generation in generations if generation.number in at for verdict in generation.verdicts]
    fired = {signal.family for verdict in said for signal in verdict.signals if signal.is_alarm}
    grown = listed([WORSE[family] for family in FAMILIES if family in fired])
    return f"{light}{': ' * bool(grown)}{grown} in {which(at, of)}"


def _unmeasured(run: Run, watched: Sequence[int]) -> Iterator[str]:
    """Which families lack a signal, and where."""
    there = {(number, signal.family) for number, signal in _signals(run)}
    gaps: dict[tuple[int, ...], list[str]] = {}
    for family in FAMILIES:
        if missing := tuple(number for number in watched if (number, family) not in there):
            gaps.setdefault(missing, []).append(family)
    for numbers, families in gaps.items():
        unasked = families == ["bias"] and not attributes(run)
        where = which(numbers, len(watched))
        yield f"Not measured in {where}: {listed(families)}{', as the monitor names no attribute' * unasked}."


def _monitors(run: Run) -> list[Mapping[str, Any]]:
    """The knobs of each monitor of the recipe."""
    steps = [step if isinstance(step, dict) else {step: {}} for step in run.recipe.get("guard") or []]
    return [step["monitor"] or {} for step in steps if "monitor" in step]


def _reasons(run: Run) -> list[tuple[str, str, str]]:
    """Which generations, their light, and why: once for all that have the same."""
    found: dict[tuple[str, str], list[int]] = {}
    for generation in run.history:
        for verdict in generation.verdicts:
            if light := lamp(verdict):
                found.setdefault((light, why(verdict)), []).append(generation.number)
    of = len(lights(run))
    return [(opened(which(numbers, of)), *said) for said, numbers in found.items()]


def _definition(run: Run) -> list[str]:
    there, default = measured(run), inspect.signature(monitor.guard).parameters["baseline_models"].default
    models = listed(sorted({str(knobs.get("baseline_models", default)) for knobs in _monitors(run)})) or "several"
    ranges = (
        "95 % range: for creativity and bias from exchanges of whole texts between the two sides, that is the spread "
        f"which chance gives the signal, laid around its value; for function from the spread between {models} models "
        "trained on real rows alone, a prediction interval of Student's t."
    )
    score = (
        f"The Vendi score is the effective number of directions in which texts lie, out of the {AXES} leading "
        f"directions of real rows: it cannot exceed {AXES}, and what lies beyond these it does not see."
    )
    return [f"Light: {STATUS_RULES}", *[ranges] * bool(there), *[score] * ("creativity" in there)]


def _signals(run: Run) -> Iterator[tuple[int, Signal]]:
    """Every signal with its generation; of a second monitor under a name of its own."""
    for generation in run.history:
        watching = [verdict for verdict in generation.verdicts if lamp(verdict)]
        for at, verdict in enumerate(watching, 1):
            for signal in verdict.signals:
                yield generation.number, replace(signal, name=f"monitor {at}: " * (at > 1) + signal.name)


def _figure(run: Run) -> Figure:
    every = list(_signals(run))
    gaps = {(number, signal.name): signal for number, signal in every}
    courses: dict[str, list[tuple[int, Signal]]] = {}
    for family in FAMILIES:
        for number, signal in every:
            if signal.family == family:
                courses.setdefault(signal.name, []).append((number, signal))
    panels = []
    for name, points in courses.items():
        beside = [(number, gap) for number, _ in points if (gap := gaps.get((number, f"{name} to real rows")))]
        panels.append(_panel(name, points, beside, run.history[-1].number))
    ordered = sorted(every, key=lambda each: (each[0], each[1].family == "gap"))
    rows = [[str(number), *_cells(signal)] for number, signal in ordered]
    caption = (
        "Each signal with its 95 % range; above 0 is worse. A filled cross is an alarm: more than chance, and above "
        "the broken line, which is what is borne. Rings are the difference to held-out real rows, a trait of the "
        "model, which raises no alarm while it stays as it is."
    )
    return Figure(caption, panels, Table(HEAD, rows, "Every signal of every generation"))


def _cells(signal: Signal) -> list[str]:
    scale, unit = _scale(signal)
    least = f"{scale * signal.mde:.2g}{unit}" if signal.mde == signal.mde else "–"
    return [
        "difference" if signal.family == "gap" else signal.family,
        signal.name + (" (alarm)" if signal.is_alarm else ""),
        f"{scale * signal.value:+.2f}{unit}",
        f"[{scale * signal.low:+.2f}, {scale * signal.high:+.2f}]",
        "–" if signal.family == "gap" else f"{scale * signal.tolerance:g}{unit}",
        f"{signal.p:.3g}",
        least,
        f"{signal.n:,} held-out rows" if signal.family == "function" else f"2 × {signal.n:,} texts",
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
        axes.axhline(scale * borne, color=svg.ORANGE, linewidth=1.4, linestyle=(0, (4, 3)), zorder=1.9)
        for number, gap in gaps:
            axes.plot(
                [number], [scale * gap.value], "o", color=svg.GREY, markerfacecolor="none", markersize=6, zorder=2
            )
        for number, each in points:
            colour = svg.ORANGE if each.is_alarm else svg.BLUE
            axes.plot(
                [number, number], [scale * each.low, scale * each.high], "-", color=colour, linewidth=1.2, zorder=3
            )
            axes.plot(
                [number], [scale * each.value], "X" if each.is_alarm else "o", color=colour, markersize=6, zorder=4
            )
        low, high = axes.get_ylim()
        axes.set_ylim(low, max(high, 1.35 * scale * borne))
        svg.label(axes, "borne", (-0.4, scale * borne), (2, 2), colour=svg.ORANGE)

    return draw
