"""Whether synthetic rows change a score: differences paired by seed, tests, and verdicts.

The test is Student's paired t over the seeds; over several strata with Holm's correction (Holm 1979).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

from selfsown.compare.results import (
    ArmResult,
    Direction,
    Estimate,
    PairedDifference,
    ProofVerdict,
    ScoreSummary,
    Uplift,
)
from selfsown.scores import distance, less_is_better
from selfsown.stats.intervals import student
from selfsown.stats.multiple_testing import holm_adjusted
from selfsown.stats.student_t import detectable_errors, upper_tail

ALPHA = 0.05
MIN_SEEDS = 3
MAX_SEEDS = 1000  # that are suggested
MIN_KEPT_ROWS = 100  # fewer, or
MIN_KEPT_SHARE = 0.01  # less of the generated rows, test nothing
ROUNDING = 1e-12


def paired_difference(ours: Sequence[float], theirs: Sequence[float]) -> PairedDifference:
    """Ours minus theirs, seed by seed: mean, 95 % interval, standard deviation and two-sided p-value."""
    values = [one - other for one, other in zip(ours, theirs, strict=True)]
    mean = statistics.fmean(values)
    std = statistics.stdev(values)
    low, high = student(values)
    std = std if std > ROUNDING else 0.0
    error = std / math.sqrt(len(values))
    p_value = 2 * upper_tail(abs(mean) / error, len(values) - 1) if error else 1.0  # zero variance: no test possible
    return PairedDifference(mean, low, high, std, min(1.0, p_value))


def uplift(ours: ScoreSummary, theirs: ScoreSummary, direction: Direction) -> Uplift:
    """Last generation against last generation, and against the best generation of theirs; without a verdict.

    Of a score whose target is 1, the distances to 1 are compared.
    """
    ours_last, theirs_last, theirs_best = (
        [distance(value, direction) for value in values] for values in (ours.last, theirs.last, theirs.best)
    )
    gap = paired_difference(ours_last, theirs_last)
    best = paired_difference(ours_last, theirs_best)
    return Uplift(gap.mean, gap.low, gap.high, gap.std, gap.p_value, direction, best)


def improves(gap: Estimate, direction: str) -> bool:
    return gap.mean < 0 if less_is_better(direction) else gap.mean > 0


def with_verdicts(family: Mapping[str, Uplift]) -> dict[str, Uplift]:
    """Each with its verdict and corrected p-value, by Holm's correction over the family."""
    corrected = holm_adjusted([_verdict_p_value(gap) for gap in family.values()])
    return {
        key: replace(gap, corrected_p_value=p_value, verdict=verdict(gap, gap.direction, p_value))
        for (key, gap), p_value in zip(family.items(), corrected, strict=True)
    }


def _verdict_p_value(gap: Uplift) -> float:
    """A gain must hold against the best generation, too: rows that only slow down overfitting do not help."""
    if not improves(gap, gap.direction):
        return gap.p_value
    if not improves(gap.against_best, gap.direction):
        return 1.0
    return max(gap.p_value, gap.against_best.p_value)


def verdict(gap: Estimate, direction: str, p_value: float) -> ProofVerdict:
    if p_value > ALPHA:
        return "inconclusive"
    return "better" if improves(gap, direction) else "worse"


def is_overfitting(gap: Uplift) -> bool:
    """Whether the synthetic rows gain only against the last generation of real rows alone, not against its best."""
    return gap.verdict == "inconclusive" and gap.p_value <= ALPHA


def kept_share(arm: ArmResult) -> Literal["", "none", "almost none"]:
    """Whether the arm kept so few synthetic rows that they test nothing."""
    kept = statistics.fmean(arm.kept)
    made = statistics.fmean(arm.made)
    if kept >= max(MIN_KEPT_ROWS, MIN_KEPT_SHARE * made):
        return ""
    return "almost none" if kept else "none"


def seeds_needed(gap: PairedDifference, seeds: int) -> tuple[float, int | None]:
    """The minimum detectable effect with these seeds, and how many seeds would detect the observed difference.

    Both at 80 % power. The second is None where the difference is zero, or where it takes more than MAX_SEEDS.
    """
    effect = _detectable(seeds, gap.std)
    if abs(gap.mean) < ROUNDING:
        return effect, None
    enough = (n for n in range(MIN_SEEDS, MAX_SEEDS + 1) if _detectable(n, gap.std) <= abs(gap.mean))
    return effect, next(enough, None)


def _detectable(seeds: int, std: float) -> float:
    """The minimum detectable effect at 80 % power."""
    return detectable_errors(1 - ALPHA / 2, seeds - 1) * std / math.sqrt(seeds)
