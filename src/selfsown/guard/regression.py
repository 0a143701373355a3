"""Roll back when the goal falls below the best generation so far by more than chance explains."""

from __future__ import annotations

import math
from collections.abc import Sequence

from selfsown.option_types import NotNegative, Share
from selfsown.records import Generation, Score, Verdict
from selfsown.stats.intervals import error


def guard(
    history: Sequence[Generation], goal: str, *, std_errors: NotNegative = 2.0, tolerance: Share = 0.0
) -> Verdict:
    """A fall must exceed `errors` standard errors of the difference, and the share `tolerance` of the best."""
    now = history[-1].score(goal)
    before = [score for past in history[:-1] if past.accepted and (score := past.score(goal))]
    if now is None or not before:
        return Verdict(True, "nothing to compare with yet", "regression")
    best = before[0]
    for score in before[1:]:
        best = score if score.exceeds(best) else best
    fall, chance = _fall(best, now), math.hypot(error(best.low, best.high), error(now.low, now.high))
    numbers = {"fall": fall, "standard_error": chance}
    if fall > max(std_errors * chance, tolerance * abs(best.value)):
        reason = f"{goal} worsened from {best.value:.3f} to {now.value:.3f}, more than {std_errors:g} standard errors"
        return Verdict(False, reason, "regression", numbers)
    return Verdict(True, f"{goal} {best.value:.3f} to {now.value:.3f}", "regression", numbers)


def _fall(best: Score, now: Score) -> float:
    """How much worse `now` is, whichever way is up."""
    return now.value - best.value if best.direction == "lower" else best.value - now.value
