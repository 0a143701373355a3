"""Roll back when the rows that were kept shift a declared attribute away from the real rows."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from selfsown.option_types import NotNegative, Share
from selfsown.records import Row, SelfsownError, Verdict


def guard(
    kept: Sequence[Row],
    real: Sequence[Row],
    *,
    attributes: tuple[str, ...],
    tolerance: Share = 0.1,
    std_errors: NotNegative = 2.0,
) -> Verdict:
    """The shift of an attribute is the total variation between its shares: the probability mass that moved.

    It fires above `tolerance` where it also exceeds what samples of these sizes show by chance.
    """
    if not attributes:
        raise SelfsownError("guard.bias watches nothing without attributes: write bias: {attributes: [NAME]}")
    numbers, fired, silent = {}, [], []
    for attribute in attributes:
        n, ours = _shares([row for row in kept if row.method != "restate"], attribute)
        m, theirs = _shares(real, attribute)
        if not theirs:
            there = ", ".join(sorted({name for row in real for name in row.metadata})) or "none"
            raise SelfsownError(f"guard.bias: no real row has the attribute {attribute!r}; there is: {there}")
        if not ours:
            silent.append(attribute)
            continue
        shift = sum(abs(ours[value] - theirs[value]) for value in ours | theirs) / 2
        chance = sum(math.sqrt(p * (1 - p) * (1 / n + 1 / m)) for p in theirs.values()) / 2
        numbers[attribute] = shift
        if shift > max(tolerance, std_errors * chance):
            fired.append(f"{attribute} shifted by {100 * shift:.1f} points from the real rows")
    unmeasured = [f"not measured, no kept row has it: {', '.join(silent)}"] if silent else []
    healthy = [f"no shift of {', '.join(numbers)}"] if numbers else []
    return Verdict(not fired, "; ".join([*(fired or healthy), *unmeasured]), "bias", numbers)


def _shares(rows: Sequence[Row], attribute: str) -> tuple[int, Counter[str]]:
    """How many rows carry the attribute, and the share of each value."""
    counts = Counter(row.metadata[attribute] for row in rows if attribute in row.metadata)
    total = sum(counts.values())
    return total, Counter({value: n / total for value, n in counts.items()})
