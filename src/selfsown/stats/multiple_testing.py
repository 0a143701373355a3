"""Holm's correction: several tests at once, with at most `alpha` probability of any false positive (Holm 1979)."""

from __future__ import annotations

from collections.abc import Sequence

ALPHA = 0.05


def holm_significant(p_values: Sequence[float], alpha: float = ALPHA) -> list[bool]:
    """Which of the tests are significant, in the order of `p_values`."""
    significant = [False] * len(p_values)
    for rank, index in enumerate(_ascending(p_values)):
        if p_values[index] > alpha / (len(p_values) - rank):
            break
        significant[index] = True
    return significant


def holm_adjusted(p_values: Sequence[float]) -> list[float]:
    """The adjusted p-values, in the order of `p_values`: at most alpha where a test is significant."""
    adjusted = [1.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(_ascending(p_values)):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted


def _ascending(p_values: Sequence[float]) -> list[int]:
    return sorted(range(len(p_values)), key=lambda index: p_values[index])
