"""Which of two values of a score is better, where the target is 1."""

from __future__ import annotations

import pytest

from selfsown.compare.findings import signless
from selfsown.compare.paired_test import improves, uplift
from selfsown.compare.results import ScoreSummary
from selfsown.findings import compare_scores
from selfsown.guard import regression
from selfsown.records import Generation, Score


def diversity(value: float, error: float = 0.01) -> Score:
    return Score("diversity", value, 100, value - error, value + error, direction="target 1")


def summary(*values: float) -> ScoreSummary:
    return ScoreSummary(sum(values) / len(values), None, None, list(values), list(values), list(values), None)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (1.77, 1.01, "better"),
        (0.6, 0.95, "better"),
        (0.95, 0.6, "worse"),
        (1.01, 1.77, "worse"),
        (0.9, 1.05, "better"),
        (0.9, 1.1, "unclear"),
        (1.0, 1.005, "unclear"),
    ],
)
def test_the_distance_to_1_is_what_is_compared(before: float, after: float, expected: str) -> None:
    one, other = diversity(before), diversity(after)
    assert compare_scores(one, other) == expected
    if expected != "unclear":
        assert other.exceeds(one) == (expected == "better")
    history = [Generation(at, 0, 1, {}, 1.0, (score,)) for at, score in enumerate((one, other))]
    assert regression.guard(history, "diversity").passed == (expected != "worse")


def test_the_interval_of_a_distance_begins_at_0_where_1_may_be_the_value() -> None:
    found = diversity(0.98, 0.05).comparable()
    assert (found.value, found.low, found.high) == pytest.approx((0.02, 0.0, 0.07))
    assert found.direction == "lower"


def test_a_comparison_over_seeds_calls_noise_worse_than_the_diversity_of_real_rows() -> None:
    real, noise = summary(1.01, 0.99, 1.02), summary(1.6, 1.7, 1.8)
    gap = uplift(real, noise, "target 1")
    assert improves(gap, "target 1")
    assert gap.mean == pytest.approx(0.04 / 3 - 0.7)
    assert "better" in signless(gap, "target 1")
    assert not improves(uplift(noise, real, "target 1"), "target 1")
