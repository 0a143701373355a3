"""The plan in sentences: the data and the target, the risks, the warnings, and the conclusion."""

from __future__ import annotations

from selfsown.plan.number_units import format_amount
from selfsown.plan.planner import FEW_EPOCHS, MAX_EPOCHS, MAX_FACTOR_ABOVE, MAX_FACTOR_BELOW, Plan
from selfsown.plan.risk import Policy
from selfsown.plan.scaling_law import ScalingLaw


def summary(plan: Plan) -> list[str]:
    """The data, the constants, the target, and what repeats alone would take."""
    law, real = plan.law, plan.real_tokens
    lines = [
        f"{format_amount(real)} real tokens{_counted(plan)}, a model of {format_amount(plan.parameters)} parameters.",
        f"Constants: {_constants(law)}",
    ]
    limit = f"Repeats of the real data are never worth more than {_limit(plan)} effective tokens."
    if not plan.extrapolated:
        optimum = f"{format_amount(real)} tokens are compute-optimal for {format_amount(law.optimal_parameters(real))}"
        limit = f"{optimum} parameters (one epoch). {limit}"
    missing = f"{format_amount(plan.gap)} are missing" if plan.gap else "nothing is missing"
    lines += [
        limit,
        f"The target is {format_amount(plan.target)} effective tokens. {plan.epochs:.3g} epochs over the real data are "
        f"worth {format_amount(plan.effective_tokens)}; {missing}.",
    ]
    if plan.repeats_only.feasibility == "infeasible":
        lines.append("Repeats alone never reach the target: it exceeds their maximum.")
    elif plan.gap and not plan.extrapolated:
        lines.append(f"Repeats alone also reach the target, {_repeats(plan)}.")
    return lines


def risks(plan: Plan) -> list[str]:
    """What the policy does to bias, tails and accuracy, and which inputs are assumptions."""
    lines = [_bias_risk(plan), _tail_risk(plan), _accuracy_risk(plan)]
    if generation := plan.risk.bias_alarm_generation:
        lines.append(f"The monitor's bias signal is expected to raise an alarm in generation {generation}.")
    return lines


def _bias_risk(plan: Plan) -> str:
    policy, risk = plan.policy, plan.risk
    assumed = _assumed(policy, "temperature", "verifier_odds", "majority_share", "generations")
    return (
        f"Bias, over {policy.generations} generations at temperature {policy.temperature:g}, with a verifier that "
        f"passes the most common value of an attribute {policy.verifier_odds:g} times as often: the share of this "
        f"value goes from {policy.majority_share:.3f} to {risk.accumulated_share:.3f} if real rows stay and are "
        f"{100 * risk.real_share:.0f} % of all (the lowest share of this plan), and to {risk.replaced_share:.3f} if "
        f"they are replaced.{assumed}"
    )


def _tail_risk(plan: Plan) -> str:
    policy = plan.policy
    adjusted = ""
    if policy.temperature != 1:
        direction = "more" if policy.temperature < 1 else "fewer"
        adjusted = f"; at temperature {policy.temperature:g}, {direction}"
    return (
        "Tails: if real rows stay, as planned here, no rare kind leaves the data. If they were replaced by as many "
        f"synthetic rows each generation, without a guard, {100 * plan.risk.lost_rare_kinds:.0f} % of the kinds that "
        f"occur once among them would be lost after {policy.generations} generations{adjusted}."
    )


def _accuracy_risk(plan: Plan) -> str:
    policy, risk = plan.policy, plan.risk
    required = f"{100 * policy.min_accuracy:.3g} %"
    condition = f"No verifier keeps it at {required}"
    if risk.max_wrong_pass_ratio:
        condition = f"To keep {required}, this ratio must be {risk.max_wrong_pass_ratio:.2f} or less"
    return (
        f"Accuracy: a model that forgets {100 * policy.forgetting:g} % per generation, with a verifier that passes "
        f"wrong rows {policy.wrong_pass_ratio:g} times as often as right ones, settles at "
        f"{100 * risk.settled_accuracy:.1f} %. {condition}.{_assumed(policy, 'forgetting', 'wrong_pass_ratio')}"
    )


def warnings(plan: Plan) -> list[str]:
    """Where the law is extrapolated beyond the runs that it was fitted to."""
    law = plan.law
    if not law.extrapolates(plan.parameters, plan.real_tokens, plan.target):
        return []
    no_verdict = ""
    if plan.extrapolated:
        no_verdict = (
            f" More than {MAX_FACTOR_BELOW:.0f} times below or {MAX_FACTOR_ABOVE:.0f} times above the fitted runs, "
            "there is no verdict."
        )
    remedy = "Fit the constants to seven or more short runs of your own: --runs FILE."
    if law.source.startswith("your own"):
        remedy = "Add runs closer to this size."
    return [
        f"Warning: the constants were fitted to {_fitted_to(law)}; this plan has {format_amount(plan.parameters)} "
        f"parameters, {format_amount(plan.real_tokens)} real tokens and a target of {format_amount(plan.target)}, with "
        f"a predicted loss of {plan.loss:.3g} nats per token.{no_verdict} {remedy}"
    ]


