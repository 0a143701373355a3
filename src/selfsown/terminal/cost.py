"""The cost of a folder on the terminal: a table and its findings."""

from __future__ import annotations

from rich.console import Console
from rich.measure import Measurement

from selfsown.cost import Cost
from selfsown.cost.findings import COLUMNS, sentences, table_rows
from selfsown.terminal.layout import add_text_row, print_lines, table

MAX_TABLE_WIDTH = 1000  # characters
TEXT_COLUMNS = 3


def show(cost: Cost, console: Console) -> None:
    """Print the table, as wide as it needs to be, and the sentences below it."""
    result = table("requests to model servers", COLUMNS, left=TEXT_COLUMNS, fold=False)
    for cells in table_rows(cost):
        add_text_row(result, cells)
    width = Measurement.get(console, console.options.update(max_width=MAX_TABLE_WIDTH), result).maximum
    console.width = max(width, console.width)  # a number that is cut off would be a wrong number
    console.print(result)
    print_lines(console, sentences(cost))
