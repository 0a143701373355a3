"""How every command prints: lines that break at words, and tables that fit the terminal.

Where the output is not a terminal, lines are never broken, so that they can be searched, and tables are as on a
terminal of 100 columns, but with all their columns.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from rich.box import SIMPLE_HEAD
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markup import escape
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

KEPT_WHOLE = re.compile(  # what is pasted: `…`, (selfsown …), --set '…', and a command that ends the line
    r"`[^`\n]+`|\(selfsown [^)\n]*\)|--set '[^'\n]+'|(?:(?<=: )|^)(?:selfsown|pip install) .+$"
)
SPACE = "\ue000"  # stands for a space that a line is not broken at; no font and no text uses it
INDENT = 2  # spaces before the second line of a sentence, more than before its first
UNBOUNDED = 10_000  # columns
PIPED_WIDTH = 100  # columns of a table where the output is not a terminal


@dataclass
class Grid:
    """A table with a rule below its heading.

    Numbers are never broken. Where the table is wider than the terminal, the cells of the columns in `wrap` break at
    words; then columns are left out in the order of `drop`, and named below the table; and where that is not enough,
    each row is a list of names and values.
    """

    title: str
    columns: list[str]
    left: int = 1  # how many of the first columns are text, aligned left; the others hold numbers
    wrap: Collection[str] = ()
    drop: Sequence[str] = ()
    compact: bool = False  # one space between columns, not two
    rows: list[tuple[list[str], str]] = field(default_factory=list)  # cells as Rich markup, style

    def add_row(self, *cells: str, style: str = "") -> None:
        self.rows.append((list(cells), style))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = options.max_width if console.is_terminal else PIPED_WIDTH
        dropped: list[str] = []
        for name in ("", *self.drop) if console.is_terminal else ("",):
            dropped += [name] if name else []
            if self._narrowest(console, dropped) <= width:
                table = self._table(dropped)
                yield from console.render(table, options.update(width=min(width, _widest(console, table))))
                if dropped:
                    yield Text(f"not shown in {width} columns: {', '.join(map(_one_line, dropped))}", "dim")
                return
        yield from self._records(console, width)

    def _table(self, dropped: Collection[str] = ()) -> Table:
        table = Table(box=SIMPLE_HEAD, padding=(0, 0 if self.compact else 1, 0, 0), show_edge=False)
        table.title, table.title_justify = escape(self.title) or None, "left"
        shown = [index for index, name in enumerate(self.columns) if name not in dropped]
        for index in shown:
            name = self.columns[index]
            is_text = index < self.left or name in self.wrap
            justify, whole = "left" if is_text else "right", name not in self.wrap
            table.add_column(escape(name), justify=justify, no_wrap=whole)  # type: ignore[arg-type]
        for cells, style in self.rows:
            table.add_row(*(cells[index] for index in shown), style=style or None)
        return table

    def _narrowest(self, console: Console, dropped: Collection[str]) -> int:
        """The width of the table where the columns in `wrap` have a word a line, or of its title if that is wider."""
        table, saved = self._table(dropped), 0
        for name in set(self.wrap) - set(dropped):
            cells = [name, *(cells[self.columns.index(name)] for cells, _ in self.rows)]
            texts = [Text.from_markup(cell) for cell in cells]
            longest_word = max((Text(word).cell_len for text in texts for word in text.plain.split()), default=0)
            saved += max(text.cell_len for text in texts) - longest_word
        table.title = None
        return _widest(console, table) - saved

    def _records(self, console: Console, limit: int) -> RenderResult:
        if self.title:
            yield Text(self.title, "italic")
        names = [_one_line(name) for name in self.columns]
        width = max(map(len, names[self.left :]), default=0)
        for cells, style in self.rows:
            head = "  ".join(cell for cell in cells[: max(1, self.left)] if cell)
            yield Text.from_markup(head, style=style or "bold")
            for name, cell in zip(names[max(1, self.left) :], cells[max(1, self.left) :], strict=True):
                if cell:
                    line = Text(f"  {name or 'outcome':<{width}}  ") + Text.from_markup(cell)
                    yield from _wrapped(line, limit, width + 4)


def table(
    title: str,
    columns: Iterable[str],
    *,
    left: int = 1,
    wrap: Collection[str] = (),
    drop: Sequence[str] = (),
    compact: bool = False,
) -> Grid:
    return Grid(title, list(columns), left, wrap, drop, compact)


def add_text_row(grid: Grid, cells: Iterable[str], style: str = "") -> None:
    """Add a row of plain text: nothing in it is read as markup."""
    grid.add_row(*map(escape, cells), style=style)


def print_table(console: Console, grid: Grid) -> None:
    console.print(grid, crop=False)


def print_line(console: Console, text: str, *, markup: bool = False) -> None:
    """Print a line. On a terminal it breaks at words, and never within a path or a command to paste; else it is whole.

    markup: the text is Rich markup; otherwise it is printed as it is.
    """
    line = Text.from_markup(text) if markup else Text(text)
    for part in line.split(allow_blank=True):
        indent = len(part.plain) - len(part.plain.lstrip(" ")) + INDENT
        for piece in _wrapped(part, console.width, indent) if console.is_terminal else [part]:
            console.print(piece, soft_wrap=True, highlight=False)


def print_lines(console: Console, lines: Iterable[str]) -> None:
    for line in lines:
        print_line(console, line)


def _wrapped(line: Text, width: int, indent: int) -> Iterator[Text]:
    """The line in pieces of at most so many columns, but for words and commands that are longer by themselves."""
    line = line.copy()
    line.plain = KEPT_WHOLE.sub(lambda match: match[0].replace(" ", SPACE), line.plain)
    rest, prefix = line, Text()
    while rest.plain:
        room = max(1, width - prefix.cell_len)
        end = _break_at(rest.plain, room)
        piece, *others = rest.divide([end]) if end < len(rest.plain) else [rest]
        piece.plain = piece.plain.replace(SPACE, " ")
        if others:
            piece.rstrip()
        yield prefix + piece
        rest = others[0] if others else Text()
        prefix = Text(" " * min(indent, max(0, width // 3)))
    if not line.plain:
        yield line


def _break_at(text: str, room: int) -> int:
    """Where the next line begins: after the last word that fits, or after the first word where that alone is longer."""
    end = 0
    for word in re.finditer(r"\s*\S+", text):
        if end and Text(text[: word.end()]).cell_len > room:
            return end + len(text[end:]) - len(text[end:].lstrip())
        end = word.end()
    return len(text)


def _widest(console: Console, table: Table) -> int:
    return Measurement.get(console, console.options.update(max_width=UNBOUNDED), table).maximum


def _one_line(name: str) -> str:
    return " ".join(name.split())