def conclusion(plan: Plan) -> str:
    """The answer in one or two sentences."""
    target = f"{format_amount(plan.target)} effective tokens"
    names = ", ".join(option.kind.name for option in plan.best_options)
    sentences = {
        "unknown": f"whether {target} can be reached is unknown with these constants",
        "enough": f"real data is enough for {target}, with {plan.epochs:.3g} epochs",
        "safe": f"{target} can be reached safely with {names} data",
        "unsafe_policy": _unsafe(plan, target, names),
        "repeats": _by_repeats(plan, target, names),
        "best_case": f"{target} can be reached only if {names} data has the highest value in its range: measure it",
        "too_many_epochs": f"whether {target} can be reached with real data alone, {_repeats(plan)}, is unknown; "
        f"beyond {MAX_EPOCHS:.0f} epochs models overfit, which the law does not show",
        "infeasible": _infeasible(plan, target),
    }
    return f"Conclusion: {sentences[plan.feasibility]}."


def _unsafe(plan: Plan, target: str, names: str) -> str:
    sentence = f"{target} cannot be reached safely with {names} data and this policy: {_dangers(plan)}"
    if plan.repeats_only.feasibility == "repeats":
        sentence += f". It can be reached with real data alone, {_repeats(plan)}"
    return sentence


def _by_repeats(plan: Plan, target: str, names: str) -> str:
    sentence = f"{target} can be reached with real data alone, {_repeats(plan)}"
    if plan.best_options and plan.best_options[0].feasibility == "best_case":
        sentence += (
            f"; if {names} data has the highest value in its range, {FEW_EPOCHS:.0f} epochs are enough: measure it"
        )
    return sentence


def _repeats(plan: Plan) -> str:
    """The cost of repeating the real data until it is worth the target."""
    repeats = plan.repeats_only
    few = 6 * plan.parameters * FEW_EPOCHS * plan.real_tokens
    return (
        f"in {repeats.epochs:.3g} epochs: a token of the last epoch is worth {100 * repeats.marginal_value:.2g} % of a "
        f"new one, and training takes {repeats.flops:.2g} FLOPs ({FEW_EPOCHS:.0f} epochs: {few:.2g})"
    )


def _dangers(plan: Plan) -> str:
    policy, risk = plan.policy, plan.risk
    dangers = []
    if risk.bias_alarm_generation:
        dangers.append(
            f"the bias signal is expected to raise an alarm in generation {risk.bias_alarm_generation} of "
            f"{policy.generations}, as the most common value goes from {policy.majority_share:.3f} to "
            f"{risk.accumulated_share:.3f} with {100 * risk.real_share:.0f} % real rows (use a temperature closer to 1 "
            "and a verifier that passes all values equally)"
        )
    if risk.accuracy_too_low:
        dangers.append(
            f"accuracy settles at {100 * risk.settled_accuracy:.1f} %, below the required "
            f"{100 * policy.min_accuracy:.3g} % (use a stricter verifier or a model that forgets less)"
        )
    return "; and ".join(dangers)


def _infeasible(plan: Plan, target: str) -> str:
    safe = [option for option in plan.options if not option.risk.unsafe]
    added = max((option.max_safe_tokens * option.kind.max_value for option in safe), default=0.0)
    best = max(plan.effective_tokens + max(0.0, added), plan.law.effective_tokens(plan.real_tokens, MAX_EPOCHS))
    return (
        f"{target} cannot be reached safely: it exceeds the maximum of repeats, and with so much synthetic data the "
        f"real share would fall below {100 * plan.min_real_share:.0f} %, or below what is known to be safe for the "
        f"kind. {format_amount(best)} effective tokens can be reached at best"
    )


def _constants(law: ScalingLaw) -> str:
    """The constants with their ranges, and which of them are borrowed."""
    constants = [f"{name} {value:,.4g}{_range(law, name)}" for name, value in law.constants.items()]
    ranges = "Ranges are unknown."
    if law.ranges:
        ranges = f"In brackets: the range of {law.interval_percent} % of the estimates."
    borrowed = ""
    if law.borrowed:
        borrowed = f" Taken from Muennighoff et al. 2023, without a range: {' and '.join(law.borrowed)}."
    return f"{law.source}: {', '.join(constants)}. {ranges}{borrowed} Fitted to {_fitted_to(law)}."


def _range(law: ScalingLaw, name: str) -> str:
    return " ({:,.4g} to {:,.4g})".format(*law.ranges[name]) if name in law.ranges else ""


def _fitted_to(law: ScalingLaw) -> str:
    smallest, largest = map(format_amount, law.fitted_parameters)
    fewest, most = map(format_amount, law.fitted_tokens)
    return f"models of {smallest} to {largest} parameters and {fewest} to {most} tokens"


def _limit(plan: Plan) -> str:
    limit = format_amount(plan.law.max_effective_tokens(plan.real_tokens))
    if interval := plan.law.ranges.get("R*_D"):
        low, high = (format_amount(plan.real_tokens * (1 + r_d)) for r_d in interval)
        return f"{limit} ({low} to {high})"
    return limit


def _counted(plan: Plan) -> str:
    if not plan.chars_per_token:
        return ""
    return f" (counted at {plan.chars_per_token:g} characters per token, an assumption; see --chars-per-token)"


def _assumed(policy: Policy, *names: str) -> str:
    """The options that have their default values."""
    default = Policy()
    assumed = [
        f"--{name.replace('_', '-')} {getattr(default, name):g}"
        for name in names
        if getattr(policy, name) == getattr(default, name)
    ]
    return f" Assumed, not measured: {', '.join(assumed)}." if assumed else ""
