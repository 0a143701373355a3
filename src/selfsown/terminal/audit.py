"""The audit on a terminal."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from selfsown.audit import findings
from selfsown.audit.audit import Audit

PIPED = 120  # columns, where it is no terminal that is written to


def show(found: Audit, console: Console) -> None:
    """The verdict, every signal, and what is not known."""

    def say(text: str) -> None:
        console.print(escape(text), highlight=False, soft_wrap=True)

    console.print(f"[bold]{escape(findings.headline(found))}[/]", highlight=False, soft_wrap=True)
    for sentence in findings.sentences(found):
        say(sentence)
    if found.signals:
        table = Table(box=SIMPLE_HEAD, padding=(0, 1), title="against as many real rows", title_justify="left")
        table.add_column("signal")
        for name in ("difference", "95 % interval", "borne", "p", ""):
            table.add_column(name, justify="right")
        for each in found.signals:
            alarm = "[red]alarm[/]" if each.is_alarm else "ok"
            spread = f"{each.low:+.3f} to {each.high:+.3f}"
            table.add_row(
                escape(each.name), f"{each.value:+.3f}", spread, f"{each.tolerance:g}", f"{each.p:.3g}", alarm
            )
        console.print(table)
    for sentence in findings.unknown(found):
        say(f"Not known: {sentence}")
