"""The audit on a terminal."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from selfsown.audit import findings
from selfsown.audit.audit import Audit

PIPE_WIDTH = 140  # columns, where the output is not a terminal


def console() -> Console:
    """A console as wide as the terminal, or PIPE_WIDTH where there is none."""
    default = Console()
    return default if default.is_terminal else Console(width=PIPE_WIDTH)


def show(audit: Audit, console: Console) -> None:
    """Headline, findings, every signal, the checks that lack power, and limitations."""

    def print_line(text: str) -> None:
        console.print(escape(text), highlight=False, soft_wrap=True)

    console.print(f"[bold]{escape(findings.headline(audit))}[/]", highlight=False, soft_wrap=True)
    for sentence in findings.sentences(audit):
        print_line(sentence)
    if audit.signals:
        console.print(_signals(audit))
    if rows := findings.power_table(audit):
        console.print(_power(rows))
    for sentence in findings.limitations(audit):
        print_line(f"Limitation: {sentence}")


def _signals(audit: Audit) -> Table:
    title = f"{audit.compared_rows:,} synthetic against {audit.compared_rows:,} real rows"
    table = _table(title, "signal", "difference", "95 % interval", "tolerance", "p", "")
    for signal in findings.ranked(audit):
        table.add_row(
            escape(signal.name),
            f"{signal.value:+.3f}",
            f"{signal.low:+.3f} to {signal.high:+.3f}",
            f"{signal.tolerance:g}",
            findings.p_value(audit, signal),
            "[red]alarm[/]" if signal.is_alarm else "ok",
        )
    return table


def _power(rows: list[findings.PowerRow]) -> Table:
    table = _table(
        "checks without the power to detect a difference above their tolerance",
        *("check", "MDE at 80 % power", "tolerance", "rows needed per side"),
    )
    for row in rows:
        table.add_row(escape(row.check), row.mde, row.tolerance, f"{row.rows_needed:,}")
    return table


def _table(title: str, first: str, *numeric: str) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1), title=title, title_justify="left")
    table.add_column(first)
    for name in numeric:
        table.add_column(name, justify="right")
    return table
