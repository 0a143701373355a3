"""An estimate on the terminal: a table and sentences, or JSON."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console

from selfsown.cost.findings import usd_in_words
from selfsown.estimate.estimator import Estimate, StepEstimate
from selfsown.estimate.usage import Range, UsageRange
from selfsown.records import JsonObject
from selfsown.terminal.layout import add_text_row, print_line, print_lines, print_table, table
from selfsown.text.durations import duration
from selfsown.usage.budget import format_amount
from selfsown.usage.ledger import format_tokens, unknown_price

COLUMNS = ("step", "role", "model", "requests", "input", "output", "usd", "time")
TEXT_COLUMNS = 3


def show(estimate: Estimate, console: Console) -> None:
    """What becomes of the real rows, the table, and what the numbers rest on."""
    print_line(console, estimate.intake.sentence())
    if estimate.steps:
        has_bounds = estimate.total.requests.low is not None
        title = "requests that make has yet to send"
        title = f"{title}, with 90 % intervals" if has_bounds else title
        result = table(title, COLUMNS, left=TEXT_COLUMNS, compact=True)
        for step in estimate.steps:
            add_text_row(result, [step.step, step.role, step.model, *_cells(step.usage)])
        if len(estimate.steps) > 1:
            add_text_row(result, ["total", "", "", *_cells(estimate.total)], style="bold")
        print_table(console, result)
    print_lines(console, sentences(estimate))


def sentences(estimate: Estimate) -> Iterator[str]:
    """What the estimate rests on, which prices are unknown, and whether the budget is enough."""
    if not estimate.steps:
        yield "No model server is asked, so nothing is paid."
        return
    yield from _basis(estimate)
    unpriced = [step for step in estimate.steps if step.usage.usd is None and step.usage.requests.value]
    for model, host, role, method in dict.fromkeys((s.model, s.host, s.role, s.method) for s in unpriced):
        yield unknown_price(model, host, f"{role}.{method}.price")
    if estimate.uncounted_steps:
        steps = ", ".join(estimate.uncounted_steps)
        yield f"Requests after {steps} cannot be counted without sending some; leave out --offline."
    if estimate.failed_rows:
        rows = f"{estimate.failed_rows:,} of the {estimate.made_rows:,} rows made for this estimate failed"
        yield f"{rows}; the last: {estimate.failure_reason}"
    for unit in estimate.budget:
        yield _budget_sentence(estimate, unit)
    if estimate.batch_usd:
        yield f"In batches (batch: 20000), hours later, the same costs {_range_text(estimate.batch_usd, 'usd')}."


def _basis(estimate: Estimate) -> Iterator[str]:
    """What the numbers rest on, what is paid already, and what the estimate itself used."""
    if estimate.sampled_rows:
        rows = f"{estimate.sampled_rows:,} of {estimate.rows:,} rows, drawn evenly, were sent for this estimate"
        yield f"{rows}; failed requests are not included."
    else:
        yield f"No request was sent. All {estimate.rows:,} rows are counted; a prompt has a token for 4 characters."
        for step in estimate.steps:
            if step.reply_length:
                yield f"{step.step} ({step.role}): replies {step.reply_length}."
    if estimate.cached_replies:
        yield f"{estimate.cached_replies:,} replies are in the journal already; make does not pay for them again."
    if estimate.spent_now.requests:
        now = estimate.spent_now
        tokens = format_tokens(now.input_tokens, now.output_tokens, now.unmetered)
        yield f"This estimate used {now.requests:,} requests, {tokens}, {usd_in_words(now)}."
    if estimate.total.seconds and estimate.total.seconds.value:
        yield "The time assumes that the server stays as fast with more requests in flight."


def _budget_sentence(estimate: Estimate, unit: str) -> str:
    """Whether the budget, part of which may be spent, is enough for what is left."""
    cap, spent, left = estimate.budget[unit], _spent(estimate, unit), _left(estimate.total, unit)
    if left is None or spent is None:
        return f"It is unknown whether the budget of {format_amount(unit, cap)} is enough."
    verdict = "is too little"
    if spent + (left.value if left.high is None else left.high) <= cap:
        verdict = "is enough"
    elif spent + left.value <= cap:
        verdict = "may be too little"
    numbers = f"{format_amount(unit, spent)} spent and {_range_text(left, unit)} left"
    return f"The budget of {format_amount(unit, cap)} {verdict}: {numbers}."


def _spent(estimate: Estimate, unit: str) -> float | None:
    spent = estimate.spent
    if unit == "tokens":
        return (
            None
            if spent.input_tokens is None or spent.output_tokens is None
            else spent.input_tokens + spent.output_tokens
        )
    return spent.usd if unit == "usd" else spent.requests


def _left(total: UsageRange, unit: str) -> Range | None:
    if unit == "tokens":
        return total.input_tokens.plus(total.output_tokens)
    return total.usd if unit == "usd" else total.requests


def to_json(estimate: Estimate) -> JsonObject:
    """The estimate as `--json` prints it; null is unknown."""
    return {
        "steps": [_step_json(step) for step in estimate.steps],
        "total": _usage_json(estimate.total),
        "real": estimate.intake.plain(),
        "rows": estimate.rows,
        "sampled_rows": estimate.sampled_rows,
        "cached_replies": estimate.cached_replies,
        "made_rows": estimate.made_rows,
        "failed_rows": estimate.failed_rows,
        "failure_reason": estimate.failure_reason,
        "spent": estimate.spent.to_json(),
        "spent_now": estimate.spent_now.to_json(),
        "budget": {
            unit: {"cap": cap, "sentence": _budget_sentence(estimate, unit)} for unit, cap in estimate.budget.items()
        },
        "batch_usd": _range_json(estimate.batch_usd),
        "uncounted_steps": list(estimate.uncounted_steps),
    }


def _step_json(step: StepEstimate) -> JsonObject:
    named = {"step": step.step, "role": step.role, "model": step.model, "host": step.host, "method": step.method}
    return {**named, **_usage_json(step.usage), "reply_length": step.reply_length}


def _usage_json(usage: UsageRange) -> JsonObject:
    return {name: _range_json(value) for name, value in usage._asdict().items()}


def _range_json(value: Range | None) -> dict[str, float | None] | None:
    return None if value is None else value._asdict()


def _cells(usage: UsageRange) -> list[str]:
    counts = [_range_cell(value) for value in (usage.requests, usage.input_tokens, usage.output_tokens)]
    cost = "unknown" if usage.usd is None else _range_cell(usage.usd, "usd")
    return [*counts, cost, _range_cell(usage.seconds, "seconds")]


def _range_cell(value: Range | None, unit: str = "") -> str:
    """The value, and below it its bounds if they differ from it."""
    number, _, bounds = _range_text(value, unit).partition(" (")
    return "\n".join(filter(None, (number, bounds.removesuffix(")").replace(" to ", "–"))))


def _range_text(value: Range | None, unit: str = "") -> str:
    """The value, and its bounds if they differ from it."""
    if value is None:
        return "–"
    text = _number_text(value.value, unit)
    named = f"{text} {unit}" if unit in ("requests", "tokens") else text
    if value.low is None or value.high is None:
        return named
    low, high = _number_text(value.low, unit), _number_text(value.high, unit)
    return named if low == high == text else f"{named} ({low} to {high})"


def _number_text(value: float, unit: str) -> str:
    if unit == "usd":
        return format_amount("usd", value)
    if unit != "seconds":
        return f"{value:,.0f}"
    return duration(value) if value else "0 s"
