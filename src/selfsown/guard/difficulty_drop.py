"""Roll back when kept problems are easier than generated ones: a strict judge rejects the hardest problems first.

Llama 3 saw this when a judge filtered its code: scores fell until hard answers were revised instead of dropped.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from selfsown.option_types import NotNegative, Share
from selfsown.records import Row, Verdict


def guard(
    made: Sequence[Row],
    kept: Sequence[Row],
    *,
    metadata_key: str = "",
    tolerance: Share = 0.5,
    std_errors: NotNegative = 2.0,
) -> Verdict:
    """Reject if the share of the hardest problems fell by more than both options between generated and kept problems.

    metadata_key: metadata field with the difficulty as a number; without it, the row's level. The hardest problems are
    those with the highest one. Problems are counted, not rows: one is kept if any of its rows is.
    tolerance: accepted fall, as a share of the share among generated problems.
    std_errors: falls below this many standard errors of a random selection as large are attributed to chance.
    """
    difficulties = _difficulties((row for row in made if row.status != "failed"), metadata_key)
    kept_problems = _difficulties(kept, metadata_key)
    counts = Counter(difficulties.values())
    passed = Counter(difficulty for problem, difficulty in difficulties.items() if problem in kept_problems)
    if len(counts) < 2 or not passed:
        reason = "not measured: all problems have the same difficulty, or none was kept"
        return Verdict(True, reason, "difficulty_drop")
    hardest, n, k = max(counts), counts.total(), passed.total()
    before, after = counts[hardest] / n, passed[hardest] / k
    chance = math.sqrt(before * (1 - before) / k * (n - k) / (n - 1))
    metrics = {"before": before, "after": after} | {f"passed[{bin:g}]": passed[bin] / counts[bin] for bin in counts}
    rates = ", ".join(f"{passed[bin]} of {counts[bin]} at {bin:g}" for bin in sorted(counts))
    reason = f"the hardest problems are {before:.3f} of those generated and {after:.3f} of those kept ({rates})"
    accepted = before - after <= max(tolerance * before, std_errors * chance)
    return Verdict(accepted, reason, "difficulty_drop", metrics)


def _difficulties(rows: Iterable[Row], metadata_key: str) -> dict[str, float]:
    """The difficulty of each problem that has one."""
    difficulties = {}
    for row in rows:
        difficulty = row.metadata.get(metadata_key, "") if metadata_key else row.level
        try:
            difficulties[row.prompt or row.answer] = float(difficulty)
        except ValueError:
            continue
    return {problem: difficulty for problem, difficulty in difficulties.items() if difficulty or metadata_key}
