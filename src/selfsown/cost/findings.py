"""Sentences and table cells about the cost of a folder."""

from __future__ import annotations

from selfsown.cost.totals import Cost
from selfsown.usage.budget import format_amount
from selfsown.usage.ledger import UsageEntry, format_tokens, unknown_price

COLUMNS = ("step", "role", "model", "requests", "answered", "failed", "input", "output", "reasoning", "cached", "cost")


def summary(cost: Cost) -> str:
    """Requests, tokens and dollars in one line."""
    spent = cost.total
    written, judged = cost.of_role("teacher"), cost.of_role("judge")
    split = ""
    if spent.usd is not None and written.requests and judged.requests:
        split = f": {usd_in_words(written)} to write, {usd_in_words(judged)} to judge"
    failed = f" ({spent.retries:,} failed)" if spent.retries else ""
    tokens = format_tokens(spent.input_tokens, spent.output_tokens, spent.unmetered)
    return f"{spent.requests:,} requests{failed}, {tokens}, {usd_in_words(spent)}{split}"


def facts(cost: Cost) -> list[str]:
    """The summary, the cost of a kept row and of a point gained, and what is not included."""
    unmetered = cost.total.unmetered
    at_least = "at least " if unmetered else ""
    sentences = [f"{summary(cost)}."]
    if cost.usd_per_kept_row is not None:
        sentences.append(
            f"{at_least}{format_amount('usd', cost.usd_per_kept_row)} for each of {cost.kept:,} kept rows."
        )
    if cost.usd_per_point is not None:
        price = f"{at_least}{format_amount('usd', cost.usd_per_point)}"
        sentences.append(f"{price} for each of the {cost.points:.1f} points gained in {cost.goal}.")
    if unmetered:
        sentences.append(f"{unmetered:,} requests returned no token count; their cost is not included.")
    return sentences


def sentences(cost: Cost) -> list[str]:
    """The facts, and which prices the user could add."""
    unpriced = {(line.model, line.host): line.role for line in reversed(cost.usage_entries) if line.usd is None}
    options = cost.price_options
    return [*facts(cost), *(unknown_price(*model, options[role]) for model, role in reversed(unpriced.items()))]


def table_rows(cost: Cost) -> list[list[str]]:
    """The cells of one line for each step, role and model, in the order of COLUMNS."""
    return [_cells(line) for line in cost.usage_entries]


def usd_in_words(line: UsageEntry) -> str:
    """The dollars of a line; "at least" if some of it is unknown, "cost unknown" if all of it is."""
    partly_unknown = line.usd is None or bool(line.unmetered)
    if partly_unknown and not line.known_usd:
        return "cost unknown"
    return ("at least " if partly_unknown else "") + format_amount("usd", line.known_usd)


def _cells(line: UsageEntry) -> list[str]:
    at_least = "≥ " if line.unmetered else ""
    counts = [_count(line.requests), _count(line.answered), _count(line.retries)]
    tokens = [_count(line.input_tokens, at_least), _count(line.output_tokens, at_least)]
    details = [_count(line.reasoning_tokens), _count(line.cached_tokens)]
    return [line.stage, line.role, line.model, *counts, *tokens, *details, usd_in_words(line)]


def _count(number: int | None, prefix: str = "") -> str:
    return "–" if number is None else f"{prefix}{number:,}"
