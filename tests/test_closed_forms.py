"""The closed forms give the numbers that were worked out for them, and agree with each other."""

from __future__ import annotations

import pytest

from selfsown.stats import closed_forms as known


def test_spread_that_is_left() -> None:
    assert [known.retained(100, t) for t in (10, 50, 100)] == pytest.approx([0.9044, 0.6050, 0.3660], abs=5e-5)
    assert [known.retained(100, t, True) for t in (10, 100)] == pytest.approx([0.9846, 0.9837], abs=5e-5)


def test_errors_of_regression() -> None:
    replaced = [known.regression_error(10, 100, 1, t) for t in (1, 5, 10, 50)]
    assert replaced == pytest.approx([0.1124, 0.5618, 1.1236, 5.618], abs=5e-4)
    kept = [known.regression_error(10, 100, 1, t, True) for t in (1, 5, 10, 50)]
    assert kept == pytest.approx([0.1124, 0.1645, 0.1741, 0.1826], abs=5e-5)


def test_kinds_and_tails() -> None:
    whole = sum(1 / at for at in range(1, 1001))
    assert known.kinds_seen([1 / at / whole for at in range(1, 1001)], 2000) == pytest.approx(499.4, abs=0.05)
    tail = [0.368, 0.531, 0.626, 0.688, 0.732, 0.765, 0.790, 0.811, 0.828, 0.842]
    assert [known.forgotten(t) for t in range(1, 11)] == pytest.approx(tail, abs=1e-3)
    assert known.forgotten(5, 3) == pytest.approx(known.forgotten(5) ** 3)


def test_bias() -> None:
    assert [known.sharpened(0.6, each, 10) for each in (0.9, 0.8)] == pytest.approx([0.762, 0.978], abs=5e-4)
    assert [known.favoured(0.6, a, 10) for a in (1.05, 1.10, 1.25)] == pytest.approx([0.710, 0.796, 0.933], abs=5e-4)
    kept = [known.favoured(0.6, a, 10, True) for a in (1.05, 1.10, 1.25)]
    assert kept == pytest.approx([0.623, 0.645, 0.702], abs=5e-4)
    assert known.replaced(0.6, 0.9, 1.0, 10) == pytest.approx(known.sharpened(0.6, 0.9, 10))
    assert known.replaced(0.6, 1.0, 1.1, 10) == pytest.approx(known.favoured(0.6, 1.1, 10))
    # By the exact recursion what accumulates moves as the power of the harmonic sum says, to a point.
    assert known.projected(0.6, 1.0, 1.05, 10, 0.0) == pytest.approx(known.favoured(0.6, 1.05, 10, True), abs=0.02)


def test_more_real_rows_move_less() -> None:
    shares = [known.projected(0.6, 0.9, 1.1, 10, real) for real in (0.0, 1 / 3, 2 / 3, 1.0)]
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] == pytest.approx(known.replaced(0.6, 0.9, 1.1, 1))


def test_verifiers() -> None:
    rests = [known.settled(0.03, each) for each in (0, 0.05, 0.2, 0.5, 0.8, 0.95, 1)]
    assert rests == pytest.approx([0.9700, 0.9684, 0.9625, 0.94, 0.85, 0.40, 0], abs=5e-5)
    assert known.weakest_verifier(0.03, 0.95) == pytest.approx(0.40)
    assert known.settled(0.03, known.weakest_verifier(0.03, 0.9)) == pytest.approx(0.9)
    assert known.tolerable_noise(0.9, 0.1) == pytest.approx(0.9)


def test_real_rows_in_the_mix() -> None:
    fresh = [known.excess_error(share, True) for share in (0.05, 0.1, 0.3, 0.5)]
    assert fresh == pytest.approx([10.26, 5.26, 1.96, 1.33], abs=5e-3)
    fixed = [known.excess_error(share, False) for share in (0.05, 0.1, 0.3, 0.5)]
    assert fixed == pytest.approx([29.74, 14.74, 4.71, 2.67], abs=5e-3)
