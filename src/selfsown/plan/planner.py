"""The plan: the value of repeated real data, the gap to the target, and the synthetic data that would close it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from selfsown.plan.risk import Policy, Risk, risk
from selfsown.plan.scaling_law import ScalingLaw
from selfsown.plan.synthetic_kinds import MIN_REAL_SHARE, SyntheticKind

EPOCHS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 40, 100)  # of the table
FEW_EPOCHS = 4.0  # repeats up to here lose little: 93 % of a new token's value on average
MAX_EPOCHS = 16.0  # beyond it models overfit, which the law does not show
# How far below and above the fitted runs the law is still used. It is meant to be extrapolated upward; downward, the
# loss soon exceeds that of a uniform guess.
MAX_FACTOR_BELOW, MAX_FACTOR_ABOVE = 10.0, 100.0
Feasibility = Literal[
    "enough", "safe", "unsafe_policy", "repeats", "best_case", "too_many_epochs", "infeasible", "unknown"
]
BEST_FIRST: tuple[Feasibility, ...] = (
    "unknown",
    "enough",
    "safe",
    "unsafe_policy",
    "repeats",
    "best_case",
    "too_many_epochs",
    "infeasible",
)


@dataclass(frozen=True)
class SyntheticOption:
    """One kind of synthetic data. Pairs are at the kind's highest value, then at its lowest.

    tokens_needed: synthetic tokens that close the gap.
    real_share: share of real tokens among all training tokens that then remains.
    max_safe_tokens: largest number of synthetic tokens that is safe.
    cost_usd: cost of generating them; None where the price is unknown.
    risk: risk of the policy at the lowest real share that would be accepted.
    """

    kind: SyntheticKind
    tokens_needed: tuple[float, float]
    real_share: tuple[float, float]
    max_safe_tokens: float
    cost_usd: tuple[float, float] | None
    risk: Risk
    feasibility: Feasibility


@dataclass(frozen=True)
class RepeatsOption:
    """Real data alone, repeated until it is worth the target.

    epochs: number of epochs; infinite beyond the maximum of the effective tokens.
    marginal_value: value of a token of the last epoch, relative to a new token.
    flops: compute of training.
    feasibility: "repeats"; "infeasible" beyond the maximum; "too_many_epochs" above MAX_EPOCHS, also if only at the
    lower end of the range of R*_D.
    """

    epochs: float
    marginal_value: float
    flops: float
    feasibility: Feasibility


@dataclass(frozen=True)
class Plan:
    """The plan for a target.

    epochs: epochs over the real tokens, FEW_EPOCHS at most.
    effective_tokens: their value in new real tokens.
    gap: what the target has beyond that, in new real tokens.
    repeats_only: real data alone, with as many epochs as it takes.
    loss: predicted loss where the target is reached, in nats per token.
    extrapolated: whether the numbers lie too far outside of the fitted runs for a verdict.
    chars_per_token: assumption by which tokens were counted; 0 where the user gave their number.
    """

    law: ScalingLaw
    real_tokens: float
    parameters: float
    target: float
    epochs: float
    effective_tokens: float
    gap: float
    repeats_only: RepeatsOption
    options: tuple[SyntheticOption, ...]
    policy: Policy
    min_real_share: float
    loss: float
    extrapolated: bool
    chars_per_token: float = 0.0

    @property
    def feasibility(self) -> Feasibility:
        """The best of all options. A policy that is unsafe with enough rows is reported before repeats alone."""
        if self.extrapolated:
            return "unknown"
        if not self.gap:
            return "enough"
        options = (self.repeats_only.feasibility, *(option.feasibility for option in self.options))
        return min(options, key=BEST_FIRST.index)

    @property
    def best_options(self) -> list[SyntheticOption]:
        """The kinds with the best feasibility of all kinds."""
        best = min((BEST_FIRST.index(option.feasibility) for option in self.options), default=0)
        return [option for option in self.options if option.feasibility == BEST_FIRST[best]]

    @property
    def risk(self) -> Risk:
        """The risk of the policy at the lowest real share of the best kinds."""
        return min((option.risk for option in self.best_options), key=lambda option_risk: option_risk.real_share)

    @property
    def flops(self) -> float:
        """Compute of training: 6 per parameter and token seen, with repeats and the fewest synthetic tokens."""
        synthetic = min((option.tokens_needed[0] for option in self.options), default=0.0)
        if not math.isfinite(synthetic):
            synthetic = 0.0
        return 6 * self.parameters * (self.epochs * self.real_tokens + synthetic)


def plan(
    law: ScalingLaw,
    amounts: tuple[float, float, float],
    kinds: Sequence[SyntheticKind],
    policy: Policy,
    *,
    min_real_share: float = MIN_REAL_SHARE,
    price: float | None = None,
    repeats_target: float | None = None,
) -> Plan:
    """Plan for a target, with as few repeats as it requires and FEW_EPOCHS at most; then new tokens are worth far more.

    amounts: real tokens, model parameters, and the target in effective tokens.
    kinds: one or more.
    price: US dollars per million synthetic tokens that the graders keep.
    repeats_target: the target for repeats alone, if it is another, since repeats support fewer parameters.
    """
    real, parameters, target = amounts
    required = _round_up(law.epochs_for(real, target))
    epochs = min(FEW_EPOCHS, required)
    effective = law.effective_tokens(real, epochs)
    gap = target - effective if required > FEW_EPOCHS else 0.0
    extrapolated = law.extrapolates(parameters, real, target, below=MAX_FACTOR_BELOW, above=MAX_FACTOR_ABOVE)
    options = [_synthetic_option(kind, gap, epochs * real, policy, min_real_share, price) for kind in kinds]
    return Plan(
        law=law,
        real_tokens=real,
        parameters=parameters,
        target=target,
        epochs=epochs,
        effective_tokens=effective,
        gap=gap,
        repeats_only=_repeats_option(law, real, parameters, repeats_target or target),
        options=tuple(replace(option, feasibility="unknown") if extrapolated else option for option in options),
        policy=policy,
        min_real_share=min_real_share,
        loss=law.loss_at(parameters, real + gap, target),
        extrapolated=extrapolated,
    )


def _repeats_option(law: ScalingLaw, real: float, parameters: float, target: float) -> RepeatsOption:
    pessimistic = replace(law, r_d=law.ranges.get("R*_D", (law.r_d,))[0])
    epochs = _round_up(law.epochs_for(real, target))
    feasibility: Feasibility = "repeats"
    if math.isinf(epochs):
        feasibility = "infeasible"
    elif max(epochs, _round_up(pessimistic.epochs_for(real, target))) > MAX_EPOCHS:
        feasibility = "too_many_epochs"
    return RepeatsOption(epochs, law.marginal_value(epochs), 6 * parameters * epochs * real, feasibility)


def _round_up(epochs: float) -> float:
    """To hundredths, so that the rounded number still reaches the target."""
    return math.ceil(round(100 * epochs, 6)) / 100 if math.isfinite(epochs) else epochs


def _synthetic_option(
    kind: SyntheticKind, gap: float, seen: float, policy: Policy, min_real_share: float, price: float | None
) -> SyntheticOption:
    """seen: real training tokens, with repeats."""
    lowest_share = max(min_real_share, 1 - kind.max_share)
    max_safe = seen * (1 - lowest_share) / lowest_share
    needed = (_tokens_needed(gap, kind.max_value), _tokens_needed(gap, kind.min_value))
    shares = (_real_share(seen, needed[0]), _real_share(seen, needed[1]))
    option_risk = risk(policy, max(lowest_share, shares[1] if gap else 0.0))
    return SyntheticOption(
        kind=kind,
        tokens_needed=needed,
        real_share=shares,
        max_safe_tokens=max_safe,
        cost_usd=None if price is None else (_cost(needed[0], price), _cost(needed[1], price)),
        risk=option_risk,
        feasibility=_feasibility(gap, needed, max_safe, option_risk),
    )


def _feasibility(gap: float, needed: tuple[float, float], max_safe: float, option_risk: Risk) -> Feasibility:
    fewest, most = needed
    if fewest > max_safe:
        return "infeasible"
    if not gap:
        return "enough"
    if option_risk.unsafe:
        return "unsafe_policy"
    return "safe" if most <= max_safe else "best_case"


def _tokens_needed(gap: float, value: float) -> float:
    """Synthetic tokens of this relative value that close the gap: none without a gap, infinite at a value of 0."""
    if not gap:
        return 0.0
    return gap / value if value else math.inf


def _real_share(seen: float, synthetic: float) -> float:
    return seen / (seen + synthetic) if math.isfinite(synthetic) else 0.0


def _cost(tokens: float, price: float) -> float:
    """In US dollars; free tokens cost nothing, however many there are."""
    return tokens * price / 1e6 if price else 0.0
