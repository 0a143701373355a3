"""Say no when what passed is easier than what was made: a strict judge throws away the hard problems first.

Llama 3 met it when a judge filtered its code: scores fell until hard answers were revised instead of dropped.
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
    """The hardest bin is the highest level that was made, or the greatest number that `trait` holds. Prompts are
    counted: several answers to one are no more than one, and it passed if any of its rows is kept.

    It fires where the hardest bin's share among problems that passed has lost more than `tolerance` of its share among
    those made, and more than `errors` standard errors of what as many drawn by chance would show.
    """
    there = _prompts((row for row in made if row.status != "failed"), metadata_key)
    left = _prompts(kept, metadata_key)
    bins, passed = Counter(there.values()), Counter(each for prompt, each in there.items() if prompt in left)
    if len(bins) < 2 or not passed:
        return Verdict(True, "not measured: what was made is all as hard, or nothing was kept", "difficulty_drop")
    hardest, n, k = max(bins), bins.total(), passed.total()
    before, after = bins[hardest] / n, passed[hardest] / k
    chance = math.sqrt(before * (1 - before) / k * (n - k) / (n - 1))
    numbers = {"before": before, "after": after} | {f"passed[{each:g}]": passed[each] / bins[each] for each in bins}
    rates = ", ".join(f"{passed[each]} of {bins[each]} at {each:g}" for each in sorted(bins))
    said = f"the hardest problems, {before:.3f} of those made, are {after:.3f} of those that passed ({rates})"
    return Verdict(before - after <= max(tolerance * before, std_errors * chance), said, "difficulty_drop", numbers)


def _prompts(rows: Iterable[Row], trait: str) -> dict[str, float]:
    """How hard each problem is; those of which nobody says it are left out."""
    found = {}
    for row in rows:
        said = row.metadata.get(trait, "") if trait else row.level
        try:
            found[row.prompt or row.answer] = float(said)
        except ValueError:
            continue
    return {problem: hard for problem, hard in found.items() if hard or trait}
