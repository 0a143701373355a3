"""Fit the law's constants to a user's own short runs: Huber loss on the log of the loss, from many starting points.

As the law's authors fitted it (Muennighoff et al. 2023; Hoffmann et al. 2022, section 3.3): delta 1e-3, alpha = beta.
Minimized by Levenberg-Marquardt on residuals reweighted by Huber's rule. R*_N, the decay of excess parameters, is
borrowed from C4; so is R*_D where no run repeats its data.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from selfsown import progress
from selfsown.errors import DataError
from selfsown.plan.scaling_law import C4, ScalingLaw

Array = np.ndarray[Any, np.dtype[np.float64]]
HUBER_DELTA = 1e-3  # in log loss
BOOTSTRAP_FITS = 200
INTERVAL_PERCENT = 90
MAX_FIT_ERROR = 0.05  # in log loss
MAX_STEPS = 200
# The fitted parameters: logarithms of the constants, but alpha itself; each with its bounds.
NAMES = ("E", "A", "B", "alpha", "R*_D")
LOWER_BOUNDS = np.array([-4, -3, -3, 0.05, 0.0])
UPPER_BOUNDS = np.array([3, 14, 14, 1.0, 7.0])
COLUMNS = ("parameters", "unique", "tokens", "loss")


@dataclass(frozen=True)
class TrainingRun:
    """One training run: model parameters, unique tokens, tokens seen with repeats, held-out loss in nats per token."""

    parameters: float
    unique: float
    tokens: float
    loss: float


@dataclass(frozen=True)
class Fit:
    """The fitted law; error: standard error of a run's log loss; bootstrap: laws fitted to simulated runs."""

    law: ScalingLaw
    error: float
    bootstrap: tuple[ScalingLaw, ...]

    def interval(self, quantity: Callable[[ScalingLaw], float]) -> tuple[float, float]:
        """The interval that holds INTERVAL_PERCENT of the bootstrap laws."""
        tail = 0.5 - INTERVAL_PERCENT / 200
        low, high = np.quantile([quantity(law) for law in self.bootstrap], (tail, 1 - tail))
        return float(low), float(high)


def fit(runs: Sequence[TrainingRun], seed: int = 0, bootstrap_fits: int = BOOTSTRAP_FITS) -> Fit:
    """Fit the constants to the runs; R*_D too if a run repeats its data twice or more.

    DataError: too few runs, runs that differ too little to identify every constant, or runs that do not follow the law.
    """
    repeated = any(run.tokens / run.unique >= 2 for run in runs)
    free = 5 if repeated else 4
    _check_runs(runs, free)
    starts = [
        np.array([e, a, b, alpha, math.log(C4.r_d)])[:free]
        for e in (-0.5, 0.6)
        for a in (2.0, 6.0)
        for b in (2.0, 7.0)
        for alpha in (0.2, 0.4)
    ]
    best = min((_minimize(start, runs) for start in starts), key=lambda point: _huber_loss(point, runs))
    error = float(np.sqrt(np.sum(_residuals(best, runs) ** 2) / (len(runs) - free)))
    _check_fit(best, error)
    bootstrap = _bootstrap(best, runs, error, np.random.default_rng(seed), bootstrap_fits)
    law = _law(best, f"your own {len(runs)} runs, fitted with an error of {100 * error:.2g} %")
    result = Fit(law, error, bootstrap)
    law = replace(
        law,
        fitted_parameters=(min(run.parameters for run in runs), max(run.parameters for run in runs)),
        fitted_tokens=(min(run.unique for run in runs), max(run.tokens for run in runs)),
        ranges={name: result.interval(partial(_constant, name)) for name in (*NAMES[:free], "beta") if bootstrap},
        interval_percent=INTERVAL_PERCENT,
        borrowed=("R*_N",) if repeated else ("R*_D", "R*_N"),
    )
    return replace(result, law=law)


def _constant(name: str, law: ScalingLaw) -> float:
    return law.constants[name]


