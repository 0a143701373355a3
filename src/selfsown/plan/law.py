"""The data-constrained scaling law: what repeats of the same tokens, and more parameters than they feed, are worth.

Muennighoff et al. 2023 (arXiv 2305.16264), with their constants, fitted to models of 7 million parameters and more on
web text: L = E + A / N'^alpha + B / D'^beta, where D' counts repeats at their falling worth, and N' parameters.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Law:
    """The constants; repeats and excess: R*_D and R*_N, how fast repeats and excess parameters lose their worth.

    source: where they are from; tokens, parameters and losses (nats a token) are in its units.
    """

    source: str
    entropy: float
    a: float
    b: float
    alpha: float
    beta: float
    repeats: float = 15.387756
    excess: float = 5.309743

    def worth(self, unique: float, epochs: float) -> float:
        """What `epochs` passes over so many unique tokens are worth, in unique tokens (D')."""
        again = max(epochs - 1, 0.0)
        seen = unique * min(epochs, 1.0)
        return seen + unique * self.repeats * -math.expm1(-again / self.repeats)

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
)
CHINCHILLA = Law(
    "Besiroglu et al. 2024, Hoffmann's runs fitted anew (95 %: beta 0.32 to 0.41, B 1,042 to 5,811)",
    1.81686,
    482.01,
    2085.43,
    0.34781,
    0.36585,
)
LAWS = {"c4": C4, "chinchilla": CHINCHILLA}
