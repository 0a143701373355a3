"""Keep quotas of declared attributes, such as the shares that the real rows have: too many alike are rejected."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from selfsown.option_types import Share
from selfsown.records import Row, SelfsownError


def curate(
    rows: Sequence[Row],
    real: Sequence[Row],
    seed: int,
    *,
    attributes: tuple[str, ...],
    target: Literal["real", "even"] | dict[str, Share] = "real",
    tolerance: Share = 0.05,
) -> Iterator[Row]:
    """As many rows stay as can be had while no value has more than its share and `tolerance`: the best-graded of each,
    chance deciding between equals.

    The shares are those of the `real` rows, `even` ones, or written down, `{north: 0.5, south: 0.5}`; several
    attributes go together, `north+formal`. Values that no row here has are left out of the sum; a row without the
    attributes is not touched. Put it after `passed` and `duplicates`.
    """
    if not attributes:
        raise SelfsownError("curate.balance: attributes is empty; name one at least, such as region")
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if value := _value(row, attributes):
            groups[value].append(row)
    wanted = _shares(set(groups), real, attributes, target) if groups else {}
    quota = _quotas({value: len(group) for value, group in groups.items()}, wanted, tolerance)
    over: dict[str, str] = {}
    for value, group in groups.items():
        best = sorted(group, key=lambda row: (-row.score, hashlib.sha256(f"{seed} {row.id}".encode()).digest()))
        reason = f"balance: {value} has its quota of {quota[value]}, a share of {wanted.get(value, 0):.2g} is wanted"
        over |= {row.id: reason for row in best[quota[value] :]}
    for row in rows:
        yield row.rejected(over[row.id]) if row.id in over else row


def _value(row: Row, attributes: Sequence[str]) -> str:
    """What the row is in these attributes together; "" where one is missing."""
    there = all(name in row.metadata for name in attributes)
    return "+".join(row.metadata[name] for name in attributes) if there else ""


def _shares(
    values: set[str], real: Sequence[Row], attributes: Sequence[str], like: str | Mapping[str, float]
) -> dict[str, float]:
    """The wanted share of each value that is there; together they are 1."""
    if isinstance(like, Mapping):
        weights = {value: float(like.get(value, 0)) for value in values}
    elif like == "even":
        weights = dict.fromkeys(values, 1.0)
    else:
        counts = Counter(value for row in real if (value := _value(row, attributes)))
        if not counts:
            there = ", ".join(sorted({name for row in real for name in row.metadata})) or "none"
            raise SelfsownError(f"curate.balance: no real row has {' and '.join(attributes)}; there is: {there}")
        weights = {value: float(counts[value]) for value in values}
    total = sum(weights.values())
    if not total:
        raise SelfsownError(
            f"curate.balance: none of the rows is wanted: they are {', '.join(sorted(values))}; "
            "say shares of these, or like: even"
        )
    return {value: weight / total for value, weight in weights.items()}


def _quotas(there: Mapping[str, int], wanted: Mapping[str, float], tolerance: float) -> dict[str, int]:
    """How many of each value may stay. The whole is the largest that its own quotas can fill."""
    most = {value: share + tolerance if share else 0.0 for value, share in wanted.items()}
    low, high = 0, sum(there.values())
    while low < high:  # the room left over falls as the whole grows
        whole = (low + high + 1) // 2
        filled = sum(min(there[value], most[value] * whole) for value in there)
        low, high = (whole, high) if filled >= whole - 1e-9 else (low, whole - 1)
    return {value: min(there[value], round(most[value] * low)) for value in there}
