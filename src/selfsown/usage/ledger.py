"""The usage of models behind servers, by step, role and model: requests, tokens, seconds and dollars."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from functools import reduce
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from selfsown.errors import RunFolderError
from selfsown.records import Json, JsonObject
from selfsown.usage.budget import Budget, Meter
from selfsown.usage.journal import KEYS_PER_QUERY, Journal
from selfsown.usage.prices import Price, TokenUsage, price_from_options, price_of

# One row for each step, role, model and host; answers whose price was unknown are a row of their own.
_ENTRIES = """
SELECT stage, role, model, host, batch, usd IS NULL AND outcome = 'answered' AS unpriced, count(*),
    sum(outcome = 'answered'), sum(outcome IN ('declined', 'stopped')),
    sum((input_tokens IS NULL OR output_tokens IS NULL)
        AND outcome IN ('answered', 'unreadable', 'timeout', 'reset', 'dropped')),
    sum(input_tokens), sum(output_tokens), sum(reasoning_tokens), sum(cached_tokens), sum(cache_write_tokens),
    sum(seconds), sum(usd),
    max(input_tokens), count(input_tokens) < count(*) OR count(output_tokens) < count(*)
FROM calls WHERE rowid > {after} GROUP BY stage, role, model, host, batch, unpriced ORDER BY min(rowid)
"""
_REPLY_TOTALS = """
SELECT host, model, count(output_tokens), sum(output_tokens) FROM calls WHERE outcome = 'answered'
GROUP BY host, model
"""
_MEANS = """
SELECT stage, role, avg(output_tokens), avg(CASE WHEN batch THEN NULL ELSE seconds END)
FROM calls WHERE outcome = 'answered' GROUP BY stage, role
"""
Prices = Callable[[str, str], Price | None]  # of a model at a host


@dataclass(frozen=True)
class UsageEntry:
    """The usage of one model in one step, or of several of them together.

    declined: requests that the server rejected; those neither answered nor declined are retries. unmetered: requests
    that may have been paid, whose tokens are not all known, so that tokens and dollars are lower bounds.
    input_tokens, output_tokens: None where no server counted them. reasoning_tokens are part of the output,
    cached_tokens part of the input. seconds: the sum over all requests. usd: dollars, None where a price is unknown;
    known_usd: of the replies whose price is known.
    """

    stage: str = ""
    role: str = ""
    model: str = ""
    host: str = ""
    requests: int = 0
    answered: int = 0
    declined: int = 0
    unmetered: int = 0
    input_tokens: int | None = 0
    output_tokens: int | None = 0
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None
    seconds: float = 0.0
    usd: float | None = 0.0
    known_usd: float = 0.0

    @property
    def retries(self) -> int:
        return self.requests - self.answered - self.declined

    def __add__(self, other: UsageEntry) -> UsageEntry:
        numbers = ("requests", "answered", "declined", "unmetered", "seconds", "known_usd")
        sums: JsonObject = {name: getattr(self, name) + getattr(other, name) for name in numbers}
        for name in ("input_tokens", "output_tokens"):
            sums[name] = _known([getattr(self, name), getattr(other, name)])
        for name in ("reasoning_tokens", "cached_tokens"):
            known = [count for count in (getattr(self, name), getattr(other, name)) if count is not None]
            sums[name] = sum(known) if known else None
        usd = None if self.usd is None or other.usd is None else self.usd + other.usd
        return replace(self, **sums, usd=usd)

    def to_json(self) -> JsonObject:
        """As `selfsown cost --json` prints it."""
        return {**asdict(self), "retries": self.retries}


def format_tokens(input_tokens: int | None, output_tokens: int | None, unmetered: int) -> str:
    """Token counts in words; unmetered: how many requests have no count, so that the counts are lower bounds."""
    if input_tokens is None and output_tokens is None:
        return "tokens unknown"
    at_least = "at least " if unmetered else ""
    read = "unknown" if input_tokens is None else f"{at_least}{input_tokens:,}"
    written = "unknown" if output_tokens is None else f"{at_least}{output_tokens:,}"
    return f"{read} input and {written} output tokens"


def usage_entries(journal: Path, prices: Prices = price_of, after: int = 0) -> list[UsageEntry]:
    """The usage of a folder, in the order in which its steps began; empty where no request was ever sent.

    prices: for answers whose price was unknown when they were sent. after: skip this many requests.
    """
    entries: dict[tuple[str, ...], UsageEntry] = {}
    for row in _read(journal, _ENTRIES.format(after=after)):
        entry = _entry(row, prices)
        place = (entry.stage, entry.role, entry.model, entry.host)
        entries[place] = entries[place] + entry if place in entries else entry
    return list(entries.values())


def count_requests(journal: Path) -> int:
    """How many requests were sent so far."""
    return next((count or 0 for (count,) in _read(journal, "SELECT max(rowid) FROM calls")), 0)


def mean_usage(journal: Path) -> dict[tuple[str, str], tuple[float | None, float | None]]:
    """For each step and role the mean output tokens and seconds of a reply, None where unknown."""
    return {(stage, role): (tokens, seconds) for stage, role, tokens, seconds in _read(journal, _MEANS)}


def request_seconds(journal: Path, keys: Sequence[str]) -> dict[str, float]:
    """The seconds until each of these requests was answered, without those of a batch."""
    durations: dict[str, float] = {}
    for start in range(0, len(keys), KEYS_PER_QUERY):
        chunk = ",".join(f"'{key}'" for key in keys[start : start + KEYS_PER_QUERY])
        query = "SELECT key, max(seconds) FROM calls WHERE outcome = 'answered' AND NOT batch AND key IN"
        durations |= dict(_read(journal, f"{query} ({chunk}) GROUP BY key"))
    return durations


def total(entries: Iterable[UsageEntry]) -> UsageEntry:
    """The sum of these entries."""
    return reduce(UsageEntry.__add__, entries, UsageEntry())


def recipe_prices(recipe: Mapping[str, Json]) -> Prices:
    """The prices that a recipe gives its teacher and judge, and those of our table for other models."""
    prices: dict[tuple[str, str], Price] = {}
    for role in ("teacher", "judge"):
        step = recipe.get(role)
        for options in step.values() if isinstance(step, dict) else ():
            if options and options.get("price") and "model" in options:
                host = urlsplit(options.get("url", "")).netloc
                prices[host, options["model"]] = price_from_options(f"{role}: price", options["price"])
    return lambda host, model: prices.get((host, model)) or prices.get(("", model)) or price_of(host, model)


def price_options(recipe: Mapping[str, Json]) -> dict[str, str]:
    """For each role the option of a recipe that gives its model's price, such as teacher.endpoint.price."""
    steps = {role: recipe.get(role) for role in ("teacher", "judge")}
    methods = {role: next(iter(step)) if isinstance(step, dict) else step for role, step in steps.items() if step}
    return {role: f"{role}.{method}.price" for role, method in methods.items()}


