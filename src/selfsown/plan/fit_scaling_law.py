"""The law's constants from a user's own short runs: Huber loss on the logarithm of the loss, from many starts.

As the law's authors fitted it (Muennighoff et al. 2023, Hoffmann et al. 2022 section 3.3): delta 1e-3, minimized with
alpha = beta. Levenberg's method on residuals that are weighted by Huber's rule does it without a further library.
R*_N, the worth of parameters that are too many, is borrowed; so is R*_D where no run repeats its data.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from selfsown.plan.scaling_law import C4, Law
from selfsown.records import SelfsownError

Array = np.ndarray[Any, np.dtype[np.float64]]
DELTA, DRAWS, LEVEL = 1e-3, 200, 90
WORST = 0.05  # the error of a fit, in log loss, from which on it is none
# Logarithms of the constants, but of the power itself; each has its least and its most.
NAMES = ("E", "A", "B", "alpha", "R*_D")
LOWEST, HIGHEST = np.array([-4, -3, -3, 0.05, 0.0]), np.array([3, 14, 14, 1.0, 7.0])
COLUMNS = ("parameters", "unique", "tokens", "loss")


@dataclass(frozen=True)
class Trained:
    """One run of training: parameters, unique tokens, tokens seen in all, held-out loss in nats a token."""

    parameters: float
    unique: float
    tokens: float
    loss: float


@dataclass(frozen=True)
class Fit:
    """The law and how far off it would be for a further run: `error` in log loss; draws: laws of runs as the law has
    them, each off by chance as the real ones are."""

    law: Law
    error: float
    draws: tuple[Law, ...]

    def interval(self, measure: Callable[[Law], float]) -> tuple[float, float]:
        """90 % of the drawn laws lie between."""
        low, high = np.quantile([measure(law) for law in self.draws], (0.5 - LEVEL / 200, 0.5 + LEVEL / 200))
        return float(low), float(high)


def refit(runs: Sequence[Trained], seed: int = 0, draws: int = DRAWS) -> Fit:
    """The constants that fit the runs; repeats' worth too, where some run repeats its data twice or more.

    SelfsownError where the runs are too few, do not differ enough to tell one constant from the others, or follow no
    such law."""
    repeated = any(run.tokens / run.unique >= 2 for run in runs)
    free = 5 if repeated else 4
    _enough(runs, free)
    starts = [
        np.array([e, a, b, x, math.log(C4.repeats)])[:free]
        for e in (-0.5, 0.6)
        for a in (2.0, 6.0)
        for b in (2.0, 7.0)
        for x in (0.2, 0.4)
    ]
    best = min((_minimized(start, runs) for start in starts), key=lambda found: _cost(found, runs))
    error = float(np.sqrt(np.sum(_residuals(best, runs) ** 2) / (len(runs) - free)))
    _sound(best, error)
    drawn = _drawn(best, runs, error, np.random.default_rng(seed), draws)
    told = (*NAMES[:free], "beta") if draws else ()
    fit = Fit(_law(best, f"your own {len(runs)} runs, which the fit meets to {100 * error:.2g} %"), error, drawn)
    law = replace(
        fit.law,
        sizes=(min(run.parameters for run in runs), max(run.parameters for run in runs)),
        seen=(min(run.unique for run in runs), max(run.tokens for run in runs)),
        ranges={name: fit.interval(partial(_constant, name)) for name in told},
        level=LEVEL,
        borrowed=("R*_N",) if repeated else ("R*_D", "R*_N"),
    )
    return replace(fit, law=law)


def _constant(name: str, law: Law) -> float:
    return law.constants[name]


def _drawn(best: Array, runs: Sequence[Trained], error: float, rng: np.random.Generator, many: int) -> tuple[Law, ...]:
    """Laws of runs made anew. Few runs say little of how far they are off, so that is drawn, too (Student's t)."""
    law, left = _law(best), len(runs) - len(best)
    found = []
    for _ in range(many):
        off = rng.normal(0, error * math.sqrt(left / rng.chisquare(left)), len(runs))
        made = [
            replace(run, loss=law.loss(run.parameters, run.unique, run.tokens) * math.exp(min(max(each, -1.0), 1.0)))
            for run, each in zip(runs, off, strict=True)
        ]
        found.append(_law(_minimized(best, made)))
    return tuple(found)


def _enough(runs: Sequence[Trained], free: int) -> None:
    many = len({(run.parameters, run.unique, run.tokens) for run in runs})
    if many < free + 2:
        why = ", that of repeats among them," if free == 5 else ""
        raise SelfsownError(
            f"the runs file has {many} different runs; to tell {free} constants{why} takes {free + 2}, better 9"
        )
    for name in ("parameters", "tokens"):
        values = [getattr(run, name) for run in runs]
        if max(values) < 2 * min(values):
            raise SelfsownError(
                f"the runs hardly differ in {name} ({min(values):g} to {max(values):g}); what it is worth cannot be "
                "told from them: let some have twice as many or more"
            )


def _sound(point: Array, error: float) -> None:
    """SelfsownError where the runs follow no such law, or leave one of its constants open."""
    if error > WORST:
        raise SelfsownError(
            f"the runs follow no law of this kind: the best fit is off by {100 * error:.0f} % of the loss, and "
            f"{100 * WORST:.0f} % is the most; look for runs that failed, or for losses that are not nats a token"
        )
    for name, value, low, high in zip(NAMES, point, LOWEST, HIGHEST, strict=False):
        if not low + 1e-6 < value < high - 1e-6:
            vary = "passes over the same data" if name == "R*_D" else "parameters and tokens"
            raise SelfsownError(
                f"the runs do not tell the constant {name}: the best fit stands at the end of what is looked at; "
                f"add runs whose {vary} differ more, better four times and more"
            )


def _law(point: Array, source: str = "") -> Law:
    repeats = math.exp(min(20.0, point[4])) if len(point) > 4 else C4.repeats
    power = float(point[3])
    return Law(source, math.exp(point[0]), math.exp(point[1]), math.exp(point[2]), power, power, repeats)


def _residuals(point: Array, runs: Sequence[Trained]) -> Array:
    """Predicted less measured log loss, of each run."""
    law = _law(point)
    return np.array([math.log(law.loss(run.parameters, run.unique, run.tokens) / run.loss) for run in runs])


def _cost(point: Array, runs: Sequence[Trained]) -> float:
    far = np.abs(_residuals(point, runs))
    return float(np.where(far <= DELTA, far**2 / 2, DELTA * (far - DELTA / 2)).sum())


def _minimized(start: Array, runs: Sequence[Trained]) -> Array:
    """Levenberg's steps on residuals weighted by Huber's rule, derivatives by differences, until they stop to help."""
    point, damping, cost = start.astype(float), 1e-2, _cost(start, runs)
    for _ in range(200):
        here = _residuals(point, runs)
        weights = np.minimum(1.0, DELTA / np.maximum(np.abs(here), 1e-12))
        slopes = np.stack([(_residuals(point + step, runs) - here) / 1e-5 for step in 1e-5 * np.eye(len(point))], 1)
        bent = slopes.T @ (weights[:, None] * slopes)
        down = slopes.T @ (weights * here)
        step = np.linalg.solve(bent + damping * (np.diag(np.diag(bent)) + 1e-9 * np.eye(len(point))), -down)
        trial = np.clip(point + step, LOWEST[: len(point)], HIGHEST[: len(point)])
        if (lower := _cost(trial, runs)) < cost:
            done = cost - lower < 1e-12
            point, cost, damping = trial, lower, damping / 3
            if done:
                break
        elif (damping := damping * 4) > 1e9:
            break
    return point
