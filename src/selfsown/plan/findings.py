"""The plan in sentences: what is there, what is risked, what is to be doubted, and the answer."""

from __future__ import annotations

from selfsown.plan.number_units import written
from selfsown.plan.planner import DOWN, FEW, MANY, UP, Plan
from selfsown.plan.risk import Policy
from selfsown.plan.scaling_law import Law


def opening(plan: Plan) -> list[str]:
    """The data, the constants, the target, and what repeats alone would take."""
    law, real = plan.law, plan.real
    fed = f"What is there feeds {written(law.best_parameters(real))} parameters best in one pass. "
    lines = [
        f"{written(real)} real tokens{_counted(plan)}, a model of {written(plan.parameters)} parameters.",
        f"Constants: {_constants(law)}",
        ("" if plan.far else fed) + f"However often it is repeated, the real data is never worth more than "
        f"{_ceiling(plan)} new tokens, the ceiling.",
        f"The target is {written(plan.target)} tokens' worth. {plan.epochs:.3g} passes over the real data are worth "
        f"{written(plan.worth)}; " + (f"{written(plan.gap)} are missing." if plan.gap else "nothing is missing."),
    ]
    if plan.again.reach == "no":
        lines.append("No number of passes over the real data alone reaches it: it lies beyond the ceiling.")
    elif plan.gap and not plan.far:
        lines.append(f"Repeats alone reach it, too, {_alone(plan)}.")
    return lines


def risks(plan: Plan) -> list[str]:
    """What the policy does to bias, tails and accuracy, and which of it is assumed."""
    policy, found = plan.policy, plan.risk
    heat, t, wanted = policy.temperature, policy.generations, f"{100 * policy.accuracy:.3g} %"
    needed = f"For {wanted} that ratio must be {found.weakest:.2f} or less"
    tails = f"; at temperature {heat:g}, {'more' if heat < 1 else 'fewer'}" if heat != 1 else ""
    lines = [
        f"Bias, over {t} generations at temperature {heat:g}, with a verifier that passes the most common value of an "
        f"attribute {policy.odds:g} times as often: its share goes from {policy.share:.3f} to {found.share:.3f} where "
        f"real rows stay and are {100 * found.real_share:.0f} % of all (the least that is planned), and to "
        f"{found.replaced:.3f} where they are replaced."
        + _assumed(policy, "temperature", "odds", "share", "generations"),
        "Tails: where real rows stay, as planned here, nothing rare leaves the data. Were they replaced by as many new "
        f"ones each time, unguarded, {100 * found.forgotten:.0f} % of what stood once among them would be gone after "
        f"{t} generations{tails}.",
        f"Function: a model that forgets {100 * policy.error:g} % a generation, with a verifier that passes wrong "
        f"rows {policy.wrong_to_right:g} times as often as right ones, comes to rest at {100 * found.settled:.1f} % "
        f"right. {needed if found.weakest else f'No verifier holds it at {wanted}'}."
        + _assumed(policy, "error", "wrong_to_right"),
    ]
    if found.bias_alarm:
        lines.append(f"The monitor's bias signal is expected to fire in generation {found.bias_alarm}.")
    return lines


def cautions(plan: Plan) -> list[str]:
    """Where the law is asked for what it was not fitted on."""
    law = plan.law
    if not law.outside(plan.parameters, plan.real, plan.target):
        return []
    own = law.source.startswith("your own")
    far = f" No verdict rests on that: over {DOWN:.0f} times too little, or {UP:.0f} too much." if plan.far else ""
    return [
        f"Caution: the constants were fitted to {_fitted(law)}; here are {written(plan.parameters)} parameters, "
        f"{written(plan.real)} real tokens and a target of {written(plan.target)}, for which a loss of {plan.loss:.3g} "
        f"nats a token comes out.{far} "
        + ("Add runs that lie nearer." if own else "Fit them to seven or more short runs of your own: --runs FILE.")
    ]


