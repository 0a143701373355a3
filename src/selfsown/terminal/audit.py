"""The audit on a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from selfsown.audit import findings
from selfsown.audit.audit import Audit
from selfsown.audit.conclusion import headline, log_odds_note, ranked, signal_label
from selfsown.terminal.layout import Grid, add_text_row, print_line, print_lines, print_table, table


def show(audit: Audit, console: Console | None = None) -> None:
    """Headline, findings, every signal, the checks that lack power, limitations, and what was dropped."""
    console = console or Console()
    print_line(console, f"[bold]{escape(headline(audit))}[/]", markup=True)
    print_lines(console, findings.sentences(audit))
    if audit.signals:
        print_table(console, _signals(audit))
        if note := log_odds_note(audit.signals):
            print_line(console, note)
    if rows := findings.power_table(audit):
        print_table(console, _power(rows))
    print_lines(console, (f"Limitation: {sentence}" for sentence in findings.limitations(audit)))
    if audit.dropped:
        print_lines(console, audit.dropped.sentences)


def _signals(audit: Audit) -> Grid:
    title = f"every check; variety, duplicates and copies among {audit.compared_rows:,} sampled rows per side"
    columns = ("signal", "difference", "95 % interval", "tolerance", "p", "result")
    result = table(title, columns, wrap=("signal",), drop=("p", "tolerance"))
    for signal in ranked(audit):
        result.add_row(
            escape(signal_label(signal)),
            f"{signal.value:+.3f}",
            f"{signal.low:+.3f} to {signal.high:+.3f}",
            f"{signal.tolerance:g}",
            findings.p_value(audit, signal),
            "[red]alarm[/]" if signal.is_alarm else findings.result(audit, signal),
        )
    return result


def _power(rows: list[findings.PowerRow]) -> Grid:
    title = "checks without the power to detect a difference above their tolerance"
    result = table(title, ("check", "MDE at 80 % power", "tolerance", "rows needed per side"), wrap=("check",))
    for row in rows:
        add_text_row(result, [row.check, row.mde, row.tolerance, f"{row.rows_needed:,}"])
    return result
