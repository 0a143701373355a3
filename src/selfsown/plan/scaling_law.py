"""The data-constrained scaling law: what repeats of the same tokens, and more parameters than they feed, are worth.

Muennighoff et al. 2023 (arXiv 2305.16264): L = E + A / N'^alpha + B / D'^beta, where D' counts repeats at their falling
worth, and N' parameters. Each set of constants knows its source, its ranges, and what it was fitted on.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Range = tuple[float, float]


@dataclass(frozen=True)
class Law:
    """The constants; repeats and excess: R*_D and R*_N, how fast repeats and excess parameters lose their worth.

    source: where they are from; tokens, parameters and losses (nats a token) are in its units. sizes and seen: of how
    many parameters and tokens, from the least to the most, the models were that it was fitted to. ranges: where so many
    % (`level`) of the estimates of a constant lie, where that is known; borrowed: constants that are from C4's fit.
    """

    source: str
    entropy: float
    a: float
    b: float
    alpha: float
    beta: float
    repeats: float = 15.387756
    excess: float = 5.309743
    sizes: Range = (0.0, math.inf)
    seen: Range = (0.0, math.inf)
    ranges: Mapping[str, Range] = field(default_factory=dict)
    level: int = 95
    borrowed: tuple[str, ...] = ()

    @property
    def constants(self) -> dict[str, float]:
        """Each by the name that the literature has for it."""
        names = ("E", "A", "B", "alpha", "beta", "R*_D", "R*_N")
        values = (self.entropy, self.a, self.b, self.alpha, self.beta, self.repeats, self.excess)
        return dict(zip(names, values, strict=True))

    def outside(self, parameters: float, *tokens: float, down: float = 1, up: float = 1) -> bool:
        """Whether one of these lies more than so many times below or above what the constants were fitted on."""
        asked = [(self.sizes, parameters), *((self.seen, each) for each in tokens)]
        return any(each < low / down or each > high * up for (low, high), each in asked)

    def worth(self, unique: float, epochs: float) -> float:
        """What `epochs` passes over so many unique tokens are worth, in unique tokens (D')."""
        again = max(epochs - 1, 0.0)
        seen = unique * min(epochs, 1.0)
        return seen + unique * self.repeats * -math.expm1(-again / self.repeats)

    def passes(self, unique: float, worth: float) -> float:
        """How many passes over so many unique tokens are worth so much; infinite from the ceiling on."""
        again = (worth / unique - 1) / self.repeats
        return max(1.0, 1 - self.repeats * math.log1p(-again)) if again < 1 else math.inf

    def ceiling(self, unique: float) -> float:
        """What no number of passes exceeds."""
        return unique * (1 + self.repeats)

    def next_pass(self, epochs: float) -> float:
        """What one more token, after so many passes, is worth against a new one."""
        return math.exp(-max(epochs - 1, 0.0) / self.repeats)

    def loss(self, parameters: float, unique: float, tokens: float) -> float:
        """The loss of a model of so many parameters that saw so many tokens, of which so many are unique."""
        return self.of(parameters, unique, self.worth(unique, tokens / unique))

    def of(self, parameters: float, unique: float, worth: float) -> float:
        """The loss where the tokens' worth is known; parameters beyond what is best for `unique` count for less."""
        fed = min(parameters, self.best_parameters(unique))
        more = max(parameters / fed - 1, 0.0)
        effective = fed + fed * self.excess * -math.expm1(-more / self.excess)
        return self.entropy + self.a * math.pow(effective, -self.alpha) + self.b * math.pow(worth, -self.beta)

    def worth_for(self, parameters: float, loss: float, real: float = 0.0, passes: float = 1.0) -> float:
        """The tokens' worth that a model of this size needs for this loss; infinite where it has none.

        Up to so many passes over the real tokens these are all that is unique, and what they are worth beyond one pass
        feeds no more parameters; all that is missing then is new, and does. Found by halving."""
        repeated = self.worth(real, passes)

        def falls_short(worth: float) -> bool:
            return self.of(parameters, min(worth, real) + max(0.0, worth - repeated), worth) > loss

        low, high = 1.0, 1e18
        if falls_short(high):
            return math.inf
        for _ in range(200):
            middle = math.sqrt(low * high)
            low, high = (middle, high) if falls_short(middle) else (low, middle)
        return high

    def best_parameters(self, tokens: float) -> float:
        """How many parameters so many unique tokens feed best (compute-optimal, one pass)."""
        g = self._g()
        return math.pow(tokens * g, self.beta / self.alpha) * g

    def best_split(self, compute: float, unique: float) -> tuple[float, float]:
        """Parameters and tokens that give the lowest loss for 6 N D of compute, repeats of `unique` tokens allowed."""
        return min(self._splits(compute), key=lambda split: self.loss(split[0], unique, split[1]))

    def _splits(self, compute: float) -> Sequence[tuple[float, float]]:
        middle = self._g() * math.pow(compute / 6, self.beta / (self.alpha + self.beta))
        sizes = [middle * math.exp((at - 10_000) / 2_500) for at in range(20_001)]  # from a 55th of it to 55 times it
        return [(size, compute / 6 / size) for size in sizes]

    def _g(self) -> float:
        return math.pow(self.alpha * self.a / (self.beta * self.b), 1 / (self.alpha + self.beta))


C4 = Law(
    "Muennighoff et al. 2023, fitted on C4",
    math.exp(0.6254804),
    math.exp(6.255414),
    math.exp(7.3049974),
    0.3526596,
    0.3526596,
    sizes=(7e6, 9e9),
    seen=(1e8, 9e11),
)
CHINCHILLA = Law(
    "Besiroglu et al. 2024, Hoffmann's runs fitted anew",
    1.81686,
    482.01,
    2085.43,
    0.34781,
    0.36585,
    sizes=(7e7, 1.6e10),
    seen=(5e9, 5e11),
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
