"""Pass rates from few samples: the prior and the probability of a band, against scipy and against known rates."""

from __future__ import annotations

import random

import pytest
from scipy import special

from selfsown.stats.pass_rates import Beta, fit_beta, incomplete_beta


@pytest.mark.parametrize("a", [0.02, 0.5, 1.0, 3.0, 40.0])
@pytest.mark.parametrize("b", [0.02, 0.7, 2.0, 50.0])
def test_the_incomplete_beta_function_is_scipy_s(a: float, b: float) -> None:
    for x in (0.0, 1e-6, 0.1, 0.37, 0.5, 0.9, 1 - 1e-6, 1.0):
        assert incomplete_beta(x, a, b) == pytest.approx(special.betainc(a, b, x), abs=1e-9)


def test_a_prior_is_fitted_to_the_rates_that_made_the_counts() -> None:
    rng = random.Random(0)
    for right, wrong in ((0.3, 0.3), (2.0, 6.0), (1.0, 1.0)):
        rates = [rng.betavariate(right, wrong) for _ in range(40_000)]
        counts = [sum(rng.random() < rate for _ in range(2)) for rate in rates]
        prior = fit_beta(counts, 2)
        assert prior.right == pytest.approx(right, rel=0.15)
        assert prior.wrong == pytest.approx(wrong, rel=0.15)


def test_a_probability_of_the_band_is_as_often_right_as_it_says() -> None:
    rng = random.Random(1)
    rates = [rng.betavariate(0.4, 0.5) for _ in range(8_000)]
    counts = [sum(rng.random() < rate for _ in range(3)) for rate in rates]
    prior = fit_beta(counts, 3)
    for right in range(4):
        inside = [0.1 <= rate <= 0.9 for rate, count in zip(rates, counts, strict=True) if count == right]
        expected = prior.after(right, 3).between(0.1, 0.9)
        assert sum(inside) / len(inside) == pytest.approx(expected, abs=0.04)


def test_without_or_with_uniform_counts_a_prior_stays_usable() -> None:
    nothing = fit_beta([], 2)
    assert (nothing.right, nothing.wrong) == pytest.approx((1.0, 1.0))
    based = fit_beta([0, 2], 2, Beta(3.0, 5.0), weight=1e6)
    assert (based.right, based.wrong) == pytest.approx((3.0, 5.0), rel=1e-3)
    for counts, samples in (([0] * 500, 2), ([2] * 500, 2), ([1] * 500, 2), ([1, 0] * 9, 1)):
        prior = fit_beta(counts, samples)
        assert 0 < prior.right < 60
        assert 0 < prior.wrong < 60
        assert 0 <= prior.after(1, 2).between(0.1, 0.9) <= 1
    assert fit_beta([0] * 500, 2).after(0, 2).between(0.1, 0.9) < 0.05
