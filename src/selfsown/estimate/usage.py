"""What requests use: counts, tokens, dollars and seconds, and ranges of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

StepRole = tuple[str, str]  # a step and the role of the model that it asks: ("grade.judge", "judge")


class Usage(NamedTuple):
    """Totals of several requests; NaN where a number is unknown."""

    requests: float = 0.0
    input_tokens: float = 0.0
    output_tokens: float = 0.0
    usd: float = 0.0
    seconds: float = 0.0  # of all requests one after the other

    def plus(self, other: Usage) -> Usage:
        return Usage(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


class Range(NamedTuple):
    """An estimate with the bounds of its 90 % interval; None if they are unknown."""

    value: float
    low: float | None = None
    high: float | None = None

    def plus(self, other: Range) -> Range:
        """The range of the sum, if both are large or small together."""
        return combine(lambda mine, theirs: mine + theirs, self, other)


def combine(function: Callable[..., float], *ranges: Range) -> Range:
    """The function of the values, of the lower bounds and of the upper bounds; unknown where one of them is."""

    def bound(numbers: list[float | None]) -> float | None:
        return None if None in numbers else function(*numbers)

    value = function(*(item.value for item in ranges))
    return Range(value, bound([item.low for item in ranges]), bound([item.high for item in ranges]))


class UsageRange(NamedTuple):
    """The ranges of what requests use; None where a number is unknown. seconds: of the clock."""

    requests: Range
    input_tokens: Range
    output_tokens: Range
    usd: Range | None
    seconds: Range | None
