"""The plan: repeats, the gap that they leave, which synthetic data closes it, at what real share, cost and risk."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from selfsown.plan.risk import Policy, Risk, risk
from selfsown.plan.scaling_law import Law
from selfsown.plan.synthetic_kinds import FLOOR, Source

EPOCHS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 40, 100)
FEW = 4.0  # passes over real data that lose little: 93 % of a new token's worth on average
MANY = 16.0  # passes beyond which models come to fit their data too closely, which the law cannot show
# So many times below or above what the constants were fitted on nothing is said any more. A law is made to be carried
# upward; downward the loss soon exceeds that of guessing.
DOWN, UP = 10.0, 100.0
Reach = Literal["enough", "safe", "risky", "repeats", "perhaps", "long", "no", "unknown"]
ORDER: tuple[Reach, ...] = ("unknown", "enough", "safe", "risky", "repeats", "perhaps", "long", "no")


@dataclass(frozen=True)
class Option:
    """One kind of synthetic data: how many tokens close the gap, at its best and at its least worth; the share of real
    tokens that then remains; most: how many may be had safely; dollars for making them, where the price is known; risk:
    of the policy, at the least real share that would be gone down to."""

    source: Source
    needed: tuple[float, float]
    real_share: tuple[float, float]
    most: float
    dollars: tuple[float, float] | None
    risk: Risk
    reach: Reach


@dataclass(frozen=True)
class Again:
    """Real data alone, repeated until it is worth the target: passes, without end beyond the ceiling; last: what a
    token of the last is worth against a new one; compute: FLOPs of training; reach: repeats, or no beyond the ceiling,
    or long where these are more passes than the law can be trusted with, be it only at the lower end of R*_D's range.
    """

    passes: float
    last: float
    compute: float
    reach: Reach


@dataclass(frozen=True)
class Plan:
    """worth: of the passes over the real tokens; gap: what the target has beyond that, both in new real tokens; again:
    passes alone, as many as it takes; loss: as predicted where the target is reached; far: what is
    asked lies too far outside of the law for a verdict; characters: so many were counted as a token, 0 where tokens
    were told."""

    law: Law
    real: float
    parameters: float
    target: float
    epochs: float
    worth: float
    gap: float
    again: Again
    options: tuple[Option, ...]
    policy: Policy
    floor: float
    loss: float
    far: bool
    characters: float = 0.0

    @property
    def reach(self) -> Reach:
        """The best that is offered. That a policy would spoil rows otherwise enough outranks that none are needed."""
        if self.far or not self.gap:
            return "unknown" if self.far else "enough"
        return min(self.again.reach, *(option.reach for option in self.options), key=ORDER.index)

    @property
    def best(self) -> list[Option]:
        """The kinds that offer the best of all kinds."""
        best = min((ORDER.index(option.reach) for option in self.options), default=0)
        return [option for option in self.options if option.reach == ORDER[best]]

    @property
    def risk(self) -> Risk:
        """Of the policy, at the least real share that one of the best kinds would leave."""
        return min((option.risk for option in self.best), key=lambda found: found.real_share)

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
    by_repeats: float | None = None,
) -> Plan:
    """amounts: real tokens, the model's parameters, and the target in tokens' worth. sources: one at least. price:
    dollars for a million tokens that the graders let through; by_repeats: the target where nothing but repeats is to
    reach it, if it is another, as they feed fewer parameters. Real data is repeated as little as the target asks for,
    and four times at the most: beyond, new tokens are worth far more."""
    real, parameters, target = amounts
    passes = _hundredths(law.passes(real, target))
    epochs = min(FEW, passes)
    worth = law.worth(real, epochs)
    gap = target - worth if passes > FEW else 0.0
    loss = law.of(parameters, real + gap, target)
    far = law.outside(parameters, real, target, down=DOWN, up=UP)
    options = tuple(_option(source, gap, epochs * real, policy, floor, price) for source in sources)
    if far:
        options = tuple(replace(option, reach="unknown") for option in options)
    again = _again(law, real, parameters, by_repeats or target)
    return Plan(law, real, parameters, target, epochs, worth, gap, again, options, policy, floor, loss, far)


def _again(law: Law, real: float, parameters: float, target: float) -> Again:
    slowest = replace(law, repeats=law.ranges.get("R*_D", (law.repeats,))[0])
    passes, surely = (_hundredths(each.passes(real, target)) for each in (law, slowest))
    reach: Reach = "no" if math.isinf(passes) else "long" if max(passes, surely) > MANY else "repeats"
    return Again(passes, law.next_pass(passes), 6 * parameters * passes * real, reach)


def _hundredths(passes: float) -> float:
    """Rounded up, so that they are worth it."""
    return math.ceil(round(100 * passes, 6)) / 100 if math.isfinite(passes) else passes


def _option(source: Source, gap: float, seen: float, policy: Policy, floor: float, price: float | None) -> Option:
    least_real = max(floor, 1 - source.most)
    most = seen * (1 - least_real) / least_real
    best, worst = (gap / worth if worth else math.inf * gap if gap else 0.0 for worth in (source.high, source.low))
    shares = tuple(seen / (seen + needed) if math.isfinite(needed) else 0.0 for needed in (best, worst))
    dollars = tuple(needed * price / 1e6 if price else 0.0 for needed in (best, worst)) if price is not None else ()
    found = risk(policy, max(least_real, shares[1] if gap else 0.0))
    reach: Reach = "safe" if worst <= most else "perhaps" if best <= most else "no"
    if reach != "no":
        reach = "enough" if not gap else "risky" if found.alarm else reach
    paid = (dollars[0], dollars[1]) if dollars else None
    return Option(source, (best, worst), (shares[0], shares[1]), most, paid, found, reach)
