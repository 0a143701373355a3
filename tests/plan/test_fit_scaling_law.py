"""The constants are found again from runs that follow a law, and refused from runs that cannot tell them."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from selfsown.plan.fit_scaling_law import Trained, refit
from selfsown.plan.scaling_law import C4, Law
from selfsown.records import SelfsownError

TOY = Law("toy", 1.2, 40.0, 90.0, 0.3, 0.3, repeats=8.0)


def runs(law: Law, noise: float = 0.0, seed: int = 0) -> list[Trained]:
    rng = random.Random(seed)
    plans = [(n, u, e) for n in (1e5, 4e5, 2e6) for u in (1e5, 1e6) for e in (1, 4, 16)]
    return [Trained(n, u, u * e, law.loss(n, u, u * e) * (1 + rng.gauss(0, noise))) for n, u, e in plans]


def few(law: Law, noise: float, seed: int) -> list[Trained]:
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
    return [Trained(n, u, t, law.loss(n, u, t) * (1 + rng.gauss(0, noise))) for n, u, t in tried]


def test_the_law_that_the_runs_follow_is_found() -> None:
    fit = refit(runs(TOY), draws=3)
    assert fit.error < 1e-3
    assert fit.law.loss(1e6, 1e6, 8e6) == pytest.approx(TOY.loss(1e6, 1e6, 8e6), rel=1e-3)
    assert fit.law.repeats == pytest.approx(8, rel=0.1)


def test_the_ranges_mostly_hold_the_truth_where_nine_runs_are_noisy() -> None:
    held = 0
    for seed in range(5):
        fit = refit(few(TOY, 0.005, seed), draws=20)
        low, high = fit.interval(lambda law: law.loss(4e6, 1e6, 1e7))
        held += low <= TOY.loss(4e6, 1e6, 1e7) <= high
        low, high = fit.law.ranges["R*_D"]
        held += low <= TOY.repeats <= high
    assert held >= 7


def test_too_few_runs_and_runs_that_hardly_differ_are_refused() -> None:
    with pytest.raises(SelfsownError, match=r"has 6 different runs; to tell 5 constants.* takes 7"):
        refit(runs(C4)[:6])
    with pytest.raises(SelfsownError, match="has 5 different runs; to tell 4 constants takes 6"):
        refit([run for run in runs(C4) if run.tokens == run.unique][:5])
    alike = [Trained(1e6, u, u, C4.loss(1e6, u, u)) for u in (1e5, 2e5, 4e5, 8e5, 16e5, 32e5)]
    with pytest.raises(SelfsownError, match="hardly differ in parameters"):
        refit(alike)


def test_what_is_no_law_or_leaves_a_constant_open_is_refused() -> None:
    losses = (3, 1, 9, 2, 5, 4, 1, 8, 2)
    with pytest.raises(SelfsownError, match="follow no law of this kind: the best fit is off by"):
        refit([replace(run, loss=loss) for run, loss in zip(runs(TOY), losses, strict=False)])
    endless = replace(TOY, repeats=1e6)
    with pytest.raises(SelfsownError, match=r"do not tell the constant R\*_D: .* passes over the same data"):
        refit(runs(endless))


def test_without_repeats_their_worth_is_borrowed_and_said_to_be() -> None:
    fit = refit([run for run in runs(TOY, 0.002) if run.tokens == run.unique], draws=5)
    assert fit.law.borrowed == ("R*_D", "R*_N")
    assert fit.law.repeats == C4.repeats
    assert set(fit.law.ranges) == {"E", "A", "B", "alpha", "beta"}
    assert (fit.law.sizes, fit.law.seen) == ((1e5, 2e6), (1e5, 1e6))
