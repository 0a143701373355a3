"""Roll back when the model's unconditional samples become less diverse than before any synthetic row.

Samples are compared with those of generation 0, never with real rows: an imperfect but stable model keeps its distance
to these. The exception is a generation 0 that is more diverse than real rows (above 1), as a model is that has learned
little: then its fall towards 1 is no loss, and only a fall below 1 counts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from selfsown.option_types import NotNegative, Share
from selfsown.records import Generation, Verdict
from selfsown.stats.intervals import error

REAL = 1.0  # the diversity of real rows


def guard(history: Sequence[Generation], *, tolerance: Share = 0.1, std_errors: NotNegative = 2.0) -> Verdict:
    """Reject if a diversity score fell by more than both options, from generation 0's or from 1, the lower.

    tolerance: accepted fall, as a share of what it fell from.
    std_errors: falls below this many standard errors of the difference are attributed to chance.
    """
    ratios: dict[str, float] = {}
    falls: list[str] = []
    for first in history[0].scores:
        if first.name != "diversity" or first.value <= 0:
            continue
        now = history[-1].score(first.key)
        if now is None:  # samples that cannot be measured, such as empty ones, have no diversity at all
            falls.append(f"{first.key} was {first.value:.2f} and can no longer be measured")
            continue
        before = min(first.value, REAL)
        fall = before - now.value
        chance = math.hypot(error(first.low, first.high), error(now.low, now.high))
        ratios[first.key] = now.value / before
        if fall > tolerance * before and fall > std_errors * chance:
            falls.append(f"{first.key} fell from {first.value:.2f} to {now.value:.2f}")
    passed = "as diverse as generation 0" if ratios else "not measured: generation 0 has no diversity score"
    return Verdict(not falls, "; ".join(falls) or passed, "collapse", ratios)
