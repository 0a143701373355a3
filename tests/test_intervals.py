"""Confidence intervals: known values, and that they hold what they promise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfsown.stats.intervals import Z, error, mean, ratio, share, student
from selfsown.stats.multiple_testing import holm_adjusted, holm_significant
from selfsown.stats.student_t import quantile, upper_tail


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [
        (8, 10, 0.4902, 0.9433),
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (50, 100, 0.4038, 0.5962),
        (1, 1, 0.2065, 1.0),
        (0, 0, 0.0, 1.0),
    ],
)
def test_wilson_s_interval_has_its_known_values(hits: int, n: int, low: float, high: float) -> None:
    assert share(hits, n) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 5000), st.floats(0, 1))
def test_wilson_s_interval_holds_the_share_and_stays_between_nought_and_one(n: int, part: float) -> None:
    hits = round(part * n)
    low, high = share(hits, n)
    assert 0 <= low <= hits / n + 1e-12
    assert hits / n - 1e-12 <= high <= 1


@pytest.mark.parametrize(("n", "p"), [(20, 0.5), (50, 0.1), (200, 0.9), (1000, 0.02)])
def test_wilson_s_interval_holds_the_truth_in_95_of_100_cases(n: int, p: float) -> None:
    drawn = np.random.default_rng(0).binomial(n, p, 20_000)
    intervals = [share(hits, n) for hits in range(n + 1)]
    held = np.mean([intervals[hits][0] <= p <= intervals[hits][1] for hits in drawn])
    assert 0.92 < held < 0.98


def test_a_mean_s_interval_is_the_normal_one() -> None:
    values = np.random.default_rng(1).normal(3, 2, 50)
    half = Z * values.std(ddof=1) / math.sqrt(50)
    assert mean(list(values)) == pytest.approx((values.mean() - half, values.mean() + half))


def test_a_ratio_of_equal_weights_is_a_mean() -> None:
    values = [1.0, 2.0, 4.0, 8.0]
    assert ratio(values, [1.0] * 4) == pytest.approx(mean(values))
    assert ratio(values, [2.0] * 4) == pytest.approx([bound / 2 for bound in mean(values)])


def test_a_ratio_s_interval_holds_the_truth_in_95_of_100_cases() -> None:
    rng = np.random.default_rng(2)
    held = 0
    for _ in range(1000):
        below = rng.integers(3, 20, 200)
        above = 2.5 * below + rng.normal(0, 3, 200) * np.sqrt(below)
        low, high = ratio(list(above), list(below))
        assert low < above.sum() / below.sum() < high
        held += low <= 2.5 <= high
    assert 925 <= held <= 975


def test_the_standard_error_is_read_back_from_an_interval() -> None:
    assert error(3 - Z * 0.5, 3 + Z * 0.5) == pytest.approx(0.5)
    assert error(2, 2) == 0


@pytest.mark.parametrize(
    ("n", "quantile"), [(2, 12.7062), (3, 4.3027), (4, 3.1824), (11, 2.2281), (21, 2.0860), (31, 2.0423), (32, Z)]
)
def test_student_s_interval_has_its_known_widths(n: int, quantile: float) -> None:
    values = [float(at) for at in range(n)]
    low, high = student(values)
    half = quantile * math.sqrt(n * (n + 1) / 12) / math.sqrt(n)  # the deviation of 0, 1, … n - 1
    assert (low, high) == (pytest.approx((n - 1) / 2 - half, abs=1e-3), pytest.approx((n - 1) / 2 + half, abs=1e-3))
    assert student([3.0] * n) == (3, 3)


def test_student_s_interval_of_three_values_holds_the_truth_in_95_of_100_cases() -> None:
    drawn = np.random.default_rng(3).normal(5, 2, (2000, 3))
    held = sum(low <= 5 <= high for low, high in map(student, drawn))
    assert 1870 <= held <= 1930


# 0.975 quantiles of Student's t, from published tables.
T_TABLE = {1: 12.706205, 2: 4.302653, 3: 3.182446, 4: 2.776445, 5: 2.570582, 10: 2.228139, 20: 2.085963, 30: 2.042272}


@pytest.mark.parametrize("df", T_TABLE)
def test_student_t_agrees_with_published_tables(df: int) -> None:
    assert quantile(0.975, df) == pytest.approx(T_TABLE[df], rel=1e-6)
    assert upper_tail(T_TABLE[df], df) == pytest.approx(0.025, rel=1e-6)
    assert upper_tail(0, df) == pytest.approx(0.5)


@pytest.mark.parametrize("df", [1, 2, 3, 9, 30, 200])
def test_student_t_agrees_with_scipy(df: int) -> None:
    t = pytest.importorskip("scipy.stats").t
    for probability in (0.5, 0.9, 0.975, 0.999):
        assert quantile(probability, df) == pytest.approx(float(t.ppf(probability, df)), rel=1e-6, abs=1e-8)
    for value in (0.1, 1.0, 2.5, 6.0):
        assert upper_tail(value, df) == pytest.approx(float(t.sf(value, df)), rel=1e-6)


@pytest.mark.parametrize(
    ("p_values", "adjusted"),
    [
        ([], []),
        ([0.04], [0.04]),
        ([0.01, 0.04, 0.03], [0.03, 0.06, 0.06]),
        ([0.6, 0.6], [1.0, 1.0]),
        ([0.02, 0.02, 0.02], [0.06, 0.06, 0.06]),
    ],
)
def test_holm(p_values: list[float], adjusted: list[float]) -> None:
    assert holm_adjusted(p_values) == pytest.approx(adjusted)
    assert holm_significant(p_values) == [p <= 0.05 for p in adjusted]
