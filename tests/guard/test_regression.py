"""A generation that does worse than the best so far, by more than chance, is rolled back."""

from __future__ import annotations

from typing import Literal

import pytest

from selfsown.guard import regression
from selfsown.records import Generation, Score, Verdict
from selfsown.stats.intervals import Z

Better = Literal["higher", "lower"]


def history(
    *values: float, error: float = 0.01, better: Better = "higher", rolled: tuple[int, ...] = ()
) -> list[Generation]:
    """A generation for each value of the goal, with this standard error."""
    return [
        Generation(
            at,
            max(0, at - 1),
            1,
            {},
            1.0,
            (Score("goal", value, 100, value - Z * error, value + Z * error, direction=better),),
            (Verdict(at not in rolled),),
        )
        for at, value in enumerate(values)
    ]


@pytest.mark.parametrize("values", [(0.5, 0.5), (0.5, 0.6), (0.5, 0.48), (0.5, 0.4, 0.5), (0.5,)])
def test_what_is_no_fall_beyond_chance_stands(values: tuple[float, ...]) -> None:
    verdict = regression.guard(history(*values), "goal")
    assert verdict.passed
    assert verdict.guard == "regression"


@pytest.mark.parametrize("values", [(0.5, 0.47), (0.5, 0.6, 0.55), (0.6, 0.5, 0.55)])
def test_a_fall_below_the_best_so_far_fires(values: tuple[float, ...]) -> None:
    verdict = regression.guard(history(*values), "goal")
    assert not verdict.passed
    assert f"from {max(values):.3f} to {values[-1]:.3f}" in verdict.reason
    assert verdict.metrics["fall"] == pytest.approx(max(values) - values[-1])
    assert verdict.metrics["standard_error"] == pytest.approx(0.01 * 2**0.5)


def test_where_lower_is_better_a_rise_fires() -> None:
    assert not regression.guard(history(2.0, 2.1, better="lower"), "goal").passed
    assert regression.guard(history(2.0, 1.5, better="lower"), "goal").passed
    assert not regression.guard(history(2.0, 1.5, 1.8, better="lower"), "goal").passed


def test_generations_that_were_rolled_back_are_no_measure() -> None:
    assert regression.guard(history(0.5, 0.9, 0.5, rolled=(1,)), "goal").passed


def test_errors_is_how_much_chance_is_granted() -> None:
    assert regression.guard(history(0.5, 0.45), "goal", std_errors=4).passed
    assert not regression.guard(history(0.5, 0.45), "goal", std_errors=3).passed


def test_wide_intervals_excuse_a_fall() -> None:
    assert regression.guard(history(0.5, 0.4, error=0.05), "goal").passed


def test_tolerance_is_the_share_of_the_best_that_may_be_lost() -> None:
    assert regression.guard(history(0.5, 0.45), "goal", tolerance=0.12).passed
    assert not regression.guard(history(0.5, 0.45), "goal", tolerance=0.08).passed
    assert regression.guard(history(2.0, 2.1, better="lower"), "goal", tolerance=0.06).passed
