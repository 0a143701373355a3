"""What synthetic rows add to a score, paired by seed: differences, how sure they are, and the verdicts that follow."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from selfsown.stats.intervals import student
from selfsown.stats.multiple_testing import holm_adjusted
from selfsown.stats.student_t import upper_tail

ALPHA = 0.05
FEW = 100  # kept rows, or
LITTLE = 0.01  # of those that were drawn: so few test nothing
Verdict = Literal["better", "no proof", "worse"]


def paired(ours: Sequence[float], theirs: Sequence[float]) -> dict[str, Any]:
    """Ours less theirs: mean, 95 % interval, the spread over seeds, p of no difference (two-sided)."""
    values = [one - two for one, two in zip(ours, theirs, strict=True)]
    mean, spread = statistics.fmean(values), statistics.stdev(values)
    low, high = student(values)
    spread = spread if spread > 1e-12 else 0.0  # all alike, but for rounding
    error = spread / math.sqrt(len(values))
    p = 2 * upper_tail(abs(mean) / error, len(values) - 1) if error else 1.0  # no spread, no proof
    return {"mean": mean, "low": low, "high": high, "spread": spread, "p": min(1.0, p)}


def uplift(ours: Mapping[str, Any], theirs: Mapping[str, Any], better: str) -> dict[str, Any]:
    """Last generation against last. stopped: the same against the best generation of theirs."""
    stopped = paired(ours["last"], theirs["best"])
    return paired(ours["last"], theirs["last"]) | {"better": better, "stopped": stopped}


def improves(difference: Mapping[str, Any], better: str) -> bool:
    return bool(difference["mean"] < 0 if better == "lower" else difference["mean"] > 0)


def judged(family: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Each with its verdict, and the p of it, by Holm's correction over the family."""
    adjusted = holm_adjusted([_p(difference) for difference in family.values()])
    return {
        key: difference | {"corrected": p, "verdict": verdict(difference, p)}
        for (key, difference), p in zip(family.items(), adjusted, strict=True)
    }


def _p(found: Mapping[str, Any]) -> float:
    """A gain must show against the best generation, too: rows that only slow down overfitting are no help."""
    if not improves(found, found["better"]):
        return float(found["p"])
    return max(found["p"], found["stopped"]["p"]) if improves(found["stopped"], found["better"]) else 1.0


def verdict(difference: Mapping[str, Any], p: float) -> Verdict:
    if p > ALPHA:
        return "no proof"
    return "better" if improves(difference, difference["better"]) else "worse"


def few(arm: Mapping[str, Any]) -> str:
    """ "none" or "hardly any", where the arm kept so few rows of its own that they test nothing."""
    kept, made = statistics.fmean(arm["kept"]), statistics.fmean(arm["made"])
    return "" if kept >= max(FEW, LITTLE * made) else "hardly any" if kept else "none"


def worded(difference: Mapping[str, Any], better: str) -> str:
    """Without a sign, which a score of which less is better would make a riddle: 0.053 worse [0.041, 0.065]."""
    sign = -1 if difference["mean"] < 0 else 1
    low, high = sorted((sign * difference["low"], sign * difference["high"]))
    word = "better" if improves(difference, better) else "worse"
    return f"{abs(difference['mean']):.3f} {word} [{low:.3f}, {high:.3f}]"
