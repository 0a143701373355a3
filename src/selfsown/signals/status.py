"""Green, amber or red: the status of a generation from several signals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from selfsown.records import Signal

Status = Literal["green", "amber", "red"]
FAMILIES = ("creativity", "bias", "function")
STATUS_RULES = (
    "green: no signal both exceeds its tolerance and is significant (permutation of whole documents, or a prediction "
    "interval; Holm's correction at 5 %). amber: creativity or bias does, for the first time. red: function does "
    "(worse than models trained on real rows alone), or creativity and bias both, or one of them in the second "
    "generation in a row. unknown: something that was configured could not be measured."
)


def overall_status(signals: Sequence[Signal], before: Iterable[Signal] = ()) -> tuple[Status, str]:
    """The status, and the alarms in words. before: the signals of the generation that this one was trained from."""
    alarms = {
        family: [signal for signal in signals if signal.is_alarm and signal.family == family] for family in FAMILIES
    }
    alarmed = [family for family in FAMILIES if alarms[family]]
    alarmed_before = {signal.family for signal in before if signal.is_alarm}
    if not alarmed:
        return "green", "all signals within tolerance"
    reason = "; ".join(f"{family}: {', '.join(map(describe, alarms[family]))}" for family in alarmed)
    if "function" in alarmed or len(alarmed) > 1:
        return "red", reason
    if alarmed[0] in alarmed_before:
        return "red", f"{reason}; for the second generation in a row"
    return "amber", reason


def underpowered(signals: Iterable[Signal]) -> list[str]:
    """For each signal whose minimum detectable effect (MDE) exceeds its tolerance: the MDE, and what would lower it."""
    sentences = []
    for signal in signals:
        if signal.mde > signal.tolerance and not signal.is_alarm:
            needed = "more baseline models"
            if signal.family != "function":
                needed = f"{signal.n * (signal.mde / signal.tolerance) ** 2:,.0f} texts"
            mde = f"{_scale(signal) * signal.mde:.2g} {signal.unit}"
            sentences.append(f"MDE of {signal.name} is {mde}; {needed} would detect its tolerance")
    return sentences


def describe(signal: Signal) -> str:
    """A signal in words, with its interval and its tolerance."""
    scale = _scale(signal)
    interval = f"[{scale * signal.low:+.3g}, {scale * signal.high:+.3g}]"
    tolerance = f"tolerance {scale * signal.tolerance:.3g}"
    return f"{signal.name} {scale * signal.value:+.3g} {interval} {signal.unit}, {tolerance}"


def _scale(signal: Signal) -> float:
    """Shares are shown in percent or points."""
    return 1.0 if signal.unit == "of log-odds" else 100.0
