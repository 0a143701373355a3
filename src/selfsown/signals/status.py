"""Green, amber or red: what several signals together say of a generation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from selfsown.records import Signal

Light = Literal["green", "amber", "red"]
FAMILIES = ("creativity", "bias", "function")
WHY = (
    "green: no signal is both more than chance (permutation of whole documents or a prediction interval, Holm's "
    "correction at 5 %) and more than is borne. amber: creativity or bias is, for the first time. red: function is "
    "(worse than models trained on real rows alone), or creativity and bias both, or one of them for the second "
    "generation in a row. No light: what was to be watched could not be measured."
)


def light(signals: Sequence[Signal], before: Iterable[Signal] = ()) -> tuple[Light, str]:
    """The light, and in words what fired. before: the signals of the generation that this one came from."""
    fired = {family: [each for each in signals if each.is_alarm and each.family == family] for family in FAMILIES}
    again = {each.family for each in before if each.is_alarm}
    burning = [family for family in FAMILIES if fired[family]]
    if not burning:
        return "green", "nothing drifted by more than is borne"
    said = "; ".join(f"{family}: {', '.join(map(told, fired[family]))}" for family in burning)
    if "function" in burning or len(burning) > 1:
        return "red", said
    return ("red", f"{said}; for the second generation in a row") if burning[0] in again else ("amber", said)


def missed(signals: Iterable[Signal]) -> list[str]:
    """What is borne, and more, could have been missed: from which change on each such signal is seen, and what it takes
    to see what is not borne."""
    found = []
    for each in signals:
        if each.mde > each.tolerance and not each.is_alarm:
            scale = 1.0 if each.unit == "of log-odds" else 100.0
            more = (
                "more models"
                if each.family == "function"
                else f"{each.n * (each.mde / each.tolerance) ** 2:,.0f} texts"
            )
            found.append(f"{each.name} seen from {scale * each.mde:.2g} {each.unit} on, from what is borne with {more}")
    return found


def told(signal: Signal) -> str:
    """A signal in words, with its interval and what is borne."""
    scale = 1.0 if signal.unit == "of log-odds" else 100.0
    far, low, high, borne = (scale * each for each in (signal.value, signal.low, signal.high, signal.tolerance))
    return f"{signal.name} {far:+.3g} [{low:+.3g}, {high:+.3g}] {signal.unit}, borne {borne:.3g}"
