"""Roll back when an attribute is distributed differently among the kept rows than among the real rows."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

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
    """Reject if an attribute's shift exceeds both `tolerance` and `std_errors` standard errors of it.

    The shift is the total variation distance between the shares of its values in kept and in real rows.

    attributes: names of metadata fields. SelfsownError if none is named, or no real row has one.
    tolerance: largest shift that is accepted, as a share.
    std_errors: shifts below this many standard errors are attributed to chance.
    """
    if not attributes:
        raise SelfsownError("guard.bias: attributes is empty; name at least one: bias: {attributes: [NAME]}")
    shifts: dict[str, float] = {}
    exceeded: list[str] = []
    unmeasured: list[str] = []
    for attribute in attributes:
        kept_count, kept_shares = _shares((row for row in kept if row.method != "restate"), attribute)
        real_count, real_shares = _shares(real, attribute)
        if not real_shares:
            available = ", ".join(sorted({name for row in real for name in row.metadata})) or "none"
            raise SelfsownError(f"guard.bias: no real row has the attribute {attribute!r}; available: {available}")
        if not kept_shares:
            unmeasured.append(attribute)
            continue
        shift = sum(abs(kept_shares[value] - real_shares[value]) for value in kept_shares | real_shares) / 2
        variances = (p * (1 - p) * (1 / kept_count + 1 / real_count) for p in real_shares.values())
        shifts[attribute] = shift
        if shift > max(tolerance, std_errors * sum(map(math.sqrt, variances)) / 2):
            exceeded.append(attribute)
    return Verdict(not exceeded, _reason(shifts, exceeded, unmeasured), "bias", shifts)


def _reason(shifts: Mapping[str, float], exceeded: Sequence[str], unmeasured: Sequence[str]) -> str:
    parts = [f"{name} shifted by {100 * shifts[name]:.1f} points from the real rows" for name in exceeded]
    if shifts and not exceeded:
        parts.append(f"no shift of {', '.join(shifts)}")
    if unmeasured:
        parts.append(f"not measured: no kept row has {', '.join(unmeasured)}")
    return "; ".join(parts)


def _shares(rows: Iterable[Row], attribute: str) -> tuple[int, Counter[str]]:
    """How many rows have the attribute, and the share of each value."""
    counts = Counter(row.metadata[attribute] for row in rows if attribute in row.metadata)
    total = sum(counts.values())
    return total, Counter({value: n / total for value, n in counts.items()})
