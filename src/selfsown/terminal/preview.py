"""The first rows of a recipe, generated and graded for real, each shown with its grades and its status."""

from __future__ import annotations

import shlex
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

import selfsown.pipeline as pipeline
from selfsown.cost import Cost
from selfsown.cost.findings import sentences
from selfsown.estimate.estimator import without_batches
from selfsown.intake import Intake
from selfsown.recipe.recipe import Recipe
from selfsown.records import Grade, Row
from selfsown.run_folder import RunFolder
from selfsown.terminal.layout import print_line, print_lines
from selfsown.usage import ledger

MAX_CHARS_SHOWN = 1600  # of a text
MAX_END_CHARS = 500  # of these, at the end of the text
STATUS_COLOURS = {"kept": "green", "rejected": "yellow", "failed": "red"}
HIDDEN_CATEGORIES = ("Cc", "Cf", "Co", "Cs", "Zl", "Zp")  # characters that would move, hide or colour other text
JOINER = "\u200d"  # within an emoji


@dataclass(frozen=True)
class Preview:
    """intake: what becomes of all real rows. rows: those made of the first real rows. cost: of the requests sent for
    this preview; none if the journal had all replies. first: how many real rows were asked for.
    per_row: every generator makes its rows from one real row each."""

    intake: Intake
    rows: Sequence[Row]
    cost: Cost
    first: int
    per_row: bool

    @property
    def extent(self) -> str:
        """How many rows were made, and of what."""
        made = f"{len(self.rows):,} row{'s' * (len(self.rows) != 1)}"
        if not self.per_row:
            return f"{made}, the first of each generator"
        first = min(self.first, self.intake.used)
        return (
            f"{made} made from the first {first:,} real rows" if first > 1 else f"{made} made from the first real row"
        )


def preview(recipe: Recipe, folder: Path, count: int = 3) -> Preview:
    """Generate and grade the first `count` real rows. Nothing is sent in a batch, which may take hours."""
    journal = folder / "replies.sqlite"
    before = ledger.count_requests(journal)
    per_row = all(step.takes("rows") for step in recipe.generate)
    rows = pipeline.preview(without_batches(recipe), folder, count)
    intake = Intake.of(RunFolder(folder)) or Intake()
    values = recipe.dump()
    spent = ledger.usage_entries(journal, ledger.recipe_prices(values), before)
    return Preview(intake, rows, Cost(spent, 0, "", None, ledger.price_options(values)), count, per_row)


def show(result: Preview, folder: Path, console: Console) -> None:
    """What becomes of the real rows, every row that was made, and what it cost."""
    print_line(console, result.intake.sentence())
    print_line(console, result.extent)
    for number, row in enumerate(result.rows, 1):
        colour = STATUS_COLOURS.get(row.status, "default")
        title = f"[bold]row {number} of {len(result.rows)}[/] [{colour}]{row.status}[/] {row.id}"
        console.print(Rule(title, align="left"))
        console.print(_row_table(row))
    no_request = ["No request was sent: all replies are in the journal."]
    print_lines(console, sentences(result.cost) if result.cost.usage_entries else no_request)
    print_line(console, f"The replies are in {folder}: make does not pay for them again.")
    if result.rows:
        print_line(console, f"A row's full history: selfsown explain {shlex.quote(str(folder))} {result.rows[0].id}")


def _row_table(row: Row) -> Table:
    """The texts of the row, its metadata, its grades and its status."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    metadata = dict(row.metadata)
    texts = {"prompt": row.prompt, "reasoning": metadata.pop("reasoning", ""), "answer": row.answer}
    texts |= {f"({name})": value for name, value in metadata.items()}
    for name, text in texts.items():
        if text or name == "answer":
            table.add_row(Text(readable(name)), Text(readable(text)))
    for grade in row.grades:
        table.add_row("grade", Text(readable(_grade_text(grade))))
    table.add_row("status", Text(readable(f"{row.status}: {row.reason}" if row.reason else row.status)))
    return table


def _grade_text(grade: Grade) -> str:
    text = f"{grade.grader} {grade.score:.2f}"
    return f"{text}: {grade.reason}" if grade.reason else text


def readable(text: str) -> str:
    """The text, shortened in its middle, with every character escaped that a terminal would obey."""
    if len(text) > MAX_CHARS_SHOWN:
        left_out = f"\n[… {len(text) - MAX_CHARS_SHOWN:,} characters are left out here …]\n"
        text = text[: MAX_CHARS_SHOWN - MAX_END_CHARS] + left_out + text[-MAX_END_CHARS:]
    return escape_hidden(text)


def escape_hidden(text: str) -> str:
    """The text with every character escaped that a terminal would obey."""
    return "".join(_escaped(character) if _is_hidden(character) else character for character in text)


def _is_hidden(character: str) -> bool:
    return unicodedata.category(character) in HIDDEN_CATEGORIES and character not in ("\n", JOINER)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode()
