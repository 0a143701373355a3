"""Attributes of rows: their values in all rows (numbers by deciles), how often each occurs, and the bias checks."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from selfsown.audit.scan import DatasetScan
from selfsown.audit.text_view import Rates, Tolerances
from selfsown.errors import DataError
from selfsown.signals.attributes import NONE, Attributes
from selfsown.signals.measures import most_common
from selfsown.signals.permutation_test import CountSpec
from selfsown.text.near_duplicates import Array

MAX_CATEGORIES = 30  # distinct numbers of an attribute; with more, it is binned
Shares = dict[str, Rates]  # value -> its share of the synthetic rows, and of the real rows
Counts = dict[str, tuple[int, int]]  # value -> how many synthetic rows and how many real rows have it


def attribute_counts(
    synthetic: DatasetScan, real: DatasetScan, attributes: Attributes
) -> tuple[dict[str, Counts], tuple[str, ...]]:
    """How often each value of each attribute occurs, joint ones too; and the attributes that are binned.

    DataError: no row has a value of one.
    """
    edges = {
        name: deciles
        for name in sorted(real.values)
        if not attributes.get(name) and (deciles := _deciles(synthetic.values[name], real.values[name]))
    }
    sides = [
        {name: _binned(values, edges.get(name, ())) for name, values in scan.values.items()}
        for scan in (synthetic, real)
    ]
    counts = {}
    for name in attributes:
        ours, theirs = (Counter(_joint(values, name)) for values in sides)
        if {*ours, *theirs} <= {NONE}:
            raise DataError(f"attribute {name}: no row has a value; name a column, or words in a lexicon")
        counts[name] = both_counts(ours, theirs)
    return counts, tuple(edges)


def both_counts(synthetic: Mapping[str, int], real: Mapping[str, int]) -> Counts:
    return {value: (synthetic.get(value, 0), real.get(value, 0)) for value in sorted({*synthetic, *real})}


def value_shares(counts: Counts) -> Shares:
    """The share of each value on either side."""
    ours, theirs = (max(1, sum(pair[side] for pair in counts.values())) for side in (0, 1))
    return {value: (pair[0] / ours, pair[1] / theirs) for value, pair in counts.items()}


def attribute_checks(
    counts: Mapping[str, Counts], binned: Sequence[str], tolerances: Tolerances
) -> dict[str, CountSpec]:
    """Shift of each attribute's shares, and growth of the log-odds of the real rows' most common value.

    Deciles of numbers are all equally common, so binned attributes have no log-odds.
    """
    checks = dict[str, CountSpec]()
    for name, of in counts.items():
        checks[f"shift of {name}"] = CountSpec(*_arrays(of), shift_of_shares, "bias", tolerances.shift)
        majority = _majority(of)
        if majority != NONE and not set(name.split("+")) & set(binned):
            growth = _log_odds_growth(list(of).index(majority), of)
            checks[f"log-odds of {name}={majority}"] = CountSpec(
                *_arrays(of), growth, "bias", tolerances.log_odds, "of log-odds"
            )
    return checks


def shift_check(counts: Counts, tolerance: float) -> CountSpec:
    """The shift of the shares of text forms or of lengths."""
    return CountSpec(*_arrays(counts), shift_of_shares, "form", tolerance)


def shift_of_shares(before: Array, now: Array) -> Array:
    """The total variation distance between shares, of shape (draws, values) each."""
    distance: Array = np.abs(now - before).sum(1) / 2
    return distance


def _arrays(counts: Counts) -> tuple[Array, Array]:
    """(real, synthetic) counts as arrays."""
    ours, theirs = np.asarray([*counts.values()], np.int64).T
    return theirs, ours


def _majority(counts: Counts) -> str:
    return most_common([value for value, (_, real) in counts.items() for _ in range(real)])


def _log_odds_growth(index: int, counts: Counts) -> Callable[[Array, Array], Array]:
    """The growth of the log-odds of one value."""
    real, synthetic = (int(side.sum()) for side in _arrays(counts))

    def logit(shares: Array, rows: int) -> Array:
        hits = shares[:, index] * rows
        odds: Array = np.log((hits + 0.5) / (rows - hits + 0.5))
        return odds

    return lambda before, now: logit(now, synthetic) - logit(before, real)


def _joint(values: Mapping[str, Sequence[str]], name: str) -> Sequence[str]:
    """The value of each row; of attributes joined by +, the combination, unless a part is missing."""
    if name in values:
        return values[name]
    parts = zip(*(values[part] for part in name.split("+")), strict=True)
    return ["+".join(part) if NONE not in part else NONE for part in parts]


def _deciles(synthetic: Sequence[str], real: Sequence[str]) -> list[float]:
    """The edges of the bins; none where the attribute is not to be binned."""
    distinct = {*synthetic, *real} - {NONE}
    theirs = [float(value) for value in real if value != NONE] if all(map(_is_finite, distinct)) else []
    if len(distinct) <= MAX_CATEGORIES or not theirs:
        return []
    return sorted(set(np.quantile(theirs, np.arange(0.1, 1.0, 0.1), method="nearest").tolist()))


def _binned(values: Sequence[str], edges: Sequence[float]) -> Sequence[str]:
    if not edges:
        return values
    labels = {value: value if value == NONE else _bin_label(value, edges) for value in set(values)}
    return [labels[value] for value in values]


def _bin_label(value: str, edges: Sequence[float]) -> str:
    """The range in which a number lies; its upper end is included."""
    index = int(np.searchsorted(edges, float(value)))
    if index == 0:
        return f"up to {edges[0]:.6g}"
    if index == len(edges):
        return f"above {edges[-1]:.6g}"
    return f"{edges[index - 1]:.6g} to {edges[index]:.6g}"


def _is_finite(value: str) -> bool:
    try:
        return math.isfinite(float(value))
    except ValueError:
        return False
