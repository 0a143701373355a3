"""Whether a change is more than chance: permutation of whole documents, Holm's correction, and what could be seen."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from selfsown.records import Family, Signal, Unit
from selfsown.signals.measures import NORMAL, Measure
from selfsown.signals.reference import Array

ALPHA = 0.05
POWER = 0.841621  # normal quantile: beyond what is significant, to be seen with a chance of 80 %


@dataclass(frozen=True)
class Wanted:
    """A measure to be taken; the rest as in Signal."""

    measure: Measure
    family: Family
    tolerance: float
    unit: Unit = "%"


def drift(
    wanted: Mapping[str, Wanted], before: int, now: int, seed: int = 0, draws: int = 0, beside: int = 0
) -> list[Signal]:
    """What changed from the first `before` documents of a pool to the `now` that come after them. beside: how many
    other signals will be looked at together with these, and so count in Holm's correction.

    Each p is the share of random divisions of all the documents that show as large a change (Fisher's permutation test;
    the observed one counts, so it is never 0).
    """
    rng = np.random.default_rng(seed)
    tests = len(wanted) + beside
    draws = draws or max(199, math.ceil(tests / ALPHA) - 1)  # the least p, 1 in all divisions, is to pass Holm's first
    places = np.arange(before + now)
    chance: dict[str, list[float]] = {name: [] for name in wanted}
    for _ in range(draws):
        drawn = rng.permutation(places)
        for name, each in wanted.items():
            chance[name].append(each.measure(drawn[:before], drawn[before:]))
    alpha, n = ALPHA / tests, min(before, now)
    found = [
        _signal(name, each, each.measure(places[:before], places[before:]), np.asarray(chance[name]), n, alpha)
        for name, each in wanted.items()
    ]
    return holm(found)


def _signal(name: str, wanted: Wanted, value: float, chance: Array, n: int, alpha: float) -> Signal:
    """alpha: what p must not exceed where no other signal is significant."""
    p = (1 + int((chance >= value).sum())) / (1 + len(chance))
    exceeded = math.floor(alpha * (1 + len(chance)) + 1e-9)  # the so many-th largest, to be significant
    limit = float(np.sort(chance)[-exceeded]) if exceeded else math.inf
    middle, spread = float(np.median(chance)), float(chance.std())
    if float(chance.min()) < 0:
        low, high = (float(each) for each in np.quantile(chance, (0.025, 0.975)))
        ends, least = (value + middle - high, value + middle - low), limit + POWER * spread
    else:  # a distance: chance alone makes it larger than 0, and spreads it as a normal's absolute value
        spread /= math.sqrt(1 - 2 / math.pi)
        value, least = (math.sqrt(max(0.0, each**2 - middle**2)) for each in (value, limit + POWER * spread))
        ends = max(0.0, value - NORMAL * spread), value + NORMAL * spread
    return Signal(name, wanted.family, value, *ends, p, wanted.tolerance, least, n, wanted.unit)


def holm(signals: Sequence[Signal], alpha: float = ALPHA) -> list[Signal]:
    """Which are significant when all are looked at: by chance, one or more in `alpha` of the cases (Holm 1979)."""
    significant = set[int]()
    for rank, at in enumerate(sorted(range(len(signals)), key=lambda at: signals[at].p)):
        if signals[at].p > alpha / (len(signals) - rank):
            break
        significant.add(at)
    return [replace(each, significant=at in significant) for at, each in enumerate(signals)]
