"""Green, amber or red: what several signals together say of a generation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from selfsown.records import Signal

Light = Literal["green", "amber", "red"]
FAMILIES = ("creativity", "bias", "function")
WHY = (
    "green: no signal is both more than chance (permutation of whole documents or a prediction interval, Holm's "
    "correction at 5 %) and more than is borne. amber: one is. red: function fires, or creativity and bias both, or "
    "one of them for the second generation in a row."
)


def light(signals: Sequence[Signal], before: Iterable[Signal] = ()) -> tuple[Light, str]:
    """The light, and in words what fired. before: the signals of the generation that this one came from."""
    fired = {family: [each for each in signals if each.fires and each.family == family] for family in FAMILIES}
    again = {each.family for each in before if each.fires}
    burning = [family for family in FAMILIES if fired[family]]
    if not burning:
        return "green", "nothing drifted by more than is borne"
    said = "; ".join(f"{family}: {', '.join(map(told, fired[family]))}" for family in burning)
    if "function" in burning or len(burning) > 1:
        return "red", said
    return ("red", f"{said}; for the second generation in a row") if burning[0] in again else ("amber", said)


def told(signal: Signal) -> str:
    """A signal in words, with its interval and what is borne."""
    scale = 1.0 if signal.unit == "of log-odds" else 100.0
    far, low, high, borne = (scale * each for each in (signal.value, signal.low, signal.high, signal.tolerance))
    return f"{signal.name} {far:+.3g} [{low:+.3g}, {high:+.3g}] {signal.unit}, borne {borne:.3g}"
