"""The plan: repeats, the gap that they leave, which synthetic data closes it, at what real share, cost and risk."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from selfsown import yardsticks
from selfsown.plan.law import Law
from selfsown.plan.sources import FLOOR, Source

EPOCHS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 40, 100)
FEW = 4.0  # passes over real data that lose little: 93 % of a new token's worth on average
Reach = Literal["enough", "safe", "perhaps", "no"]


@dataclass(frozen=True)
class Policy:
    """How rows are to be made: the temperature; the verifier's odds of passing the most common value of an attribute
    against the others, whose share among real rows is `share`; how often it passes a wrong row against a right one; the
    share of what it knows that a model loses a generation; how many generations."""

    temperature: float = 1.0
    odds: float = 1.0
    share: float = 0.6
    wrong_to_right: float = 0.05
    error: float = 0.03
    generations: int = 5


@dataclass(frozen=True)
class Option:
    """One kind of synthetic data: how many tokens close the gap, at its best and at its least worth; the share of real
    tokens that then remains; most: how many may be had safely; dollars for making them, where the price is known."""

    source: Source
    needed: tuple[float, float]
    real_share: tuple[float, float]
    most: float
    dollars: tuple[float, float] | None
    reach: Reach


@dataclass(frozen=True)
class Plan:
    """worth: of the passes over the real tokens; gap: what the target has beyond that, both in new real tokens."""

    law: Law
    real: float
    parameters: float
    target: float
    epochs: float
    worth: float
    gap: float
    options: tuple[Option, ...]
    policy: Policy
    floor: float

    @property
    def reach(self) -> Reach:
        """The best that any kind offers."""
        order: tuple[Reach, ...] = ("enough", "safe", "perhaps", "no")
        return min((option.reach for option in self.options), key=order.index, default="no" if self.gap else "enough")

    @property
    def compute(self) -> float:
        """FLOPs of training: 6 a parameter and token seen, with repeats and the fewest synthetic tokens that may do."""
        made = min((option.needed[0] for option in self.options), default=0.0)
        return 6 * self.parameters * (self.epochs * self.real + (made if math.isfinite(made) else 0.0))


def plan(
    law: Law,
    amounts: tuple[float, float, float],
    sources: Sequence[Source],
    policy: Policy,
    *,
    floor: float = FLOOR,
    price: float | None = None,
    passes: float = 1.0,
) -> Plan:
    """amounts: real tokens, the model's parameters, and the target in tokens' worth. price: dollars for a million
    tokens made; passes: the share of them that the graders let through. Real data is repeated as little as the target
    asks for, and four times at the most: beyond, new tokens are worth far more."""
    real, parameters, target = amounts
    epochs = next((e / 100 for e in range(100, int(100 * FEW)) if law.worth(real, e / 100) >= target), FEW)
    worth = law.worth(real, epochs)
    gap = max(0.0, target - worth)
    options = tuple(_option(source, gap, epochs * real, floor, price and price / passes) for source in sources)
    return Plan(law, real, parameters, target, epochs, worth, gap, options, policy, floor)


def _option(source: Source, gap: float, seen: float, floor: float, price: float | None) -> Option:
    least_real = max(floor, 1 - source.most)
    most = seen * (1 - least_real) / least_real
    best, worst = (gap / worth if worth else math.inf * gap if gap else 0.0 for worth in (source.high, source.low))
    shares = tuple(seen / (seen + needed) if math.isfinite(needed) else 0.0 for needed in (best, worst))
    dollars = (best * price / 1e6, worst * price / 1e6) if price is not None else None
    reach: Reach = "enough" if not gap else "safe" if worst <= most else "perhaps" if best <= most else "no"
    return Option(source, (best, worst), (shares[0], shares[1]), most, dollars, reach)


@dataclass(frozen=True)
class Risk:
    """What the policy does over its generations, without chance: the share of the most common value, accumulated at the
    real share and replaced; the rare kinds that are lost where data is replaced; where accuracy comes to rest; how weak
    a verifier may be for that to be 95 % or more; bias_alarm: the first generation whose log-odds moved by 0.2."""

    share: float
    replaced: float
    forgotten: float
    settled: float
    weakest: float
    bias_alarm: int


def risk(policy: Policy, real_share: float) -> Risk:
    """The closed forms of yardsticks.py for this policy."""
    t, real = policy.generations, min(max(real_share, 0.0), 1.0)
    shares = [yardsticks.projected(policy.share, policy.temperature, policy.odds, at, real) for at in range(t + 1)]
    moved = [abs(_logit(each) - _logit(policy.share)) > 0.2 for each in shares]
    return Risk(
        shares[-1],
        yardsticks.replaced(policy.share, policy.temperature, policy.odds, t),
        yardsticks.forgotten(t),
        yardsticks.settled(policy.error, policy.wrong_to_right),
        yardsticks.weakest_verifier(policy.error, 0.95),
        moved.index(True) if any(moved) else 0,
    )


def _logit(share: float) -> float:
    return math.log(share / (1 - share)) if 0 < share < 1 else math.copysign(math.inf, share - 0.5)
