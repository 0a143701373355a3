"""The law's constants from a user's own short runs: Huber loss on the logarithm of the loss, from many starts.

As the law's authors fitted it (Muennighoff et al. 2023, Hoffmann et al. 2022 section 3.3): delta 1e-3, minimized with
alpha = beta. Levenberg's method on residuals that are weighted by Huber's rule does it without a further library.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from selfsown.plan.law import C4, Law
from selfsown.records import SelfsownError

Array = np.ndarray[Any, np.dtype[np.float64]]
LEAST, DELTA, DRAWS = 5, 1e-3, 200
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
    """The law and how far off it is: `error` in log loss; draws: laws of the same runs drawn anew, with repetition."""

    law: Law
    error: float
    draws: tuple[Law, ...]
    runs: int

    def interval(self, measure: Callable[[Law], float]) -> tuple[float, float]:
        """90 % of the drawn laws lie between."""
        low, high = np.quantile([measure(law) for law in self.draws], (0.05, 0.95))
        return float(low), float(high)


def refit(runs: Sequence[Trained], seed: int = 0, draws: int = DRAWS) -> Fit:
    """The constants that fit the runs; repeats' worth too, where some run repeats its data twice or more.

    SelfsownError where the runs are too few, or do not differ enough to tell one constant from the others."""
    _enough(runs)
    repeated = any(run.tokens / run.unique >= 2 for run in runs)
    free = 5 if repeated else 4
    starts = [
        np.array([e, a, b, x, math.log(C4.repeats)])[:free]
        for e in (-0.5, 0.6)
        for a in (2.0, 6.0)
        for b in (2.0, 7.0)
        for x in (0.2, 0.4)
    ]
    best = min((_minimized(start, runs) for start in starts), key=lambda found: _cost(found, runs))
    rng, drawn = np.random.default_rng(seed), list[Law]()
    for _ in range(draws):
        again = [runs[at] for at in rng.integers(0, len(runs), len(runs))]
        drawn.append(_law(_minimized(best, again)))
    error = float(np.sqrt(np.mean(_residuals(best, runs) ** 2)))
    return Fit(_law(best, f"your own {len(runs)} runs"), error, tuple(drawn), len(runs))


def _enough(runs: Sequence[Trained]) -> None:
    many = len({(run.parameters, run.unique, run.tokens) for run in runs})
    if many < LEAST:
        raise SelfsownError(f"the runs file has {many} different runs; a fit takes {LEAST} at least, better 9")
    for name in ("parameters", "tokens"):
        values = [getattr(run, name) for run in runs]
        if max(values) < 2 * min(values):
            raise SelfsownError(
                f"the runs hardly differ in {name} ({min(values):g} to {max(values):g}); what it is worth cannot be "
                "told from them: let some have twice as many or more"
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
        trial = np.clip(point + step, [-4, -3, -3, 0.05, 0.0][: len(point)], [3, 14, 14, 1.0, 7.0][: len(point)])
        if (lower := _cost(trial, runs)) < cost:
            done = cost - lower < 1e-12
            point, cost, damping = trial, lower, damping / 3
            if done:
                break
        elif (damping := damping * 4) > 1e9:
            break
    return point
