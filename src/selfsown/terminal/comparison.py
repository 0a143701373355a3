"""A comparison on the terminal: its tables and sentences."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from selfsown.compare.results import ComparisonResult
from selfsown.compare.tables import sentences, tables


def show(result: ComparisonResult, console: Console | None = None) -> None:
    console = console or Console()
    for title, rows in tables(result):
        table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
        for index, name in enumerate(rows[0]):
            table.add_column(escape(name), justify="right" if index else "left", overflow="fold")
        for row in rows[1:]:
            table.add_row(*map(escape, row))
        console.print(escape(title), highlight=False, soft_wrap=True)
        console.print(table)
    for sentence in sentences(result):
        console.print(escape(sentence), highlight=False, soft_wrap=True)
