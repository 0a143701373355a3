"""The data-constrained scaling law of Muennighoff et al. 2023 (arXiv 2305.16264).

L = E + A / N'^alpha + B / D'^beta. D' are the effective tokens, in which repeated tokens count less with each epoch;
N' are the effective parameters, in which parameters beyond the compute-optimal number count less.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Range = tuple[float, float]
MAX_TOKENS = 1e18
SEARCH_STEPS = 200  # of a bisection
SPLITS = 10_000  # candidate model sizes on either side of the single-epoch optimum


@dataclass(frozen=True)
class ScalingLaw:
    """The constants, named as in the paper; losses are in nats per token.

    source: where the constants are from.
    r_d: R*_D, how fast repeated tokens lose their value.
    r_n: R*_N, how fast excess parameters lose their value.
    fitted_parameters, fitted_tokens: smallest and largest number in the runs that the constants were fitted to.
    ranges: interval of each constant, where one is known; interval_percent: the share of estimates within it.
    borrowed: constants taken from the C4 fit.
    """

    source: str
    e: float
    a: float
    b: float
    alpha: float
    beta: float
    r_d: float = 15.387756
    r_n: float = 5.309743
    fitted_parameters: Range = (0.0, math.inf)
    fitted_tokens: Range = (0.0, math.inf)
    ranges: Mapping[str, Range] = field(default_factory=dict)
    interval_percent: int = 95
    borrowed: tuple[str, ...] = ()

    @property
    def constants(self) -> dict[str, float]:
        """The constants by their names in the paper."""
        names = ("E", "A", "B", "alpha", "beta", "R*_D", "R*_N")
        values = (self.e, self.a, self.b, self.alpha, self.beta, self.r_d, self.r_n)
        return dict(zip(names, values, strict=True))

    def extrapolates(self, parameters: float, *tokens: float, below: float = 1, above: float = 1) -> bool:
        """Whether a number lies more than `below` times under or `above` times over the runs that were fitted."""
        checks = [(self.fitted_parameters, parameters), *((self.fitted_tokens, count) for count in tokens)]
        return any(value < low / below or value > high * above for (low, high), value in checks)

    def effective_tokens(self, unique: float, epochs: float) -> float:
        """D': the number of new tokens that `epochs` passes over `unique` tokens are worth."""
        repeats = max(epochs - 1, 0.0)
        seen = unique * min(epochs, 1.0)
        return seen + unique * self.r_d * -math.expm1(-repeats / self.r_d)

    def epochs_for(self, unique: float, effective: float) -> float:
        """The epochs over `unique` tokens that are worth `effective` tokens; infinite from the maximum on."""
        decay = (effective / unique - 1) / self.r_d
        return max(1.0, 1 - self.r_d * math.log1p(-decay)) if decay < 1 else math.inf

    def max_effective_tokens(self, unique: float) -> float:
        """The limit of the effective tokens for infinitely many epochs."""
        return unique * (1 + self.r_d)

    def marginal_value(self, epochs: float) -> float:
        """The value of one more token after this many epochs, relative to a new token."""
        return math.exp(-max(epochs - 1, 0.0) / self.r_d)

    def loss(self, parameters: float, unique: float, tokens: float) -> float:
        """The loss of a model of this size after `tokens` training tokens, of which `unique` are unique."""
        return self.loss_at(parameters, unique, self.effective_tokens(unique, tokens / unique))

    def loss_at(self, parameters: float, unique: float, effective: float) -> float:
        """The loss at a known number of effective tokens; parameters beyond the optimum for `unique` count less."""
        useful = min(parameters, self.optimal_parameters(unique))
        excess = max(parameters / useful - 1, 0.0)
        effective_parameters = useful + useful * self.r_n * -math.expm1(-excess / self.r_n)
        return self.e + self.a * math.pow(effective_parameters, -self.alpha) + self.b * math.pow(effective, -self.beta)

    def effective_tokens_for(self, parameters: float, loss: float, real: float = 0.0, epochs: float = 1.0) -> float:
        """The effective tokens that a model of this size needs for this loss; infinite if none suffice.

        Up to `epochs` passes over the `real` tokens, only these are unique, and repeats support no more parameters;
        the missing rest is new tokens, which do. Found by bisection.
        """
        repeated = self.effective_tokens(real, epochs)

        def too_few(effective: float) -> bool:
            unique = min(effective, real) + max(0.0, effective - repeated)
            return self.loss_at(parameters, unique, effective) > loss

        low, high = 1.0, MAX_TOKENS
        if too_few(high):
            return math.inf
        for _ in range(SEARCH_STEPS):
            middle = math.sqrt(low * high)
            low, high = (middle, high) if too_few(middle) else (low, middle)
        return high

    def optimal_parameters(self, tokens: float) -> float:
        """The compute-optimal number of parameters for this many unique tokens (one epoch)."""
        g = self._g()
        return math.pow(tokens * g, self.beta / self.alpha) * g

    def optimal_split(self, compute: float, unique: float) -> tuple[float, float]:
        """Parameters and tokens with the lowest loss at `compute` = 6 N D FLOPs; the `unique` tokens may repeat."""
        return min(self._splits(compute), key=lambda split: self.loss(split[0], unique, split[1]))

    def _splits(self, compute: float) -> Sequence[tuple[float, float]]:
        """Candidate sizes from 1/55 of the single-epoch optimum to 55 times it."""
        middle = self._g() * math.pow(compute / 6, self.beta / (self.alpha + self.beta))
        sizes = [middle * math.exp((step - SPLITS) / 2_500) for step in range(2 * SPLITS + 1)]
        return [(size, compute / 6 / size) for size in sizes]

    def _g(self) -> float:
        return math.pow(self.alpha * self.a / (self.beta * self.b), 1 / (self.alpha + self.beta))


C4 = ScalingLaw(
    "Muennighoff et al. 2023, fitted on C4",
    math.exp(0.6254804),
    math.exp(6.255414),
    math.exp(7.3049974),
    0.3526596,
    0.3526596,
    fitted_parameters=(7e6, 9e9),
    fitted_tokens=(1e8, 9e11),
)
CHINCHILLA = ScalingLaw(
    "Besiroglu et al. 2024, a new fit of the runs of Hoffmann et al.",
    1.81686,
    482.01,
    2085.43,
    0.34781,
    0.36585,
    fitted_parameters=(7e7, 1.6e10),
    fitted_tokens=(5e9, 5e11),
    # B's as they give it; the others are 1.96 of their standard errors (0.026, 125, 0.015, 0.021) to each side.
    ranges={
        "E": (1.766, 1.868),
        "A": (237.0, 727.0),
        "B": (1042.0, 5811.0),
        "alpha": (0.318, 0.377),
        "beta": (0.325, 0.407),
    },
    borrowed=("R*_D", "R*_N"),
)
LAWS = {"c4": C4, "chinchilla": CHINCHILLA}
