"""Attributes of rows: their values (numbers by deciles), the shares of these, and the bias measures on them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from selfsown.audit.text_view import Rates, Tolerances
from selfsown.errors import DataError
from selfsown.records import Row
from selfsown.signals.attributes import NONE, Attributes, valued
from selfsown.signals.measures import log_odds_change, most_common, shift
from selfsown.signals.permutation_test import MeasureSpec

MAX_CATEGORIES = 30  # distinct numbers of an attribute; with more, it is binned
Shares = dict[str, Rates]  # value -> its share of the synthetic rows, and of the real rows


@dataclass(frozen=True)
class AttributeValues:
    """An attribute's values: of the reference corpus, and of the compared rows (real ones, then as many synthetic)."""

    reference: list[str]
    rows: list[str]

    @property
    def shares(self) -> Shares:
        return value_shares(self.rows)


def attribute_values(
    reference: Sequence[Row], rows: Sequence[Row], attributes: Attributes
) -> dict[str, AttributeValues]:
    """The values of each attribute. DataError: no row has a value of one."""
    values = {
        name: AttributeValues(valued(reference, name, attributes), valued(rows, name, attributes))
        for name in attributes
    }
    for name, of in values.items():
        if {*of.reference, *of.rows} <= {NONE}:
            raise DataError(f"attribute {name}: no row has a value; name a column, or words in a lexicon")
    return values


def value_shares(values: Sequence[str]) -> Shares:
    """The share of each value; the first half of the values are the real rows."""
    n = len(values) // 2
    real, synthetic = values[:n], values[n:]
    return {
        value: (synthetic.count(value) / max(1, n), real.count(value) / max(1, n))
        for value in sorted({*real, *synthetic})
    }


def attribute_measures(
    values: Mapping[str, AttributeValues], binned: Sequence[str], tolerances: Tolerances
) -> dict[str, MeasureSpec]:
    """Shift of each attribute's shares, and growth of the log-odds of its most common value.

    The most common value is taken from the reference corpus: among the compared rows it would be the one that chance
    favors. Deciles of numbers are all equally common, so binned attributes have no log-odds.
    """
    measures = dict[str, MeasureSpec]()
    for name, of in values.items():
        measures[f"shift of {name}"] = MeasureSpec(shift(of.rows), "bias", tolerances.shift, "points")
        majority = most_common(of.reference)
        if majority != NONE and not set(name.split("+")) & set(binned):
            growth = log_odds_change(of.rows, majority)
            measures[f"log-odds of {name}={majority}"] = MeasureSpec(growth, "bias", tolerances.log_odds, "of log-odds")
    return measures


def bin_numbers(real: Sequence[Row], synthetic: Sequence[Row]) -> tuple[list[Row], list[Row], tuple[str, ...]]:
    """The rows with each attribute of many distinct numbers replaced by deciles of the real rows, and the names of
    these attributes."""
    names = {name for row in (*real, *synthetic) for name in row.metadata}
    edges = {name: deciles for name in sorted(names) if (deciles := _deciles(name, real, synthetic))}
    if not edges:
        return list(real), list(synthetic), ()
    return [_binned(row, edges) for row in real], [_binned(row, edges) for row in synthetic], tuple(edges)


def _deciles(name: str, real: Sequence[Row], synthetic: Sequence[Row]) -> list[float]:
    """The edges of the bins; none where the attribute is not to be binned."""
    ours, theirs = ([row.metadata[name] for row in side if name in row.metadata] for side in (synthetic, real))
    distinct = {*ours, *theirs}
    if len(distinct) <= MAX_CATEGORIES or not theirs or not all(_is_finite(value) for value in distinct):
        return []
    edges = np.quantile([float(value) for value in theirs], np.arange(0.1, 1.0, 0.1), method="nearest")
    return sorted(set(edges.tolist()))


def _binned(row: Row, edges: Mapping[str, Sequence[float]]) -> Row:
    binned = {name: _bin_label(value, edges[name]) for name, value in row.metadata.items() if name in edges}
    return replace(row, metadata={**row.metadata, **binned})


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
