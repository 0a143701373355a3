"""The cost of a folder on the terminal: a table and its findings."""

from __future__ import annotations

from rich.console import Console

from selfsown.cost import Cost
from selfsown.cost.findings import COLUMNS, sentences, table_rows
from selfsown.terminal.layout import add_text_row, print_lines, print_table, table

TEXT_COLUMNS = 3
NOTHING = ("–", "0")  # a column of these alone is left out


def show(cost: Cost, console: Console) -> None:
    """Print the table, without columns of which nothing is known, and the sentences below it."""
    rows = table_rows(cost)
    shown = [index for index in range(len(COLUMNS)) if any(cells[index] not in NOTHING for cells in rows)]
    result = table(
        "requests to model servers",
        [COLUMNS[index] for index in shown],
        left=TEXT_COLUMNS,
        wrap=("cost",),
        compact=True,
    )
    for cells in rows:
        add_text_row(result, [cells[index] for index in shown])
    print_table(console, result)
    print_lines(console, sentences(cost))
