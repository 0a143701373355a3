"""What a folder cost: its ledger, set against the rows that were kept and the points that were gained."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet
import yaml
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.table import Table

from selfsown.history import best_of
from selfsown.records import SelfsownError
from selfsown.run_folder import RunFolder
from selfsown.usage.budget import format_amount
from selfsown.usage.ledger import UsageEntry, format_tokens, recipe_prices, total, usage_entries

HEAD = ("step", "role", "model", "requests", "answered", "again", "input", "output", "reasoning", "cached", "cost")
WIDEST = 1000  # characters of the table


@dataclass(frozen=True)
class Cost:
    """points: what the best generation has gained over generation 0 in the goal, in hundredths; None where nothing was
    gained, or nobody was trained."""

    lines: Sequence[UsageEntry]
    kept: int
    goal: str
    points: float | None

    @property
    def all(self) -> UsageEntry:
        return total(self.lines)

    @property
    def sentence(self) -> str:
        """The whole in one line."""
        spent = self.all
        written, judged = (total(line for line in self.lines if line.role == role) for role in ("teacher", "judge"))
        told = spent.usd is not None and written.requests and judged.requests
        both = f": {usd(written)} to write, {usd(judged)} to judge" if told else ""
        again = f", {spent.retries:,} of them in vain" if spent.retries else ""
        tokens = format_tokens(spent.input_tokens, spent.output_tokens, spent.unmetered)
        return f"{spent.requests:,} requests{again}, {tokens}, {usd(spent)}{both}"

    def facts(self) -> list[str]:
        """What the table does not say."""
        spent = self.all
        said = [f"{self.sentence}."]
        least = "at least " * bool(spent.unmetered)
        if self.kept and spent.usd is not None:
            said.append(f"{least}{format_amount('usd', spent.usd / self.kept)} for each of {self.kept:,} kept rows.")
        if self.points and spent.usd is not None:
            each = format_amount("usd", spent.usd / self.points)
            said.append(f"{least}{each} for each of the {self.points:.1f} points that {self.goal} has gained.")
        if spent.unmetered:
            said.append(f"{spent.unmetered:,} requests brought no count of tokens; what they cost is not in it.")
        return said

    def sentences(self) -> list[str]:
        """The same, and what the user could add to it."""
        unknown = dict.fromkeys(f"{line.model} at {line.host}" for line in self.lines if line.usd is None)
        wanted = "say price in the recipe, dollars for a million tokens"
        return [*self.facts(), *(f"What {name} costs is not known; {wanted}." for name in unknown)]

    def cells(self) -> list[list[str]]:
        """A line for each step, role and model, as HEAD names its cells."""
        return [_cells(line) for line in self.lines]

    def plain(self) -> dict[str, Any]:
        """As JSON has it; null is unknown."""
        spent = self.all
        per_row = spent.usd / self.kept if self.kept and spent.usd is not None else None
        per_point = spent.usd / self.points if self.points and spent.usd is not None else None
        nameless = ("stage", "role", "model", "host")
        return {
            "lines": [line.to_json() for line in self.lines],
            "total": {name: value for name, value in spent.to_json().items() if name not in nameless},
            "kept": self.kept,
            "money_per_kept_row": per_row,
            "points_gained": self.points,
            "money_per_point": per_point,
        }


def read(folder: Path) -> Cost | None:
    """What the folder cost; None where no model behind a server was ever asked."""
    store = RunFolder(folder)
    try:
        recipe = yaml.safe_load((folder / "recipe.yaml").read_text(encoding="utf-8"))
        prices = recipe_prices(recipe)
    except (AttributeError, TypeError, ValueError, yaml.YAMLError) as error:
        raise SelfsownError(f"{folder}/recipe.yaml is damaged ({error}); put it back as it was") from error
    found = usage_entries(store.journal.path, prices)
    goal = str(recipe.get("goal", ""))
    return Cost(found, _kept(folder), goal, _points(store, goal)) if found else None


def tell(folder: Path, console: Console, for_a_program: bool) -> None:
    """Print it."""
    found = read(folder)
    if for_a_program:
        print(json.dumps(found.plain() if found else {"lines": []}, indent=1))
    elif found:
        show(found, console)
    else:
        print(f"No model behind a server was ever asked in {folder}.")


def show(cost: Cost, console: Console) -> None:
    """The table, and what it comes to."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False, title_justify="left")
    table.title = "what the models behind servers took"
    for name in HEAD:
        table.add_column(name, justify="left" if name in HEAD[:3] else "right", no_wrap=True)
    for cells in cost.cells():
        table.add_row(*map(escape, cells))
    whole = Measurement.get(console, console.options.update(max_width=WIDEST), table).maximum
    console.width = max(whole, console.width)  # half a number would be a wrong number
    console.print(table)
    for sentence in cost.sentences():
        console.print(escape(sentence), highlight=False, soft_wrap=True)


def usd(line: UsageEntry) -> str:
    """In words; "at least" where some of it is not known."""
    if (line.usd is None or line.unmetered) and not line.known_usd:
        return "cost unknown"
    return "at least " * (line.usd is None or bool(line.unmetered)) + format_amount("usd", line.known_usd)


def _cells(line: UsageEntry) -> list[str]:
    counts: list[int | None] = [line.requests, line.answered, line.retries, line.input_tokens, line.output_tokens]
    cells = ["–" if n is None else f"{n:,}" for n in (*counts, line.reasoning_tokens, line.cached_tokens)]
    if line.unmetered:
        cells[3:5] = [cell if cell == "–" else f"≥ {cell}" for cell in cells[3:5]]
    return [line.stage, line.role, line.model, *cells, usd(line)]


def _kept(folder: Path) -> int:
    """The rows that were kept, of a run or of a folder of rows."""
    found = 0
    for path in [*folder.glob("rows.parquet"), *folder.glob("generation-*/rows.parquet")]:
        with pyarrow.parquet.ParquetFile(path, pre_buffer=False) as file:
            for batch in file.iter_batches(columns=["status"], use_threads=False):
                found += batch.column(0).to_pylist().count("kept")
    return found


def _points(store: RunFolder, goal: str) -> float | None:
    history = store.generations()
    first, best = (found.score(goal) for found in (history[0], best_of(history, goal))) if history else (None, None)
    if not first or not best or first.direction == "neither":
        return None
    gained = 100 * (best.value - first.value) * (-1 if first.direction == "lower" else 1)
    return gained if gained > 0 else None
