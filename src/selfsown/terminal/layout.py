"""The table style of every command, and lines that are never wrapped."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table


def table(title: str, columns: Iterable[str], *, left: int = 1, fold: bool = True, compact: bool = False) -> Table:
    """A table with a rule below its heading.

    left: how many of the first columns are text, aligned left; the others hold numbers. fold: break long cells over
    several lines, otherwise no cell is broken. compact: one space between columns, not two.
    """
    padding = (0, 0 if compact else 1, 0, 0)
    result = Table(box=SIMPLE_HEAD, padding=padding, show_edge=False, title_justify="left")
    result.title = escape(title) or None
    for index, name in enumerate(columns):
        justify: Literal["left", "right"] = "left" if index < left else "right"
        result.add_column(escape(name), justify=justify, overflow="fold", no_wrap=not fold)
    return result


def add_text_row(result: Table, cells: Iterable[str], style: str = "") -> None:
    """Add a row of plain text: nothing in it is read as markup."""
    result.add_row(*map(escape, cells), style=style or None)


def print_line(console: Console, text: str, *, markup: bool = False) -> None:
    """Print one line, never wrapped, so that it can be searched for and copied.

    markup: the text is Rich markup; otherwise it is printed as it is.
    """
    console.print(text, soft_wrap=True, highlight=False, markup=markup)


def print_lines(console: Console, lines: Iterable[str]) -> None:
    for line in lines:
        print_line(console, line)
