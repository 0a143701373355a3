"""Where the score of plain training, over the number of real rows, reaches a given level."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from selfsown.compare import findings
from selfsown.compare.results import Beyond, RowRatio
from selfsown.stats.intervals import student


@dataclass(frozen=True)
class Crossover:
    """ratio: real rows of plain training relative to those of the loop. beyond: the curve never reaches the level
    ("above") or starts above it ("below"); the ratio is then the largest or the smallest size that was run."""

    ratio: float
    beyond: Beyond = ""


def find_crossover(multiples: Sequence[float], scores: Sequence[float], level: float) -> Crossover:
    """Where the curve through (log rows, best score so far) first reaches the level; higher is better."""
    best = scores[0]
    if best > level:
        return Crossover(multiples[0], "below")
    if best == level:
        return Crossover(multiples[0])
    for index in range(1, len(multiples)):
        if scores[index] >= level:
            fraction = (level - best) / (scores[index] - best)
            left = math.log(multiples[index - 1])
            right = math.log(multiples[index])
            return Crossover(math.exp(left + fraction * (right - left)))
        best = max(best, scores[index])
    return Crossover(multiples[-1], "above")


def summarize(crossovers: Sequence[Crossover], largest: float) -> RowRatio:
    """Over the seeds: the mean of the log ratios with its interval, if every seed has a crossover.

    largest: the largest size that was run.
    """
    ratios = [None if crossover.beyond == "above" else crossover.ratio for crossover in crossovers]
    beyond = [crossover.beyond for crossover in crossovers]
    if any(beyond):
        smallest = min(crossover.ratio for crossover in crossovers)
        return RowRatio(ratios, beyond, None, None, None, findings.bounded_ratio(beyond, smallest, largest))
    logs = [math.log(crossover.ratio) for crossover in crossovers]
    mean = math.exp(sum(logs) / len(logs))
    low = high = None
    if len(logs) > 1:
        low, high = map(math.exp, student(logs))
    return RowRatio(ratios, beyond, mean, low, high, findings.mean_ratio(mean, low, high))


def interpolate(multiples: Sequence[float], values: Sequence[float], multiple: float) -> float:
    """The value at a multiple, linear in its logarithm; constant beyond the ends."""
    for left in range(len(multiples) - 1):
        low, high = multiples[left], multiples[left + 1]
        if low <= multiple <= high:
            fraction = math.log(multiple / low) / math.log(high / low)
            return values[left] + fraction * (values[left + 1] - values[left])
    return values[0] if multiple < multiples[0] else values[-1]
