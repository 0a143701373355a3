"""What a way of making rows does over its generations, without chance: the closed forms of yardsticks.py."""

from __future__ import annotations

import math
from dataclasses import dataclass

from selfsown.stats import closed_forms

MOVED = 0.2  # the change of a value's log-odds from which on the monitor's bias signal fires


@dataclass(frozen=True)
class Policy:
    """How rows are to be made: the temperature; the verifier's odds of passing the most common value of an attribute
    against the others, whose share among real rows is `share`; how often it passes a wrong row against a right one; the
    share of what it knows that a model loses a generation; how many generations; the accuracy that is to be held."""

    temperature: float = 1.0
    odds: float = 1.0
    share: float = 0.6
    wrong_to_right: float = 0.05
    error: float = 0.03
    generations: int = 5
    accuracy: float = 0.95


@dataclass(frozen=True)
class Risk:
    """The share of the most common value, accumulated at this real share and replaced; the rare kinds that are lost
    where data is replaced; where accuracy comes to rest; how weak a verifier may be for that to be what is wanted;
    bias_alarm: the first generation whose log-odds moved too far, or 0; too_weak: accuracy falls below what is wanted.
    """

    real_share: float
    share: float
    replaced: float
    forgotten: float
    settled: float
    weakest: float
    bias_alarm: int
    too_weak: bool

    @property
    def alarm(self) -> bool:
        return self.too_weak or self.bias_alarm > 0


def risk(policy: Policy, real_share: float) -> Risk:
    """Of this policy, where the real rows are at least this share of what each generation learns from."""
    t = policy.generations
    shares = [
        closed_forms.projected(policy.share, policy.temperature, policy.odds, at, real_share) for at in range(t + 1)
    ]
    moved = [abs(_logit(each) - _logit(policy.share)) > MOVED for each in shares]
    settled = closed_forms.settled(policy.error, policy.wrong_to_right)
    return Risk(
        real_share,
        shares[-1],
        closed_forms.replaced(policy.share, policy.temperature, policy.odds, t),
        closed_forms.forgotten(t),
        settled,
        closed_forms.weakest_verifier(policy.error, policy.accuracy),
        moved.index(True) if any(moved) else 0,
        settled < policy.accuracy,
    )


def _logit(share: float) -> float:
    return math.log(share / (1 - share)) if 0 < share < 1 else math.copysign(math.inf, share - 0.5)
