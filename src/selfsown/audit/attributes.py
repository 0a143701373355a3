"""Attributes of rows: their values, numbers by tenths of the real ones, and what of them has shifted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from selfsown.audit.text_view import Borne
from selfsown.records import Row, SelfsownError
from selfsown.signals.attributes import NONE, Attributes, valued
from selfsown.signals.measures import log_odds_change, most_common, shift
from selfsown.signals.permutation_test import MeasureSpec

KINDS = 30  # different numbers, above which they are no names of kinds
Shares = dict[str, tuple[float, float]]  # of each value: of synthetic rows, of real ones


@dataclass(frozen=True)
class Shown:
    """An attribute's values: of the anchor, and of the reference, then of as many synthetic rows."""

    anchor: list[str]
    rows: list[str]

    @property
    def shares(self) -> Shares:
        return shares(self.rows)


def shown(anchor: Sequence[Row], rows: Sequence[Row], attributes: Attributes) -> dict[str, Shown]:
    """The values of each attribute; SelfsownError for one that no row shows."""
    found = {name: Shown(valued(anchor, name, attributes), valued(rows, name, attributes)) for name in attributes}
    for name, each in found.items():
        if {*each.anchor, *each.rows} <= {NONE}:
            raise SelfsownError(f"attribute {name}: no row shows it; name a column, or words in a lexicon")
    return found


def shares(values: Sequence[str]) -> Shares:
    """Of reference rows, then of as many synthetic ones."""
    half = len(values) // 2
    real, synthetic = values[:half], values[half:]
    return {
        value: (synthetic.count(value) / max(1, half), real.count(value) / max(1, half))
        for value in sorted({*real, *synthetic})
    }


def shifted(attributes: Mapping[str, Shown], binned: Sequence[str], borne: Borne) -> dict[str, MeasureSpec]:
    """The most common value is the anchor's: among rows that are compared it would be the one that chance favours. Of
    tenths of numbers, which are all as common, there is none."""
    found = dict[str, MeasureSpec]()
    for name, each in attributes.items():
        found[f"shift of {name}"] = MeasureSpec(shift(each.rows), "bias", borne.shift, "points")
        if (most := most_common(each.anchor)) != NONE and not set(name.split("+")) & set(binned):
            found[f"log-odds of {name}={most}"] = MeasureSpec(
                log_odds_change(each.rows, most), "bias", borne.odds, "of log-odds"
            )
    return found


def tenths(real: Sequence[Row], synthetic: Sequence[Row]) -> tuple[list[Row], list[Row], tuple[str, ...]]:
    """The rows with columns of numbers, if these are of many kinds, as tenths of the real ones; and which they are."""
    names = {name for row in (*real, *synthetic) for name in row.metadata}
    edges = {name: found for name in sorted(names) if (found := _edges(name, real, synthetic))}
    if not edges:
        return list(real), list(synthetic), ()
    return [_binned(row, edges) for row in real], [_binned(row, edges) for row in synthetic], tuple(edges)


def _edges(name: str, real: Sequence[Row], synthetic: Sequence[Row]) -> list[float]:
    ours, theirs = ([row.metadata[name] for row in side if name in row.metadata] for side in (synthetic, real))
    if len({*ours, *theirs}) <= KINDS or not theirs or not all(_finite(value) for value in {*ours, *theirs}):
        return []
    found = np.quantile([float(value) for value in theirs], np.arange(0.1, 1.0, 0.1), method="nearest")
    return sorted(set(found.tolist()))


def _binned(row: Row, edges: Mapping[str, Sequence[float]]) -> Row:
    return replace(
        row,
        metadata={name: _tenth(value, edges[name]) if name in edges else value for name, value in row.metadata.items()},
    )


def _tenth(value: str, edges: Sequence[float]) -> str:
    """Between which edges a number lies; the upper one is within."""
    at = int(np.searchsorted(edges, float(value)))
    if at == 0:
        return f"up to {edges[0]:.6g}"
    return f"above {edges[-1]:.6g}" if at == len(edges) else f"{edges[at - 1]:.6g} to {edges[at]:.6g}"


def _finite(value: str) -> bool:
    try:
        return math.isfinite(float(value))
    except ValueError:
        return False
