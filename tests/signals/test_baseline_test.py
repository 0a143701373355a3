"""Worse than models trained on real rows alone, or as good as one of them."""

from __future__ import annotations

import random
import statistics

import pytest

from selfsown.records import Score
from selfsown.signals.baseline_test import worsened


def score(value: float, better: str = "lower") -> Score:
    return Score("loss", value, 100, value, value, direction=better)  # type: ignore[arg-type]


@pytest.mark.parametrize("models", [3, 5])
def test_one_more_model_like_the_others_is_seldom_taken_for_worse(models: int) -> None:
    rng, alarms = random.Random(1), 0
    for _ in range(2000):
        *baselines, now = (score(rng.gauss(2, 0.02)) for _ in range(models + 1))
        alarms += worsened("loss", now, baselines, 0.02, "%").p <= 0.05
    assert alarms / 2000 == pytest.approx(0.05, abs=0.015)


def test_the_smallest_change_is_seen_in_four_cases_of_five() -> None:
    rng, models, tests = random.Random(1), 3, 7
    some = [score(rng.gauss(2, 0.02)) for _ in range(models)]
    least = worsened("loss", score(2), some, 0.02, "points", tests).mde
    change = least * 0.02 / statistics.stdev(each.value for each in some)  # as it would be, were the spread known
    said = 0
    for _ in range(500):
        *baselines, now = (score(rng.gauss(2, 0.02)) for _ in range(models + 1))
        worse = score(now.value + change)
        said += worsened("loss", worse, baselines, 0.02, "points", tests).p <= 0.05 / tests
    assert said / 500 == pytest.approx(0.8, abs=0.05)


def test_a_loss_that_rose_and_an_accuracy_that_fell_are_worse() -> None:
    losses = [score(each) for each in (2.0, 2.01, 1.99, 2.005)]
    found = worsened("loss", score(2.2), losses, 0.02, "%")
    assert found.value == pytest.approx(0.0994, abs=1e-3)
    assert found.p < 0.001
    shares = [score(each, "higher") for each in (0.8, 0.81, 0.79)]
    found = worsened("accuracy", score(0.6, "higher"), shares, 0.02, "points")
    assert found.value == pytest.approx(0.2)
    assert found.low < 0.2 < found.high
    assert worsened("accuracy", score(0.95, "higher"), shares, 0.02, "points").p > 0.9


def test_baselines_that_are_all_alike_leave_no_doubt() -> None:
    same = [score(2.0)] * 3
    assert worsened("loss", score(2.0), same, 0.02, "%").p == 1.0
    assert worsened("loss", score(2.1), same, 0.02, "%").p == 0.0


def test_one_row_that_went_wrong_is_not_worse_than_models_that_all_have_every_row_right() -> None:
    right = [Score("accuracy", 1.0, 30, 1.0, 1.0)] * 3
    one, many = (Score("accuracy", each, 30, each, each) for each in (29 / 30, 10 / 30))
    assert worsened("accuracy", one, right, 0.02, "points").p > 0.05
    assert worsened("accuracy", many, right, 0.02, "points").p < 0.05
