"""The fit recovers the constants of runs that follow the law, and rejects runs that do not determine them."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from selfsown.plan.fit_scaling_law import TrainingRun, fit
from selfsown.plan.scaling_law import C4, ScalingLaw
from selfsown.records import SelfsownError

TOY = ScalingLaw("toy", 1.2, 40.0, 90.0, 0.3, 0.3, r_d=8.0)


def runs(law: ScalingLaw, noise: float = 0.0, seed: int = 0) -> list[TrainingRun]:
    rng = random.Random(seed)
    plans = [(n, u, e) for n in (1e5, 4e5, 2e6) for u in (1e5, 1e6) for e in (1, 4, 16)]
    return [TrainingRun(n, u, u * e, law.loss(n, u, u * e) * (1 + rng.gauss(0, noise))) for n, u, e in plans]


def few(law: ScalingLaw, noise: float, seed: int) -> list[TrainingRun]:
    """As many as the docs ask for: parameters and tokens from little to much, and some data seen often."""
    plans = [
        (1, 1, 1),
        (10, 10, 1),
        (1, 10, 1),
        (10, 1, 8),
        (10, 1, 32),
        (1, 1, 16),
        (3, 3, 1),
        (30, 10, 1),
        (30, 1, 64),
    ]
    rng, tried = random.Random(seed), [(1e5 * n, 1e5 * u, 1e5 * u * e) for n, u, e in plans]
    return [TrainingRun(n, u, t, law.loss(n, u, t) * (1 + rng.gauss(0, noise))) for n, u, t in tried]


def test_the_fit_recovers_the_law() -> None:
    result = fit(runs(TOY), bootstrap_fits=3)
    assert result.error < 1e-3
    assert result.law.loss(1e6, 1e6, 8e6) == pytest.approx(TOY.loss(1e6, 1e6, 8e6), rel=1e-3)
    assert result.law.r_d == pytest.approx(8, rel=0.1)


def test_intervals_cover_the_truth_with_nine_noisy_runs() -> None:
    held = 0
    for seed in range(3):
        result = fit(few(TOY, 0.005, seed), bootstrap_fits=15)
        low, high = result.interval(lambda law: law.loss(4e6, 1e6, 1e7))
        held += low <= TOY.loss(4e6, 1e6, 1e7) <= high
        low, high = result.law.ranges["R*_D"]
        held += low <= TOY.r_d <= high
    assert held >= 4  # of 6; an interval of 95 % misses three or more of 6 in 0.2 % of the cases


def test_too_few_or_too_similar_runs_are_errors() -> None:
    with pytest.raises(SelfsownError, match=r"has 6 different runs; fitting 5 constants.* needs 7"):
        fit(runs(C4)[:6])
    with pytest.raises(SelfsownError, match="has 5 different runs; fitting 4 constants needs 6"):
        fit([run for run in runs(C4) if run.tokens == run.unique][:5])
    alike = [TrainingRun(1e6, u, u, C4.loss(1e6, u, u)) for u in (1e5, 2e5, 4e5, 8e5, 16e5, 32e5)]
    with pytest.raises(SelfsownError, match="hardly differ in parameters"):
        fit(alike)


def test_runs_off_the_law_or_with_an_open_constant_are_errors() -> None:
    losses = (3, 1, 9, 2, 5, 4, 1, 8, 2)
    with pytest.raises(SelfsownError, match="do not follow the scaling law: the best fit is off by"):
        fit([replace(run, loss=loss) for run, loss in zip(runs(TOY), losses, strict=False)])
    endless = replace(TOY, r_d=1e6)
    with pytest.raises(SelfsownError, match=r"do not determine the constant R\*_D: .* epochs over the same data"):
        fit(runs(endless))


def test_without_repeats_r_d_is_borrowed() -> None:
    result = fit([run for run in runs(TOY, 0.002) if run.tokens == run.unique], bootstrap_fits=5)
    assert result.law.borrowed == ("R*_D", "R*_N")
    assert result.law.r_d == C4.r_d
    assert set(result.law.ranges) == {"E", "A", "B", "alpha", "beta"}
    assert (result.law.fitted_parameters, result.law.fitted_tokens) == ((1e5, 2e6), (1e5, 1e6))
