"""Tables in a pipe: as wide as a page, with every number whole."""

from __future__ import annotations

import io

from rich.console import Console

from selfsown.cost import Cost
from selfsown.estimate.estimator import Estimate, StepEstimate
from selfsown.estimate.usage import Range, UsageRange
from selfsown.intake import Intake
from selfsown.terminal import cost, estimate
from selfsown.terminal.layout import PIPED_WIDTH, print_table, table
from selfsown.usage.ledger import UsageEntry

USAGE = UsageRange(
    Range(5345, 4035, 5745),
    Range(58704, 43459, 79779),
    Range(42355, 26717, 73393),
    Range(0.19, 0.13, 0.28),
    Range(75.0),
)


def lines_of_table(show: object, value: object) -> list[str]:
    """What is printed until the first sentence after the table."""
    out = io.StringIO()
    show(value, Console(file=out, width=80))  # type: ignore[operator]
    lines = out.getvalue().splitlines()
    assert all(len(line) <= PIPED_WIDTH for line in lines if not line.endswith((".", "'"))), lines
    return lines


def test_an_estimate_with_intervals_fits_a_page() -> None:
    steps = [
        StepEstimate(name, role, "gpt-4o-mini", "api.openai.com", USAGE, "endpoint", "")
        for name, role in (("generate.self_instruct", "teacher"), ("grade.judge", "judge"))
    ]
    nothing = UsageEntry()
    found = Estimate(Intake(), steps, USAGE, 9, 9, 0, nothing, nothing, {}, None, 9, 0, "", ())
    lines = lines_of_table(estimate.show, found)
    text = "\n".join(lines)
    for number in ("5,345", "4,035–5,745", "58,704", "43,459–79,779", "$0.19", "$0.13–$0.28"):
        assert text.count(number) == 3, number
    assert any(line.startswith("generate.self_instruct teacher gpt-4o-mini") for line in lines), "it is a table"


def test_a_cost_fits_a_page_and_leaves_out_what_nobody_counted() -> None:
    entry = UsageEntry("generate.self_instruct", "teacher", "gpt-4o-mini", "h", 12381, 12381, 0, 0, 9920000, 2560000)
    lines = lines_of_table(cost.show, Cost([entry], 3, "", None, {"teacher": "teacher.endpoint.price"}))
    assert "failed" not in lines[1]
    assert "reasoning" not in lines[1]
    assert "9,920,000" in lines[3]
    entry = UsageEntry("grade.self_consistency", "judge", "Qwen2.5-72B-Instruct", "h", *[10**7] * 3, 1, *[10**10] * 4)
    lines = lines_of_table(cost.show, Cost([entry], 3, "", None, {"judge": "judge.endpoint.price"}))
    assert sum("10,000,000,000" in line for line in lines) >= 4, "too wide for a table, each number has a line"


def test_no_column_is_left_out_of_a_pipe() -> None:
    grid = table("", ("name", "first", "second"), drop=("second",))
    grid.add_row("a" * 40, "1" * 40, "2" * 40)
    out = io.StringIO()
    print_table(Console(file=out, width=80), grid)
    assert [word for word in out.getvalue().split() if len(word) == 40] == ["a" * 40, "1" * 40, "2" * 40]
