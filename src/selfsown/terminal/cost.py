"""The cost of a folder on the terminal: a table and its findings."""

from __future__ import annotations

from rich.console import Console

from selfsown.cost import Cost
from selfsown.cost.findings import COLUMNS, sentences, table_rows
from selfsown.terminal.layout import add_text_row, print_lines, print_table, table

TEXT_COLUMNS = 3


def show(cost: Cost, console: Console) -> None:
    """Print the table and the sentences below it."""
    result = table("requests to model servers", COLUMNS, left=TEXT_COLUMNS)
    for cells in table_rows(cost):
        add_text_row(result, cells)
    print_table(console, result)
    print_lines(console, sentences(cost))
