"""The plan on a terminal, in words and tables, and as plain data."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from selfsown.plan.amounts import written
from selfsown.plan.plan import EPOCHS, Option, Plan, risk

LITTLE = 1e7  # parameters or tokens under which the literature's constants were never tried
REACHES = {
    "enough": "not needed",
    "safe": "yes, safely",
    "perhaps": "only at its best",
    "no": "not safely",
}


def show(plan: Plan, console: Console) -> None:
    """Everything, in the order in which one decides."""

    def say(text: str) -> None:
        console.print(escape(text), highlight=False, soft_wrap=True)

    say(_opening(plan))
    console.print(_repeats(plan))
    if plan.gap:
        console.print(_options(plan))
        for option in plan.options:
            say(f"{option.source.name}: {option.source.why}.")
    for line in (*_risks(plan), *_warnings(plan), conclusion(plan)):
        say(line)


def conclusion(plan: Plan) -> str:
    """The answer, in a sentence."""
    target = f"{written(plan.target)} tokens' worth"
    if plan.reach == "enough":
        return f"Conclusion: real data is enough for {target}, seen {plan.epochs:.3g} times."
    names = ", ".join(option.source.name for option in plan.options if option.reach == plan.reach)
    if plan.reach == "safe":
        return f"Conclusion: {target} can be reached safely with {names} data."
    if plan.reach == "perhaps":
        return f"Conclusion: {target} can be reached only if {names} data is worth the best that was seen: measure it."
    most = max((option.most * option.source.high for option in plan.options), default=0.0)
    return (
        f"Conclusion: {target} is not reachable safely: real data would fall below {100 * plan.floor:.0f} % of what is "
        f"seen, or below what is known to be safe for the kind. At best {written(plan.worth + most)} tokens' worth is."
    )


def data(plan: Plan) -> dict[str, Any]:
    """The plan as JSON has it; what has no end is null."""
    found = asdict(plan) | {"reach": plan.reach, "compute": plan.compute, "ceiling": plan.law.ceiling(plan.real)}
    found |= {"risk": asdict(risk(plan.policy, _share(plan))), "conclusion": conclusion(plan)}
    found["repeats"] = [{"epochs": e, "worth": plan.law.worth(plan.real, e)} for e in EPOCHS]
    plain: dict[str, Any] = _finite(found)
    return plain


def _opening(plan: Plan) -> str:
    law, real = plan.law, plan.real
    lines = [
        f"{written(real)} real tokens, a model of {written(plan.parameters)} parameters. Constants: {law.source}.",
        f"What is there feeds {written(law.best_parameters(real))} parameters best in one pass. However often it is "
        f"repeated, it is never worth more than {written(law.ceiling(real))} new tokens, the ceiling.",
        f"The target is {written(plan.target)} tokens' worth. {plan.epochs:.3g} passes over the real data are worth "
        f"{written(plan.worth)}; " + (f"{written(plan.gap)} are missing." if plan.gap else "nothing is missing."),
    ]
    return "\n".join(lines)


def _repeats(plan: Plan) -> Table:
    found = Table(
        box=SIMPLE_HEAD, padding=(0, 1), title="what repeats of the real data are worth", title_justify="left"
    )
    for name in ("passes", "worth (tokens)", "of what is seen", "the next token", "loss"):
        found.add_column(name, justify="right")
    law, real = plan.law, plan.real
    for epochs in EPOCHS:
        worth = law.worth(real, epochs)
        share, following = f"{100 * worth / real / epochs:.0f} %", f"{100 * law.next_pass(epochs):.3g} %"
        found.add_row(str(epochs), written(worth), share, following, f"{law.of(plan.parameters, real, worth):.3f}")
    return found


def _options(plan: Plan) -> Table:
    found = Table(
        box=SIMPLE_HEAD, padding=(0, 1), title="synthetic data that would close the gap", title_justify="left"
    )
    for name in (
        "kind",
        "worth of a token",
        "tokens needed",
        "real share left",
        "most that is safe",
        "dollars",
        "reach",
    ):
        found.add_column(name, justify="left" if name in ("kind", "reach") else "right")
    for option in plan.options:
        found.add_row(option.source.name, *_cells(option), REACHES[option.reach])
    return found


def _cells(option: Option) -> list[str]:
    source = option.source
    dollars = "unknown" if option.dollars is None else _range(*option.dollars)
    shares = sorted(100 * share for share in option.real_share)
    real = f"{shares[0]:.0f} to {shares[1]:.0f} %"
    return [f"{source.low:g} to {source.high:g}", _range(*option.needed), real, written(option.most), dollars]


def _range(low: float, high: float) -> str:
    return f"{written(low)} to {written(high)}" if math.isfinite(low) else "no number"


def _risks(plan: Plan) -> list[str]:
    policy, found = plan.policy, risk(plan.policy, _share(plan))
    needed = (
        f"For 95 % that ratio must be {found.weakest:.2f} or less" if found.weakest else "No verifier holds it at 95 %"
    )
    lines = [
        f"Bias, over {policy.generations} generations at temperature {policy.temperature:g}, with a verifier that "
        f"passes the most common value of an attribute {policy.odds:g} times as often: its share goes from "
        f"{policy.share:.3f} to {found.share:.3f} where real rows stay, and to {found.replaced:.3f} where they are "
        "replaced.",
        f"Tails: where data is replaced, {100 * found.forgotten:.0f} % of what stood once among the real rows is gone "
        "by then; where it stays, none of it leaves the data.",
        f"Function: a model that forgets {100 * policy.error:g} % a generation, with a verifier that passes wrong "
        f"rows {policy.wrong_to_right:g} times as often as right ones, comes to rest at {100 * found.settled:.1f} % "
        f"right. {needed}.",
    ]
    if found.bias_alarm:
        lines.append(f"The monitor's bias signal is expected to fire in generation {found.bias_alarm}.")
    return lines


def _warnings(plan: Plan) -> list[str]:
    if min(plan.parameters, plan.real) >= LITTLE or plan.law.source.startswith("your own"):
        return []
    return [
        "The constants were fitted to models of 7 M parameters and more on web text; here are "
        f"{written(plan.parameters)} parameters and {written(plan.real)} tokens. Refit them from five or more short "
        "runs of your own: --runs FILE."
    ]


def _share(plan: Plan) -> float:
    """The real share that the policy keeps: what the gap leaves, but not below the floor."""
    left = [max(option.real_share) for option in plan.options]
    return max([plan.floor, *left]) if plan.gap else 1.0


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
