"""A calibration as a table on the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from selfsown.calibration.calibrate import MEASURES
from selfsown.usage.budget import format_amount
from selfsown.usage.ledger import format_tokens


def show(found: Mapping[str, Any], folder: Path, console: Console) -> None:
    """A column for each grader that was measured, a line for each measure; then what was not, and the cost."""
    measured = [each for each in found["graders"] if "unmeasured" not in each]
    good, rows = found["good"], found["rows"]
    console.print(escape(f"{rows} rows, {good} good and {rows - good} bad ({found['source']})"), soft_wrap=True)
    if measured:
        table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
        for name in ("", *(_name(each["grader"]) for each in measured)):
            table.add_column(escape(name), justify="right" if name else "left", overflow="fold")
        for name in MEASURES:
            table.add_row(name.replace("_", " "), *(escape(_cell(each[name])) for each in measured))
        for kind in sorted({kind for each in measured for kind in each["false_accepts_by_kind"]}):
            cells = (_cell(each["false_accepts_by_kind"].get(kind)) for each in measured)
            table.add_row(f"  accepted: {kind}", *map(escape, cells))
        console.print(table)
    for each in found["graders"]:
        if "unmeasured" in each:
            console.print(escape(f"{_name(each['grader'])} is not measured: {each['unmeasured']}"), soft_wrap=True)
    if spent := found["cost"]:
        usd = "cost unknown" if spent["usd"] is None else format_amount("usd", spent["usd"])
        tokens = format_tokens(spent["input"], spent["output"], spent["untold"])
        console.print(f"{spent['requests']:,} requests, {tokens}, {usd}", soft_wrap=True, highlight=False)
    console.print(escape(f"It is written to {folder}/calibration.json"), soft_wrap=True, highlight=False)


def _name(grader: Any) -> str:
    return grader if isinstance(grader, str) else str(next(iter(grader)))


def _cell(measure: Mapping[str, float] | None) -> str:
    return f"{measure['value']:.3f} [{measure['low']:.3f}, {measure['high']:.3f}]" if measure else "–"