def unknown_price(model: str, host: str, option: str) -> str:
    """A sentence with the change that gives the price; option: as `price_options` has it."""
    change = f"--set '{option}={{input: 1, output: 3}}'"
    return f"The price of {model} at {host} is unknown; in dollars per million tokens: {change}"


def folder_budget(journal: Journal, recipe: Mapping[str, Json]) -> Budget | None:
    """The budget of a folder, with its usage so far; None where the recipe has no budget.

    Raises RunFolderError where the usage so far is unknown.
    """
    caps = recipe.get("budget")
    if not caps:
        return None
    spent = total(usage_entries(journal.path, recipe_prices(recipe)))
    if None in (spent.input_tokens, spent.output_tokens) and "tokens" in caps:
        raise RunFolderError(
            f"budget: the tokens used in {journal.path.parent} so far are unknown, because the server does not count "
            "them; cap requests instead, or use another folder"
        )
    if spent.usd is None and "usd" in caps:
        raise RunFolderError(
            f"budget: the cost of the requests in {journal.path.parent} so far is unknown; set the price of each "
            "model in the recipe, cap tokens or requests instead, or use another folder"
        )
    before = Meter(spent.requests, spent.input_tokens or 0, spent.output_tokens or 0, spent.usd)
    reply_totals = {
        (host, model): (replies, tokens or 0) for host, model, replies, tokens in _read(journal.path, _REPLY_TOTALS)
    }
    return Budget(caps, before, journal.meter, reply_totals)


def _entry(row: tuple[Any, ...], prices: Prices) -> UsageEntry:
    stage, role, model, host, batch, unpriced, requests, answered, declined, unmetered, *rest = row
    *tokens, seconds, usd, longest_input, is_partial = rest
    input_tokens, output_tokens, reasoning_tokens, cached_tokens, _ = tokens
    if unpriced:
        price = None if is_partial else prices(host, model)
        fits = price and not 0 < price.max_input_tokens < longest_input
        usd = price.cost_usd(TokenUsage(*tokens), bool(batch)) if price and fits else None
    else:
        usd = usd or 0.0
    if not unmetered:
        input_tokens, output_tokens = input_tokens or 0, output_tokens or 0
    counts = (requests, answered, declined, unmetered, input_tokens, output_tokens, reasoning_tokens, cached_tokens)
    return UsageEntry(stage, role, model, host, *counts, seconds or 0.0, usd, usd or 0.0)


def _known(counts: Sequence[int | None]) -> int | None:
    """The sum of the known counts; None where none is known."""
    return sum(count or 0 for count in counts) or (None if None in counts else 0)


def _read(journal: Path, query: str) -> list[tuple[Any, ...]]:
    """The rows of a query on the journal, opened read-only; empty where there is no journal, or one without calls."""
    if not journal.exists():
        return []
    try:
        with closing(sqlite3.connect(f"{journal.absolute().as_uri()}?mode=ro", uri=True, timeout=60)) as connection:
            has_calls = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'calls'").fetchone()
            return connection.execute(query).fetchall() if has_calls else []
    except sqlite3.Error as error:
        raise RunFolderError(f"{journal} cannot be read ({error}); expected the journal of a run") from error
