"""Evenly spaced samples, and quantiles from which limits are learned."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")


def evenly(items: Sequence[Item], size: int) -> list[Item]:
    """At most so many of the items, in order and evenly spaced; the same ones each time."""
    return list(islice(items, 0, None, max(1, math.ceil(len(items) / size))))


def lower_limit(values: Sequence[float], share: float) -> float:
    """The highest limit below which at most this share of the values lies, rounded up to whole values: -inf without
    values, inf where all of them may lie below."""
    ordered, below = sorted(values), math.ceil(share * len(values))
    return -math.inf if not ordered else ordered[below] if below < len(ordered) else math.inf
