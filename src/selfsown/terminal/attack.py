"""The attack of graders on the terminal: a line for each family of probes, and examples of what passed."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from selfsown.attack.findings import conclusion, share
from selfsown.attack.results import Attack, Example, GraderAttack, ProbeResult
from selfsown.terminal.layout import add_text_row, print_line, print_table, table

MAX_EXAMPLES = 12  # probes of one grader that are shown
MAX_CHARS_SHOWN = 60  # of an answer


def show(attack: Attack, folder: Path | None, console: Console) -> None:
    """For each grader its table, what passed with examples, and the right answers that it refused."""
    print_line(console, f"{attack.rows} rows ({attack.source})")
    for grader in attack.graders:
        if grader.unmeasured:
            print_line(console, f"{grader.name} is not attacked: {grader.unmeasured}")
        else:
            _show_grader(grader, console)
    if folder:
        print_line(console, f"written to {folder}/attack.json")


def _show_grader(grader: GraderAttack, console: Console) -> None:
    shown = table(f"{grader.name}: {conclusion(grader)}", ("family", "tried", "passed", "share"))
    for family, metric in grader.false_accepts.items():
        add_text_row(shown, [family, f"{metric.n:,}", f"{round(metric.value * metric.n):,}", share(metric)])
    print_table(console, shown)
    _show_passed(grader, console)
    for family, metric in grader.false_refusals.items():
        if metric.value:
            print_line(console, f"right answers refused, {family}: {share(metric)} of {metric.n:,}")
    for result in grader.right:
        if result.hits and result.example:
            print_line(console, f"  {_counted(result)} {result.name}: {_quoted(result.example.answer)}")
    if grader.failed:
        print_line(console, f"not graded: {grader.failed:,} answers, on which the grader failed")


def _show_passed(grader: GraderAttack, console: Console) -> None:
    ranked = sorted(grader.passed, key=lambda result: -result.share)
    for result in ranked[:MAX_EXAMPLES]:
        assert result.example
        print_line(console, f"passed {_counted(result)} {result.name}: {_example(result.example)} ({result.reason})")
    if len(ranked) > MAX_EXAMPLES:
        print_line(console, f"and {len(ranked) - MAX_EXAMPLES} more probes; --json lists all")


def _counted(result: ProbeResult) -> str:
    return f"{result.hits} of {result.tried}"


def _example(example: Example) -> str:
    known = f" for {_quoted(example.target, from_end=True)}" if example.target else ""
    return f"{_quoted(example.answer)}{known}"


def _quoted(text: str, *, from_end: bool = False) -> str:
    """The text in one line, shortened; the end of a known answer is its final answer."""
    line = " ".join(text.split()) if from_end else text
    if len(line) > MAX_CHARS_SHOWN:
        line = f"…{line[-MAX_CHARS_SHOWN:]}" if from_end else f"{line[:MAX_CHARS_SHOWN]}…"
    return repr(line)
