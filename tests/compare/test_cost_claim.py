"""A cost claim is confirmed or refuted by an interval, and only at equal scores."""

from __future__ import annotations

import math

import pytest

from selfsown.compare.cost_claim import PALMYRA_RATIO, evaluate_claim
from selfsown.stats.intervals import student


@pytest.mark.parametrize(
    ("ratios", "verdict"),
    [
        ([9.0, 9.5, 10.0], "≥ 6.6×"),
        ([2.0, 2.1, 2.2], "< 6.6×"),
        ([5.0, 7.0, 9.0], "unknown"),
        ([0.5, 0.6], "< 6.6×"),
        ([50.0], "unknown"),
    ],
)
def test_a_verdict_takes_the_whole_interval_on_one_side(ratios: list[float], verdict: str) -> None:
    found = evaluate_claim(PALMYRA_RATIO, ratios, None)
    assert found.verdict == verdict
    assert found.summary.startswith(f"{verdict}: ")
    assert found.mean == pytest.approx(math.prod(ratios) ** (1 / len(ratios)))
    if len(ratios) > 1:
        low, high = student([math.log(ratio) for ratio in ratios])
        assert (found.low, found.high) == (pytest.approx(math.exp(low)), pytest.approx(math.exp(high)))
    else:
        assert "one seed" in found.summary


@pytest.mark.parametrize(
    ("ratios", "gap", "verdict", "words"),
    [
        ([9.0, None], (0.1, 0.2), "no ratio", "the scores differ by [+0.100, +0.200]"),
        ([None, None], (-0.2, -0.1), "no ratio", "the scores differ by [-0.200, -0.100]"),
        ([9.0, None], (-0.1, 0.2), "unknown", "in 1 of 2 seeds"),
        ([None], None, "unknown", "in 1 of 1 seeds"),
    ],
)
def test_where_scores_are_not_equal_there_is_no_ratio(
    ratios: list[float | None], gap: tuple[float, float] | None, verdict: str, words: str
) -> None:
    found = evaluate_claim(PALMYRA_RATIO, ratios, gap)
    assert (found.verdict, found.mean, found.low) == (verdict, None, None)
    assert words in found.summary


def test_an_unknown_cost_gives_an_unknown_verdict() -> None:
    assert evaluate_claim(2.0, [3.0, 3.1], None, priced=False).verdict == "unknown"
