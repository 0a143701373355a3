"""The plan on a terminal, in sentences and tables."""

from __future__ import annotations

from rich.console import Console

from selfsown.errors import ExitCode
from selfsown.plan.findings import conclusion, risks, summary, warnings
from selfsown.plan.number_units import format_amount
from selfsown.plan.planner import EPOCHS, Feasibility, Plan, SyntheticOption
from selfsown.terminal.layout import Grid, add_text_row, print_lines, print_table, table

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


def show(plan: Plan, console: Console) -> None:
    """Summary, tables, evidence, risks, warnings and conclusion."""
    print_lines(console, summary(plan))
    print_table(console, _repeats(plan))
    if plan.gap:
        print_table(console, _options(plan))
        print_lines(console, (f"{option.kind.name}: {option.kind.evidence}." for option in plan.options))
    print_lines(console, [*risks(plan), *warnings(plan), conclusion(plan)])


def _repeats(plan: Plan) -> Grid:
    """The value of repeats; without a loss where the law is extrapolated too far to predict one."""
    loss = [] if plan.extrapolated else ["loss"]
    columns = ("epochs", "effective tokens", "of tokens seen", "next token worth", *loss)
    result = table("value of repeated real data", columns, left=0)
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
        add_text_row(result, cells)
    return result


def _options(plan: Plan) -> Grid:
    columns = ("kind", "relative value", "tokens needed", "real share left", "safe maximum", "cost ($)", "feasible")
    result = table("synthetic data that would close the gap", columns, wrap=("feasible",), drop=("relative value",))
    for option in plan.options:
        add_text_row(result, [option.kind.name, *_cells(option), LABELS[option.feasibility]])
    return result


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