def _bootstrap(
    best: Array, runs: Sequence[TrainingRun], error: float, rng: np.random.Generator, fits: int
) -> tuple[ScalingLaw, ...]:
    """Laws fitted to simulated runs. With few runs the error itself is uncertain, so it is drawn too (Student's t)."""
    law, degrees_of_freedom = _law(best), len(runs) - len(best)
    laws = []
    for _ in progress.track(range(fits), "fitting the scaling law", unit="fits"):
        scale = error * math.sqrt(degrees_of_freedom / rng.chisquare(degrees_of_freedom))
        noise = rng.normal(0, scale, len(runs))
        simulated = [
            replace(run, loss=law.loss(run.parameters, run.unique, run.tokens) * math.exp(min(max(shift, -1.0), 1.0)))
            for run, shift in zip(runs, noise, strict=True)
        ]
        laws.append(_law(_minimize(best, simulated)))
    return tuple(laws)


def _check_runs(runs: Sequence[TrainingRun], free: int) -> None:
    distinct = len({(run.parameters, run.unique, run.tokens) for run in runs})
    if distinct < free + 2:
        including = " (with R*_D, the value of repeats)" if free == 5 else ""
        raise DataError(
            f"the runs file has {distinct} different runs; fitting {free} constants{including} needs {free + 2}, "
            "better 9"
        )
    for name in ("parameters", "tokens"):
        values = [getattr(run, name) for run in runs]
        if max(values) < 2 * min(values):
            raise DataError(
                f"the runs hardly differ in {name} ({min(values):g} to {max(values):g}), so its effect cannot be "
                "estimated; add runs with twice as many or more"
            )


def _check_fit(point: Array, error: float) -> None:
    """DataError: the runs do not follow the law, or a constant is at a bound."""
    if error > MAX_FIT_ERROR:
        raise DataError(
            f"the runs do not follow the scaling law: the best fit is off by {100 * error:.0f} % of the loss, and "
            f"{100 * MAX_FIT_ERROR:.0f} % is the limit; look for failed runs, or losses that are not in nats per token"
        )
    for name, value, low, high in zip(NAMES, point, LOWER_BOUNDS, UPPER_BOUNDS, strict=False):
        if not low + 1e-6 < value < high - 1e-6:
            varied = "epochs over the same data" if name == "R*_D" else "parameters and tokens"
            raise DataError(
                f"the runs do not determine the constant {name}: the best fit is at the bound of the search; add runs "
                f"whose {varied} differ more, better fourfold or more"
            )


def _law(point: Array, source: str = "") -> ScalingLaw:
    r_d = math.exp(min(20.0, point[4])) if len(point) > 4 else C4.r_d
    alpha = float(point[3])
    return ScalingLaw(source, math.exp(point[0]), math.exp(point[1]), math.exp(point[2]), alpha, alpha, r_d)


def _residuals(point: Array, runs: Sequence[TrainingRun]) -> Array:
    """Predicted minus measured log loss of each run, shape (runs,)."""
    law = _law(point)
    return np.array([math.log(law.loss(run.parameters, run.unique, run.tokens) / run.loss) for run in runs])


def _huber_loss(point: Array, runs: Sequence[TrainingRun]) -> float:
    distance = np.abs(_residuals(point, runs))
    linear = HUBER_DELTA * (distance - HUBER_DELTA / 2)
    return float(np.where(distance <= HUBER_DELTA, distance**2 / 2, linear).sum())


def _minimize(start: Array, runs: Sequence[TrainingRun]) -> Array:
    """Levenberg-Marquardt on residuals reweighted by Huber's rule, with finite differences, until convergence."""
    point, damping, cost = start.astype(float), 1e-2, _huber_loss(start, runs)
    identity = np.eye(len(point))
    for _ in range(MAX_STEPS):
        residuals = _residuals(point, runs)
        weights = np.minimum(1.0, HUBER_DELTA / np.maximum(np.abs(residuals), 1e-12))
        jacobian = np.stack([(_residuals(point + step, runs) - residuals) / 1e-5 for step in 1e-5 * identity], 1)
        hessian = jacobian.T @ (weights[:, None] * jacobian)
        gradient = jacobian.T @ (weights * residuals)
        step = np.linalg.solve(hessian + damping * (np.diag(np.diag(hessian)) + 1e-9 * identity), -gradient)
        trial = np.clip(point + step, LOWER_BOUNDS[: len(point)], UPPER_BOUNDS[: len(point)])
        trial_cost = _huber_loss(trial, runs)
        if trial_cost < cost:
            converged = cost - trial_cost < 1e-12
            point, cost, damping = trial, trial_cost, damping / 3
            if converged:
                break
        else:
            damping *= 4
            if damping > 1e9:
                break
    return point
