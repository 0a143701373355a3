"""A comparison on the terminal: its tables and sentences."""

from __future__ import annotations

from rich.console import Console

from selfsown.compare.results import ComparisonResult
from selfsown.compare.tables import sentences, tables
from selfsown.terminal.layout import add_text_row, print_line, print_lines, print_table, table


def show(result: ComparisonResult, console: Console | None = None) -> None:
    """Print each table below its title, then the sentences."""
    console = console or Console()
    for title, (heading, *rows) in tables(result):
        print_line(console, title)
        listed = table("", heading)
        for row in rows:
            add_text_row(listed, row)
        print_table(console, listed)
    print_lines(console, sentences(result))
