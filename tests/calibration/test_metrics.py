"""Metrics of a grader: known values, and intervals with the promised coverage."""

from __future__ import annotations

import numpy as np
import pytest

from selfsown.calibration.metrics import adjusted_difference, kappa, mean_gain, partial_correlation, rate


def test_kappa_has_its_known_values() -> None:
    """20 and 15 agreed of 50, 5 and 10 not: 0.7 agree, 0.5 would by chance."""
    good = [True] * 25 + [False] * 25
    accepted = [True] * 20 + [False] * 5 + [True] * 10 + [False] * 15
    found = kappa(good, accepted)
    assert found
    assert found.value == pytest.approx(0.4)
    assert found.low < 0.4 < found.high
    assert kappa(good, good) == pytest.approx((1.0, 0.8573, 1.0, 50), abs=1e-3)
    opposite = kappa(good, [not each for each in good])
    assert opposite
    assert opposite.value == pytest.approx(-1)


def test_kappa_of_a_constant_grader_is_zero_or_none() -> None:
    always = kappa([True, False] * 50, [True] * 100)
    assert always
    assert always.value == 0
    assert kappa([True] * 9, [True] * 9) is None
    assert kappa([], []) is None


@pytest.mark.parametrize(("n", "wrong"), [(60, 0.02), (200, 0.1), (500, 0.3)])
def test_kappa_interval_has_95_percent_coverage(n: int, wrong: float) -> None:
    rng, held = np.random.default_rng(0), 0
    for _ in range(1000):
        good = rng.random(n) < 0.5
        found = kappa(list(good), list(good ^ (rng.random(n) < wrong)))
        assert found
        held += found.low <= 1 - 2 * wrong <= found.high
    assert held >= 930


def test_partial_correlation_is_not_confounded_by_label() -> None:
    rng = np.random.default_rng(1)
    labels = [bool(each) for each in rng.random(400) < 0.5]
    lengths = [100 * label + rng.normal(0, 10) for label in labels]
    fair = [0.8 * label + 0.1 * rng.random() for label in labels]
    assert np.corrcoef(fair, lengths)[0, 1] > 0.9
    found = partial_correlation(fair, lengths, labels)
    assert found
    assert abs(found.value) < 0.15
    biased = [score + 0.01 * (length - 100 * label) for score, length, label in zip(fair, lengths, labels, strict=True)]
    found = partial_correlation(biased, lengths, labels)
    assert found
    assert found.low > 0.8


def test_partial_correlation_interval_has_95_percent_coverage() -> None:
    rng, held = np.random.default_rng(2), 0
    for _ in range(1000):
        labels = [bool(each) for each in rng.random(80) < 0.4]
        found = partial_correlation(list(rng.random(80)), list(rng.random(80)), labels)
        assert found
        held += found.low <= 0 <= found.high
    assert 925 <= held <= 975


def test_no_correlation_if_all_scores_of_a_label_are_equal() -> None:
    assert (
        partial_correlation([1.0, 1.0, 0.0, 0.0] * 5, [1.0, 2.0, 3.0, 4.0] * 5, [True, True, False, False] * 5) is None
    )
    assert partial_correlation([0.1, 0.2], [1.0, 2.0], [True, False]) is None


def test_adjusted_difference_compares_at_equal_label() -> None:
    """Ours are good more often, and score no higher for being ours; then a tenth higher."""
    rng, held, raised = np.random.default_rng(3), 0, 0
    for _ in range(500):
        ours = [bool(each) for each in rng.random(120) < 0.5]
        labels = [bool(rng.random() < (0.8 if own else 0.3)) for own in ours]
        scores = [0.6 * label + 0.2 * rng.random() for label in labels]
        found = adjusted_difference(scores, ours, labels)
        assert found
        held += found.low <= 0 <= found.high
        more = adjusted_difference([score + 0.1 * own for score, own in zip(scores, ours, strict=True)], ours, labels)
        assert more
        raised += more.low <= 0.1 <= more.high
    assert held > 455
    assert raised > 455
    assert adjusted_difference([1.0, 0.0], [True, False], [True, True]) is None


def test_rate_and_gain_of_no_rows_are_none() -> None:
    assert rate(0, 0) is None
    assert mean_gain([0.5]) is None
    assert rate(1, 10) == pytest.approx((0.1, 0.0179, 0.4042, 10), abs=1e-3)
    assert mean_gain([0.0] * 5) == (0.0, 0.0, 0.0, 5)
