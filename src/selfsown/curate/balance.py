"""Enforce quotas on declared attributes, such as their shares among real rows: rows beyond a quota are rejected."""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Literal

from selfsown.option_types import Share
from selfsown.ranking import Ranking
from selfsown.records import Row, SelfsownError

REREADS = True


def curate(
    rows: Collection[Row],
    real: Sequence[Row],
    seed: int,
    *,
    attributes: tuple[str, ...],
    target: Literal["real", "even"] | dict[str, Share] = "real",
    tolerance: Share = 0.05,
) -> Iterator[Row]:
    """Keep as many rows as possible while no value exceeds its target share plus `tolerance`: the best-graded of each
    value, ties broken at random.

    attributes: names of metadata fields; several are combined into one value, such as `north+formal`.
    target: `real` (shares among the real rows), `even`, or a share per value, `{north: 0.5, south: 0.5}`. Values that
    no row here has are left out of the sum.
    tolerance: how far a value may exceed its target share.

    Rows without the attributes are kept. Put this after `min_score` and `dedup`. SelfsownError if no attribute is
    named, no real row has them, or the target leaves every row out.
    """
    if not attributes:
        raise SelfsownError("curate.balance: attributes is empty; name at least one, such as region")
    groups: dict[str, array[int]] = defaultdict(lambda: array("Q"))
    ranking = Ranking(seed)
    for place, row in enumerate(rows):
        ranking.add(row, row.score)
        if value := _value(row, attributes):
            groups[value].append(place)
    targets = _shares(set(groups), real, attributes, target) if groups else {}
    quota = _quotas({value: len(group) for value, group in groups.items()}, targets, tolerance)
    over = {place for value, group in groups.items() for place in ranking.best_first(group)[quota[value] :].tolist()}
    for place, row in enumerate(rows):
        value = _value(row, attributes) if place in over else ""
        reason = (
            f"balance: {value} has reached its quota of {quota.get(value)} (target share {targets.get(value, 0):.2g})"
        )
        yield row.rejected(reason) if value else row


def _value(row: Row, attributes: Sequence[str]) -> str:
    """The row's value of these attributes combined; "" if one is missing."""
    complete = all(name in row.metadata for name in attributes)
    return "+".join(row.metadata[name] for name in attributes) if complete else ""


def _shares(
    values: set[str], real: Sequence[Row], attributes: Sequence[str], target: str | Mapping[str, float]
) -> dict[str, float]:
    """The target share of each value that occurs; they sum to 1."""
    if isinstance(target, Mapping):
        weights = {value: float(target.get(value, 0)) for value in values}
    elif target == "even":
        weights = dict.fromkeys(values, 1.0)
    else:
        counts = Counter(value for row in real if (value := _value(row, attributes)))
        if not counts:
            available = ", ".join(sorted({name for row in real for name in row.metadata})) or "none"
            raise SelfsownError(f"curate.balance: no real row has {' and '.join(attributes)}; available: {available}")
        weights = {value: float(counts[value]) for value in values}
    total = sum(weights.values())
    if not total:
        raise SelfsownError(
            f"curate.balance: target gives no share to any value that the rows have ({', '.join(sorted(values))}); "
            "give shares of these, or set target: even"
        )
    return {value: weight / total for value, weight in weights.items()}


def _quotas(counts: Mapping[str, int], targets: Mapping[str, float], tolerance: float) -> dict[str, int]:
    """How many rows of each value may stay: the largest total that the quotas can fill, by bisection."""
    limits = {value: share + tolerance if share else 0.0 for value, share in targets.items()}
    low, high = 0, sum(counts.values())
    while low < high:  # the larger the total, the larger the part of it that the quotas cannot fill
        total = (low + high + 1) // 2
        filled = sum(min(counts[value], limits[value] * total) for value in counts)
        low, high = (total, high) if filled >= total - 1e-9 else (low, total - 1)
    return {value: min(counts[value], round(limits[value] * low)) for value in counts}
