"""The plan on a terminal, in sentences and tables."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from selfsown.errors import ExitCode
from selfsown.plan.findings import conclusion, risks, summary, warnings
from selfsown.plan.number_units import format_amount
from selfsown.plan.planner import EPOCHS, Feasibility, Plan, SyntheticOption

PIPE_WIDTH = 120  # characters per line, where the output is not a terminal
EXIT_CODES: dict[Feasibility, ExitCode] = {
    "enough": ExitCode.OK,
    "safe": ExitCode.OK,
    "repeats": ExitCode.OK,
    "unsafe_policy": ExitCode.FAILED,
    "infeasible": ExitCode.FAILED,
    "best_case": ExitCode.INCONCLUSIVE,
    "too_many_epochs": ExitCode.INCONCLUSIVE,
    "unknown": ExitCode.INCONCLUSIVE,
}
LABELS: dict[Feasibility, str] = {
    "unknown": "unknown",
    "enough": "not needed",
    "safe": "yes, safely",
    "unsafe_policy": "unsafe with this policy",
    "best_case": "only in the best case",
    "infeasible": "not safely",
}


def console() -> Console:
    """A console as wide as the terminal, or PIPE_WIDTH where there is none."""
    default = Console()
    return default if default.is_terminal else Console(width=PIPE_WIDTH)


def show(plan: Plan, console: Console) -> None:
    """Summary, tables, evidence, risks, warnings and conclusion."""

    def print_lines(lines: list[str]) -> None:
        for line in lines:
            console.print(escape(line), highlight=False, soft_wrap=True)

    print_lines(summary(plan))
    console.print(_repeats(plan))
    if plan.gap:
        console.print(_options(plan))
        print_lines([f"{option.kind.name}: {option.kind.evidence}." for option in plan.options])
    print_lines([*risks(plan), *warnings(plan), conclusion(plan)])


def _repeats(plan: Plan) -> Table:
    """The value of repeats; without a loss where the law is extrapolated too far to predict one."""
    loss = [] if plan.extrapolated else ["loss"]
    columns = ("epochs", "effective tokens", "of tokens seen", "next token worth", *loss)
    table = _table("value of repeated real data", *columns)
    law, real = plan.law, plan.real_tokens
    for epochs in EPOCHS:
        effective = law.effective_tokens(real, epochs)
        cells = [
            str(epochs),
            format_amount(effective),
            f"{100 * effective / real / epochs:.0f} %",
            f"{100 * law.marginal_value(epochs):.3g} %",
        ]
        if loss:
            cells.append(f"{law.loss_at(plan.parameters, real, effective):.3f}")
        table.add_row(*cells)
    return table


def _options(plan: Plan) -> Table:
    table = _table(
        "synthetic data that would close the gap",
        *("kind", "relative value", "tokens needed", "real share left", "safe maximum", "cost ($)", "feasible"),
    )
    for option in plan.options:
        table.add_row(option.kind.name, *_cells(option), LABELS[option.feasibility])
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1), title=title, title_justify="left")
    for name in columns:
        is_text = name in ("kind", "feasible")
        table.add_column(name, justify="left" if is_text else "right", no_wrap=name == "kind", overflow="fold")
    return table


def _cells(option: SyntheticOption) -> list[str]:
    kind = option.kind
    shares = [f"{100 * share:.0f}" for share in sorted(option.real_share)]
    return [
        _joined(f"{kind.min_value:g}", f"{kind.max_value:g}"),
        _range(*option.tokens_needed),
        f"{_joined(*shares)} %",
        format_amount(option.max_safe_tokens),
        "unknown" if option.cost_usd is None else _range(*option.cost_usd),
    ]


def _range(low: float, high: float) -> str:
    return _joined(format_amount(low), format_amount(high))


def _joined(low: str, high: str) -> str:
    return low if low == high else f"{low} to {high}"
