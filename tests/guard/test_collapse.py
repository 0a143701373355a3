"""A generation that writes less varied than generation 0 did is rolled back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from selfsown.guard import collapse
from selfsown.records import Generation, Score, Verdict
from selfsown.stats.intervals import Z


def history(*values: float, error: float = 0.01, group: str = "", name: str = "diversity") -> list[Generation]:
    return [
        Generation(at, 0, 1, {}, 1.0, (Score(name, value, 100, value - Z * error, value + Z * error, group),))
        for at, value in enumerate(values)
    ]


@pytest.mark.parametrize("values", [(0.8, 0.8), (0.8, 0.9), (0.8, 0.73), (0.8, 0.2, 0.8), (0.8,)])
def test_what_is_no_fall_from_generation_0_stands(values: tuple[float, ...]) -> None:
    verdict = collapse.guard(history(*values))
    assert verdict.passed
    assert verdict.guard == "collapse"


@pytest.mark.parametrize("group", ["", "tail", "distinct"])
def test_a_fall_from_generation_0_fires_by_the_score_that_fell(group: str) -> None:
    verdict = collapse.guard(history(0.8, 0.9, 0.7, group=group))
    key = f"diversity[{group}]" if group else "diversity"
    assert not verdict.passed
    assert verdict.reason == f"{key} fell from 0.80 to 0.70"
    assert verdict.metrics == {key: pytest.approx(0.875)}


def test_a_slow_drift_is_seen_because_generation_0_is_the_measure() -> None:
    values = [1.0 - 0.02 * at for at in range(10)]
    verdicts = [collapse.guard(history(*values[: at + 1])).passed for at in range(10)]
    assert verdicts == [True] * 6 + [False] * 4


def test_tolerance_is_a_share_and_errors_grant_chance() -> None:
    assert collapse.guard(history(0.8, 0.65), tolerance=0.2).passed
    assert not collapse.guard(history(0.8, 0.63), tolerance=0.2).passed
    assert collapse.guard(history(0.8, 0.6, error=0.1)).passed
    assert not collapse.guard(history(0.8, 0.6, error=0.1), std_errors=1).passed


def test_other_scores_are_not_its_business_and_without_diversity_nothing_is_praised() -> None:
    verdict = collapse.guard(history(0.8, 0.1, name="accuracy"))
    assert verdict == Verdict(True, "not measured: generation 0 has no diversity score", "collapse")


def test_diversity_that_can_no_longer_be_measured_is_the_worst_fall() -> None:
    mute = replace(history(0.8)[0], number=1, scores=())
    verdict = collapse.guard([*history(0.8), mute])
    assert (verdict.passed, verdict.reason) == (False, "diversity was 0.80 and can no longer be measured")


@pytest.mark.parametrize(
    ("values", "passes"),
    [
        ((1.77, 1.01), True),  # the noise of a model that has learned little becomes as diverse as real rows
        ((1.77, 0.95), True),
        ((1.77, 0.85), False),
        ((1.05, 0.91), True),
        ((0.95, 0.6), False),
        ((0.95, 0.86), True),
    ],
)
def test_a_fall_counts_from_1_where_generation_0_was_more_diverse_than_real_rows(
    values: tuple[float, float], passes: bool
) -> None:
    verdict = collapse.guard(history(*values))
    assert verdict.passed == passes
    assert verdict.metrics == {"diversity": pytest.approx(values[1] / min(values[0], 1.0))}
