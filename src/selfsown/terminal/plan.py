"""The plan on a terminal, in words and tables, and as plain data."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from selfsown.plan.findings import cautions, conclusion, opening, risks
from selfsown.plan.number_units import written
from selfsown.plan.planner import EPOCHS, Option, Plan, Reach

WIDE = 120  # characters in a line where no terminal says how many it has
CODES: dict[Reach, int] = {"risky": 4, "no": 4, "perhaps": 5, "long": 5, "unknown": 5}
REACHES: dict[Reach, str] = {
    "unknown": "cannot say",
    "enough": "not needed",
    "safe": "yes, safely",
    "risky": "not made this way",
    "perhaps": "only at its best",
    "no": "not safely",
}


def console() -> Console:
    """As wide as the terminal, or wide enough for the tables where there is none."""
    plain = Console()
    return plain if plain.is_terminal else Console(width=WIDE)


def show(plan: Plan, console: Console) -> None:
    """Everything, in the order in which one decides."""

    def say(lines: list[str]) -> None:
        for line in lines:
            console.print(escape(line), highlight=False, soft_wrap=True)

    say(opening(plan))
    console.print(_repeats(plan))
    if plan.gap:
        console.print(_options(plan))
        say([f"{option.source.name}: {option.source.why}." for option in plan.options])
    say([*risks(plan), *cautions(plan), conclusion(plan)])


def data(plan: Plan) -> dict[str, Any]:
    """The plan as JSON has it; what has no end is null."""
    found = asdict(plan) | {"reach": plan.reach, "compute": plan.compute, "ceiling": plan.law.ceiling(plan.real)}
    found |= {"risk": asdict(plan.risk), "cautions": cautions(plan), "conclusion": conclusion(plan)}
    found["repeats"] = [{"epochs": e, "worth": plan.law.worth(plan.real, e)} for e in EPOCHS]
    plain: dict[str, Any] = _finite(found)
    return plain


def _repeats(plan: Plan) -> Table:
    """The loss is left out where the law is too far off to tell one."""
    loss = [] if plan.far else ["loss"]
    found = _table(
        "what repeats of the real data are worth",
        "passes",
        "worth (tokens)",
        "of what is seen",
        "the next token",
        *loss,
    )
    law, real = plan.law, plan.real
    for epochs in EPOCHS:
        worth = law.worth(real, epochs)
        share, following = f"{100 * worth / real / epochs:.0f} %", f"{100 * law.next_pass(epochs):.3g} %"
        losses = [f"{law.of(plan.parameters, real, worth):.3f}" for _ in loss]
        found.add_row(str(epochs), written(worth), share, following, *losses)
    return found


def _options(plan: Plan) -> Table:
    found = _table(
        "synthetic data that would close the gap",
        *("kind", "worth of a token", "tokens needed", "real share left", "most that is safe", "dollars", "reach"),
    )
    for option in plan.options:
        found.add_row(option.source.name, *_cells(option), REACHES[option.reach])
    return found


def _table(title: str, *names: str) -> Table:
    found = Table(box=SIMPLE_HEAD, padding=(0, 1), title=title, title_justify="left")
    for name in names:
        kind = name == "kind"
        found.add_column(name, justify="left" if kind or name == "reach" else "right", no_wrap=kind, overflow="fold")
    return found


def _cells(option: Option) -> list[str]:
    source = option.source
    dollars = "unknown" if option.dollars is None else _range(*option.dollars)
    shares = [f"{100 * share:.0f}" for share in sorted(option.real_share)]
    real = f"{' to '.join(dict.fromkeys(shares))} %"
    worth = " to ".join(dict.fromkeys((f"{source.low:g}", f"{source.high:g}")))
    return [worth, _range(*option.needed), real, written(option.most), dollars]


def _range(low: float, high: float) -> str:
    return " to ".join(dict.fromkeys((written(low), written(high)))) if math.isfinite(low) else "no number"


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
