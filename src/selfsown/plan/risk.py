"""What a generation policy does to bias, rare kinds and accuracy over generations (stats/closed_forms.py)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from selfsown.stats import closed_forms

MAX_LOG_ODDS_CHANGE = 0.2  # of a value's share, above which the monitor's bias signal is expected to raise an alarm


@dataclass(frozen=True)
class Policy:
    """How synthetic rows are generated and verified.

    temperature: sampling temperature.
    verifier_odds: odds with which the verifier passes the most common value of an attribute, relative to other values.
    majority_share: share of that value among the real rows.
    wrong_pass_ratio: pass rate of wrong rows divided by that of right rows.
    forgetting: share of its knowledge that the model loses per generation.
    generations: number of generations.
    min_accuracy: lowest acceptable long-run accuracy.
    """

    temperature: float = 1.0
    verifier_odds: float = 1.0
    majority_share: float = 0.6
    wrong_pass_ratio: float = 0.05
    forgetting: float = 0.03
    generations: int = 5
    min_accuracy: float = 0.95


@dataclass(frozen=True)
class Risk:
    """The expected effect of a policy after its last generation.

    real_share: lowest share of real rows in the training data that is assumed.
    accumulated_share: share of the most common value if real rows stay.
    replaced_share: the same if synthetic rows replace the real ones.
    lost_rare_kinds: share of the kinds that occur once among the real rows and are lost if data is replaced.
    settled_accuracy: long-run accuracy.
    max_wrong_pass_ratio: largest wrong_pass_ratio at which the accuracy stays at min_accuracy or above.
    bias_alarm_generation: first generation whose log-odds changed by more than MAX_LOG_ODDS_CHANGE; 0 for none.
    accuracy_too_low: whether the long-run accuracy is below min_accuracy.
    """

    real_share: float
    accumulated_share: float
    replaced_share: float
    lost_rare_kinds: float
    settled_accuracy: float
    max_wrong_pass_ratio: float
    bias_alarm_generation: int
    accuracy_too_low: bool

    @property
    def unsafe(self) -> bool:
        return self.accuracy_too_low or self.bias_alarm_generation > 0


def risk(policy: Policy, real_share: float) -> Risk:
    """The risk of a policy if real rows are at least `real_share` of the training data of each generation."""
    share, temperature, odds = policy.majority_share, policy.temperature, policy.verifier_odds
    shares = [
        closed_forms.projected(share, temperature, odds, generation, real_share)
        for generation in range(policy.generations + 1)
    ]
    changed = [abs(_logit(projected) - _logit(share)) > MAX_LOG_ODDS_CHANGE for projected in shares]
    settled = closed_forms.settled(policy.forgetting, policy.wrong_pass_ratio)
    return Risk(
        real_share=real_share,
        accumulated_share=shares[-1],
        replaced_share=closed_forms.replaced(share, temperature, odds, policy.generations),
        lost_rare_kinds=closed_forms.forgotten(policy.generations),
        settled_accuracy=settled,
        max_wrong_pass_ratio=closed_forms.weakest_verifier(policy.forgetting, policy.min_accuracy),
        bias_alarm_generation=changed.index(True) if any(changed) else 0,
        accuracy_too_low=settled < policy.min_accuracy,
    )


def _logit(share: float) -> float:
    return math.log(share / (1 - share)) if 0 < share < 1 else math.copysign(math.inf, share - 0.5)
