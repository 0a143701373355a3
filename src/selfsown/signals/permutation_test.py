"""Whether a change exceeds chance: a permutation test on whole documents, and the minimum detectable effect."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from selfsown import progress
from selfsown.records import Family, Signal, Unit
from selfsown.signals.measures import Measure
from selfsown.signals.reference import Array
from selfsown.stats.intervals import Z
from selfsown.stats.multiple_testing import ALPHA, holm_significant
from selfsown.stats.student_t import POWER_Z


@dataclass(frozen=True)
class MeasureSpec:
    """A measure to take; the other fields are those of Signal."""

    measure: Measure
    family: Family
    tolerance: float
    unit: Unit = "%"


@dataclass(frozen=True)
class CountSpec:
    """A measure on how often each value occurs; the other fields are those of Signal.

    before, now: the counts, of shape (values,). measure: takes shares before and now, of shape (draws, values) each,
    and returns the change in each draw.
    """

    before: Array
    now: Array
    measure: Callable[[Array, Array], Array]
    family: Family
    tolerance: float
    unit: Unit = "points"


def count_drift(specs: Mapping[str, CountSpec], seed: int = 0, other_tests: int = 0) -> list[Signal]:
    """As `drift`, of counts: a random division of all documents is drawn from the counts alone, of any number of them.

    The two sides may differ in size; `n` of a signal is their harmonic mean, the size of two equal sides of as much
    power.
    """
    rng = np.random.default_rng(seed)
    tests = len(specs) + other_tests
    signals = []
    for name, spec in specs.items():
        before, now = int(spec.before.sum()), int(spec.now.sum())
        pool = spec.before + spec.now
        drawn = rng.multivariate_hypergeometric(pool, before, size=draws_needed(tests), method="marginals")
        by_chance = spec.measure(drawn / before, (pool - drawn) / now)
        value = float(spec.measure(spec.before[None] / before, spec.now[None] / now)[0])
        n = round(2 * before * now / (before + now))
        signals.append(_signal(name, spec, value, by_chance, n, ALPHA / tests))
    return with_significance(signals)


def draws_needed(tests: int) -> int:
    """How many permutations let the smallest p pass Holm's first threshold, at least 199."""
    return max(199, math.ceil(tests / ALPHA) - 1)


def drift(
    specs: Mapping[str, MeasureSpec], before: int, now: int, seed: int = 0, draws: int = 0, other_tests: int = 0
) -> list[Signal]:
    """The change from the first `before` documents of a pool to the next `now` ones, by each measure.

    specs: the measures by name; each takes two arrays of document indices, of shapes (before,) and (now,).
    draws: random permutations; 0 takes as many as Holm's correction needs, at least 199.
    other_tests: signals that will be tested together with these, which count in Holm's correction.

    Each p-value is the share of random divisions of all documents with a change as large (Fisher's permutation test;
    the observed division counts, so p is never 0).
    """
    rng = np.random.default_rng(seed)
    tests = len(specs) + other_tests
    draws = draws or draws_needed(tests)
    indices = np.arange(before + now)
    by_chance: dict[str, list[float]] = {name: [] for name in specs}
    for _ in progress.track(range(draws), unit="permutations"):
        permuted = rng.permutation(indices)
        for name, spec in specs.items():
            by_chance[name].append(spec.measure(permuted[:before], permuted[before:]))
    signals = []
    for name, spec in specs.items():
        value = spec.measure(indices[:before], indices[before:])
        signals.append(_signal(name, spec, value, np.asarray(by_chance[name]), min(before, now), ALPHA / tests))
    return with_significance(signals)


def _signal(name: str, spec: MeasureSpec | CountSpec, value: float, by_chance: Array, n: int, alpha: float) -> Signal:
    """by_chance: (draws,) values under permutation; alpha: the largest significant p if no other signal is."""
    p = (1 + int((by_chance >= value).sum())) / (1 + len(by_chance))
    rank = math.floor(alpha * (1 + len(by_chance)) + 1e-9)  # a significant value exceeds the rank-th largest
    limit = float(np.sort(by_chance)[-rank]) if rank else math.inf
    middle, spread = float(np.median(by_chance)), float(by_chance.std())
    if float(by_chance.min()) < 0:
        low, high = (float(end) for end in np.quantile(by_chance, (0.025, 0.975)))
        ends = (value + middle - high, value + middle - low)
        mde = limit + POWER_Z * spread
    else:  # a distance: by chance alone it is above 0, and distributed as the absolute value of a normal variable
        spread /= math.sqrt(1 - 2 / math.pi)
        value, mde = (math.sqrt(max(0.0, size**2 - middle**2)) for size in (value, limit + POWER_Z * spread))
        ends = max(0.0, value - Z * spread), value + Z * spread
    return Signal(name, spec.family, value, *ends, p, spec.tolerance, mde, n, spec.unit)


def with_significance(signals: Sequence[Signal], alpha: float = ALPHA) -> list[Signal]:
    """The signals with their significance by Holm's correction over all of them."""
    significant = holm_significant([signal.p for signal in signals], alpha)
    return [replace(signal, significant=flag) for signal, flag in zip(signals, significant, strict=True)]
