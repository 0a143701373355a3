"""The first rows of a recipe, made and graded for real, each shown with all that was said of it."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from selfsown.cost import Cost
from selfsown.estimate.estimator import at_once
from selfsown.intake import Intake
from selfsown.make import preview as made
from selfsown.recipe.recipe import Recipe
from selfsown.records import Grade, Row
from selfsown.run_folder import RunFolder
from selfsown.usage import ledger

LONG, TAIL = 1600, 500  # characters of a text that are shown, and how many of them are its last
COLOURS = {"kept": "green", "rejected": "yellow", "failed": "red"}
HIDDEN = ("Cc", "Cf", "Co", "Cs", "Zl", "Zp")  # kinds of character that would move, hide or colour what is shown
JOINER = "\u200d"  # within an emoji


@dataclass(frozen=True)
class Preview:
    """real: what becomes of all real rows; rows: those made of the first of them, each with its end; spent: what they
    took this time, nothing where all was there."""

    real: Intake
    rows: Sequence[Row]
    spent: Sequence[ledger.UsageEntry]


def preview(recipe: Recipe, folder: Path, few: int = 3) -> Preview:
    """What becomes of the first few real rows. No batch is waited for: the requests are sent one by one."""
    journal = folder / "replies.sqlite"
    before = ledger.count_requests(journal)
    rows = made(at_once(recipe), folder, few)
    real = Intake.of(RunFolder(folder)) or Intake()
    return Preview(real, rows, ledger.usage_entries(journal, ledger.recipe_prices(recipe.dump()), before))


def show(found: Preview, folder: Path, console: Console) -> None:
    """What becomes of the real rows, row by row what was made, then what it cost."""
    console.print(Text(found.real.sentence()), soft_wrap=True)
    for number, row in enumerate(found.rows, 1):
        colour = COLOURS.get(row.status, "default")
        console.print(Rule(f"[bold]row {number} of {len(found.rows)}[/] [{colour}]{row.status}[/]", align="left"))
        console.print(_told(row))
    said = Cost(found.spent, 0, "", None).sentences() if found.spent else ["Nothing was asked: all replies were there."]
    said += [f"The replies are kept: `selfsown make` in {folder} does not pay for them again."]
    for line in said:
        console.print(Text(line), soft_wrap=True)


def _told(row: Row) -> Table:
    """What the row says, and what was said of it."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    reasoning = row.metadata.get("reasoning", "")
    traits = {f"({name})": value for name, value in row.metadata.items() if name != "reasoning"}
    named = {"prompt": row.prompt, "reasoning": reasoning, "answer": row.answer, **traits}
    for name, text in named.items():
        if text or name == "answer":
            table.add_row(Text(readable(name)), Text(readable(text)))
    for grade in row.grades:
        table.add_row("grade", Text(_graded(grade)))
    table.add_row("end", Text(readable(f"{row.status}: {row.reason}" if row.reason else row.status)))
    return table


def _graded(grade: Grade) -> str:
    return readable(f"{grade.grader} {grade.score:.2f}" + f": {grade.reason}" * bool(grade.reason))


def readable(text: str) -> str:
    """The text, shortened in its middle, with nothing in it that a terminal would obey."""
    if len(text) > LONG:
        left = f"\n[… {len(text) - LONG:,} characters are left out here …]\n"
        text = text[: LONG - TAIL] + left + text[-TAIL:]
    return "".join(_escaped(each) if _hidden(each) else each for each in text)


def _hidden(character: str) -> bool:
    return unicodedata.category(character) in HIDDEN and character not in ("\n", JOINER)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode()