def conclusion(plan: Plan) -> str:
    """The answer, in a sentence or two."""
    target = f"{written(plan.target)} tokens' worth"
    alone = f"with real data alone, {_alone(plan)}"
    names = ", ".join(option.source.name for option in plan.best)
    said = {
        "unknown": f"whether {target} can be reached, nobody can say from these constants",
        "enough": f"real data is enough for {target}, seen {plan.epochs:.3g} times",
        "safe": f"{target} can be reached safely with {names} data",
        "risky": f"{target} is not reachable safely with {names} data made this way: {_dangers(plan)}",
        "repeats": f"{target} can be reached {alone}",
        "perhaps": f"{target} can be reached only if {names} data is worth the best that was seen: measure it",
        "long": f"nobody can say whether {target} can be reached {alone}; beyond {MANY:.0f} passes models come to fit "
        "their data too closely, which the law cannot show",
    }
    if plan.reach == "repeats" and plan.best[0].reach == "perhaps":
        said["repeats"] += f"; if {names} data is worth the best that was seen, {FEW:.0f} passes do: measure it"
    if plan.reach == "risky" and plan.again.reach == "repeats":
        said["risky"] += f". It can be {alone}"
    return f"Conclusion: {said.get(plan.reach) or _unreachable(plan, target)}."


def _alone(plan: Plan) -> str:
    """What it costs to repeat the real data until it is worth the target."""
    again, few = plan.again, 6 * plan.parameters * FEW * plan.real
    return (
        f"in {again.passes:.3g} passes: a token of the last is worth {100 * again.last:.2g} % of a new one, and "
        f"training takes {again.compute:.2g} FLOPs ({FEW:.0f} passes: {few:.2g})"
    )


def _dangers(plan: Plan) -> str:
    policy, found = plan.policy, plan.risk
    bias = (
        f"the bias signal is expected to fire in generation {found.bias_alarm} of {policy.generations}, as the most "
        f"common value goes from {policy.share:.3f} to {found.share:.3f} where {100 * found.real_share:.0f} % is real "
        "(write at a temperature nearer to 1, with a verifier that passes all values alike)"
    )
    weak = (
        f"accuracy comes to rest at {100 * found.settled:.1f} %, and {100 * policy.accuracy:.3g} % are wanted "
        "(take a stricter verifier, or a model that forgets less)"
    )
    return "; and ".join([bias] * (found.bias_alarm > 0) + [weak] * found.too_weak)


def _unreachable(plan: Plan, target: str) -> str:
    most = max(0.0, *(0.0 if each.risk.alarm else each.most * each.source.high for each in plan.options))
    best = max(plan.worth + most, plan.law.worth(plan.real, MANY))
    return (
        f"{target} is not reachable safely: it lies beyond the ceiling of repeats, and with so much synthetic data "
        f"real data would fall below {100 * plan.floor:.0f} % of what is seen, or below what is known to be safe for "
        f"the kind. At best {written(best)} tokens' worth is"
    )


def _constants(law: Law) -> str:
    """Each with its range, where one is known, and which of them are another fit's."""
    told = [f"{name} {value:,.4g}{_within(law, name)}" for name, value in law.constants.items()]
    ranges = f"In brackets, {law.level} % of the estimates." if law.ranges else "No range is known of any of them."
    names = " and ".join(law.borrowed)
    borrowed = f" Borrowed from Muennighoff et al. 2023, who give no range: {names}." if names else ""
    return f"{law.source}: {', '.join(told)}. {ranges}{borrowed} Fitted to {_fitted(law)}."


def _within(law: Law, name: str) -> str:
    return " ({:,.4g} to {:,.4g})".format(*law.ranges[name]) if name in law.ranges else ""


def _fitted(law: Law) -> str:
    (small, large), (few, many) = law.sizes, law.seen
    return f"models of {written(small)} to {written(large)} parameters and {written(few)} to {written(many)} tokens"


def _ceiling(plan: Plan) -> str:
    found = written(plan.law.ceiling(plan.real))
    if bounds := plan.law.ranges.get("R*_D"):
        low, high = (written(plan.real * (1 + each)) for each in bounds)
        return f"{found} ({low} to {high})"
    return found


def _counted(plan: Plan) -> str:
    return (
        f" (counted at {plan.characters:g} characters a token, assumed; --characters sets it)"
        if plan.characters
        else ""
    )


def _assumed(policy: Policy, *names: str) -> str:
    """What was not said otherwise, with the option that says it."""
    plain = Policy()
    found = [name for name in names if getattr(policy, name) == getattr(plain, name)]
    told = ", ".join(f"--{name.replace('_', '-')} {getattr(plain, name):g}" for name in found)
    return f" Assumed, not measured: {told}." if found else ""
