"""The constants are found again from runs that follow a law, and refused from runs that cannot tell them."""

from __future__ import annotations

import random

import pytest

from selfsown.plan.law import C4, Law
from selfsown.plan.refit import Trained, refit
from selfsown.records import SelfsownError

TOY = Law("toy", 1.2, 40.0, 90.0, 0.3, 0.3, repeats=8.0)


def runs(law: Law, noise: float = 0.0, seed: int = 0) -> list[Trained]:
    rng = random.Random(seed)
    plans = [(n, u, e) for n in (1e5, 4e5, 2e6) for u in (1e5, 1e6) for e in (1, 4, 16)]
    return [Trained(n, u, u * e, law.loss(n, u, u * e) * (1 + rng.gauss(0, noise))) for n, u, e in plans]


def test_the_law_that_the_runs_follow_is_found() -> None:
    fit = refit(runs(TOY), draws=3)
    assert fit.error < 1e-3
    assert fit.law.loss(1e6, 1e6, 8e6) == pytest.approx(TOY.loss(1e6, 1e6, 8e6), rel=1e-3)
    assert fit.law.repeats == pytest.approx(8, rel=0.1)


def test_the_interval_holds_the_truth_where_runs_are_noisy() -> None:
    held = 0
    for seed in range(6):
        fit = refit(runs(TOY, 0.005, seed), draws=40)
        low, high = fit.interval(lambda law: law.loss(4e6, 1e6, 1e7))
        held += low <= TOY.loss(4e6, 1e6, 1e7) <= high
    assert held >= 4


def test_too_few_runs_and_runs_that_hardly_differ_are_refused() -> None:
    with pytest.raises(SelfsownError, match="has 4 different runs; a fit takes 5"):
        refit(runs(C4)[:4])
    alike = [Trained(1e6, u, u, C4.loss(1e6, u, u)) for u in (1e5, 2e5, 4e5, 8e5, 16e5)]
    with pytest.raises(SelfsownError, match="hardly differ in parameters"):
        refit(alike)
