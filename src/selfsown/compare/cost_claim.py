"""Tests a claim that plain training costs so many times as much as the loop at equal scores.

The ready recipe palmyra tests a published one: articles report 0.7 million USD against 4.6 million for Palmyra X 004.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from selfsown.compare.results import ClaimResult
from selfsown.stats.intervals import student

PALMYRA_RATIO = 4.6 / 0.7
PALMYRA_NOTE = (
    "Articles report 4.6 / 0.7 million USD = 6.6 for Palmyra X 004: the whole training of two different models, with "
    "one of the two costs inferred. Hardware prices alone explain a factor of 5 to 8; that ratio is not comparable "
    "with the one above."
)
UNKNOWN = "unknown"


def evaluate_claim(
    claimed: float, ratios: Sequence[float | None], gap: tuple[float, float] | None, priced: bool = True
) -> ClaimResult:
    """The verdict on the claim.

    ratios: cost of plain training relative to the loop, one per seed; None where no size that was run matched the
    loop's score. gap: the 95 % interval over the seeds of the difference between the loop's score and that of the
    closest size. priced: whether all costs are known and not zero.
    """
    result = ClaimResult(claimed, list(ratios), UNKNOWN, "")
    known = [ratio for ratio in ratios if ratio is not None]
    if not priced:
        return replace(result, summary=f"{UNKNOWN}: the cost of one side is unknown or zero")
    if len(known) < len(ratios):
        return _unequal_scores(result, len(ratios) - len(known), gap)
    logs = [math.log(ratio) for ratio in known]
    mean = math.exp(sum(logs) / len(logs))
    if len(logs) == 1:
        return replace(result, mean=mean, summary=f"{UNKNOWN}: {mean:.2f} times, from one seed and without an interval")
    low, high = map(math.exp, student(logs))
    verdict = UNKNOWN
    if low >= claimed:
        verdict = f"≥ {claimed:.1f}×"
    elif high < claimed:
        verdict = f"< {claimed:.1f}×"
    summary = f"{verdict}: at equal scores plain training costs {mean:.2f} times as much [{low:.2f}, {high:.2f}]"
    return replace(result, verdict=verdict, summary=summary, mean=mean, low=low, high=high)


def _unequal_scores(result: ClaimResult, missing: int, gap: tuple[float, float] | None) -> ClaimResult:
    """No ratio if the scores differ at the closest size, otherwise unknown. missing: seeds without a ratio."""
    if gap and not gap[0] <= 0 <= gap[1]:
        differ = f"the scores differ by [{gap[0]:+.3f}, {gap[1]:+.3f}] at the closest size"
        return replace(result, verdict="no ratio", summary=f"no ratio: {differ}; try more sizes")
    seeds = f"{missing} of {len(result.ratios)} seeds"
    return replace(result, summary=f"{UNKNOWN}: no size matches the loop's score in {seeds}; try more sizes")
