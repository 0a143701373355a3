"""A calibration as a table on the terminal."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from selfsown.calibration.metrics import Metric
from selfsown.calibration.results import METRICS, Calibration, GraderResult
from selfsown.cost.findings import usd_in_words
from selfsown.terminal.layout import add_text_row, print_line, print_table, table
from selfsown.usage.ledger import format_tokens


def show(calibration: Calibration, folder: Path, console: Console) -> None:
    """One column for each measured grader and one line for each metric; then unmeasured graders, and the cost."""
    rows, good = calibration.rows, calibration.good
    print_line(console, f"{rows} rows, {good} good and {rows - good} bad ({calibration.source})")
    _show_metrics([grader for grader in calibration.graders if not grader.unmeasured], console)
    for grader in calibration.graders:
        if grader.unmeasured:
            print_line(console, f"{grader.name} is not measured: {grader.unmeasured}")
    if spent := calibration.cost:
        tokens = format_tokens(spent.input_tokens, spent.output_tokens, spent.unmetered)
        print_line(console, f"{spent.requests:,} requests, {tokens}, {usd_in_words(spent)}")
    print_line(console, f"written to {folder}/calibration.json")


def _show_metrics(graders: list[GraderResult], console: Console) -> None:
    if not graders:
        return
    result = table("", ("", *(grader.name for grader in graders)))
    for name in METRICS:
        add_text_row(result, [name.replace("_", " "), *(_cell(grader.metrics[name]) for grader in graders)])
    for kind in sorted({kind for grader in graders for kind in grader.false_accepts_by_kind}):
        cells = [_cell(grader.false_accepts_by_kind.get(kind)) for grader in graders]
        add_text_row(result, [f"  accepted: {kind}", *cells])
    print_table(console, result)


def _cell(metric: Metric | None) -> str:
    return f"{metric.value:.3f} [{metric.low:.3f}, {metric.high:.3f}]" if metric else "–"
