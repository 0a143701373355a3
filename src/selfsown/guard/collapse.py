"""Roll back when the model's own writing grows less varied than it was before any synthetic row.

The alarm is on drift from generation 0, never on the distance to real rows: an imperfect but stable
model has that distance for ever.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from selfsown.option_types import NotNegative, Share
from selfsown.records import Generation, Verdict
from selfsown.stats.intervals import error


def guard(history: Sequence[Generation], *, tolerance: Share = 0.1, std_errors: NotNegative = 2.0) -> Verdict:
    """A diversity score fires when it is below generation 0's by more than the share `tolerance` of it,
    and by more than `errors` standard errors."""
    numbers, fired = {}, []
    for first in history[0].scores:
        if first.name != "diversity" or first.value <= 0:
            continue
        now = history[-1].score(first.key)
        if (
            now is None
        ):  # nothing could be measured of what the model writes, which is as little variety as there can be
            fired.append(f"{first.key} was {first.value:.2f} and can no longer be measured")
            continue
        fall = first.value - now.value
        chance = math.hypot(error(first.low, first.high), error(now.low, now.high))
        numbers[first.key] = now.value / first.value
        if fall > tolerance * first.value and fall > std_errors * chance:
            fired.append(f"{first.key} fell from {first.value:.2f} to {now.value:.2f}")
    healthy = "as varied as generation 0" if numbers else "not measured: generation 0 has no diversity"
    return Verdict(not fired, "; ".join(fired) or healthy, "collapse", numbers)
