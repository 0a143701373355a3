"""Roll back when a model loses what it could do before this run: a score has fallen beyond its error since then.

A student that came untrained is compared with generation 0. Where it is known which questions were answered rightly
(`retention`), the error is that of a paired comparison (McNemar 1947), smaller than that of two separate shares.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from selfsown.errors import RecipeError, suggest
from selfsown.option_types import NotNegative, Share
from selfsown.records import Generation, Score, Verdict
from selfsown.scores import less_is_better
from selfsown.stats.intervals import error


def guard(
    history: Sequence[Generation],
    *,
    scores: tuple[str, ...] = ("retention",),
    std_errors: NotNegative = 2.0,
    tolerance: Share = 0.0,
) -> Verdict:
    """Reject if any score is worse than before the run by more than both options.

    scores: keys of scores, such as retention or "lm_eval[hellaswag, acc]". std_errors: a fall of so many standard
    errors of the difference is attributed to chance. tolerance: accepted fall, as a share of the score before.

    Raises RecipeError where nothing measures such a score.
    """
    first, now = history[0], history[-1]
    before = {score.key: score for score in (first.pretrained_scores or first.scores)}
    metrics: dict[str, float] = {}
    fallen = []
    for key in scores:
        after = now.score(key)
        if not after or key not in before:
            raise RecipeError(f"guard.forgetting: nothing measures {key!r}{suggest(key, before)}")
        fall = _fall(before[key], after)
        standard_error = _standard_error(before[key], after)
        metrics |= {f"{key} fall": fall, f"{key} standard_error": standard_error}
        if fall > max(std_errors * standard_error, tolerance * abs(before[key].value)):
            fallen.append(f"{key} from {before[key].value:.3f} to {after.value:.3f}")
    if fallen:
        return Verdict(False, f"worse than before the run beyond chance: {', '.join(fallen)}", "forgetting", metrics)
    kept = ", ".join(f"{key} {before[key].value:.3f} to {_value(now, key):.3f}" for key in scores)
    return Verdict(True, kept, "forgetting", metrics)


def _standard_error(before: Score, after: Score) -> float:
    """Of the difference between two scores."""
    if before.outcomes and len(before.outcomes) == len(after.outcomes):
        pairs = zip(before.outcomes, after.outcomes, strict=True)
        return statistics.pstdev(int(one) - int(other) for one, other in pairs) / math.sqrt(len(before.outcomes))
    return math.hypot(*(error(score.low, score.high) for score in (before, after)))


def _value(generation: Generation, key: str) -> float:
    score = generation.score(key)
    return score.value if score else math.nan


def _fall(before: Score, after: Score) -> float:
    """How much worse the later score is, in the score's direction."""
    change = before.comparable().value - after.comparable().value
    return -change if less_is_better(before.direction) else change
