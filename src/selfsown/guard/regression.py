"""Roll back when the goal score is worse than that of the best generation so far, beyond chance."""

from __future__ import annotations

import math
from collections.abc import Sequence

from selfsown.option_types import NotNegative, Share
from selfsown.records import Generation, Score, Verdict
from selfsown.scores import less_is_better
from selfsown.stats.intervals import error


def guard(
    history: Sequence[Generation], goal: str, *, std_errors: NotNegative = 2.0, tolerance: Share = 0.0
) -> Verdict:
    """Reject if the score fell from the best accepted generation by more than both options.

    std_errors: falls below this many standard errors of the difference are attributed to chance.
    tolerance: accepted fall, as a share of the best score.
    """
    now = history[-1].score(goal)
    before = [score for past in history[:-1] if past.accepted and (score := past.score(goal))]
    if now is None or not before:
        return Verdict(True, "no earlier score to compare with", "regression")
    best = before[0]
    for score in before[1:]:
        best = score if score.exceeds(best) else best
    fall = _fall(best, now)
    standard_error = math.hypot(error(best.low, best.high), error(now.low, now.high))
    metrics = {"fall": fall, "standard_error": standard_error}
    if fall > max(std_errors * standard_error, tolerance * abs(best.value)):
        reason = f"{goal} worsened from {best.value:.3f} to {now.value:.3f}, more than {std_errors:g} standard errors"
        return Verdict(False, reason, "regression", metrics)
    return Verdict(True, f"{goal} {best.value:.3f} to {now.value:.3f}", "regression", metrics)


def _fall(best: Score, now: Score) -> float:
    """How much worse `now` is than `best`, in the score's direction."""
    fall = best.comparable().value - now.comparable().value
    return -fall if less_is_better(best.direction) else fall
