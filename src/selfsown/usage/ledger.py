"""What the models behind servers took, by step, role and model: requests, tokens, seconds and money."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from functools import reduce
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from selfsown.records import SelfsownError
from selfsown.usage.budget import Budget, Meter
from selfsown.usage.journal import KEYS_PER_QUERY, Journal
from selfsown.usage.prices import Price, TokenUsage, price_from_options, price_of

# One line for each step, role, model and host; answers of which the price was not known stand apart.
_LINES = """
SELECT stage, role, model, host, batch, usd IS NULL AND outcome = 'answered' AS unpriced, count(*),
    sum(outcome = 'answered'), sum(outcome IN ('declined', 'stopped')),
    sum((input IS NULL OR output IS NULL) AND outcome IN ('answered', 'unreadable', 'timeout', 'reset', 'dropped')),
    sum(input), sum(output), sum(reasoning), sum(cached), sum(written), sum(seconds), sum(usd),
    max(input), count(input) < count(*) OR count(output) < count(*)
FROM calls WHERE rowid > {after} GROUP BY stage, role, model, host, batch, unpriced ORDER BY min(rowid)
"""
_USUAL = "SELECT host, model, count(output), sum(output) FROM calls WHERE outcome = 'answered' GROUP BY host, model"
_PACES = """
SELECT stage, role, avg(output), avg(CASE WHEN batch THEN NULL ELSE seconds END)
FROM calls WHERE outcome = 'answered' GROUP BY stage, role
"""
Prices = Callable[[str, str], Price | None]  # of a model at a host


@dataclass(frozen=True)
class UsageEntry:
    """What one model took for one step, or several of them together.

    declined: requests that the server would not answer; what is neither answered nor declined was sent again. untold:
    replies that may have been paid for, of which nobody knows all tokens, so that input, output and money are at least
    so much; None where no server counted any of them. money: in dollars, None where a price is not known; known_usd:
    of the replies whose price is. reasoning is part of the output, cached part of the input, None where no server
    counted them. seconds: of all requests one after the other.
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
    request_seconds: float = 0.0
    usd: float | None = 0.0
    known_usd: float = 0.0

    @property
    def retries(self) -> int:
        return self.requests - self.answered - self.declined

    def __add__(self, other: UsageEntry) -> UsageEntry:
        numbers = ("requests", "answered", "declined", "untold", "seconds", "known_usd")
        found: dict[str, Any] = {name: getattr(self, name) + getattr(other, name) for name in numbers}
        for name in ("input", "output"):
            found[name] = _known([getattr(self, name), getattr(other, name)])
        for name in ("reasoning", "cached"):
            both = [each for each in (getattr(self, name), getattr(other, name)) if each is not None]
            found[name] = sum(both) if both else None
        usd = None if self.usd is None or other.usd is None else self.usd + other.usd
        return replace(self, **found, usd=usd)

    def to_json(self) -> dict[str, Any]:
        """As JSON has it."""
        return {**asdict(self), "again": self.retries}


def format_tokens(input: int | None, output: int | None, untold: int) -> str:
    """Tokens in words; untold: how many requests were answered without a count of them."""
    if input is None and output is None:
        return "tokens unknown"
    least = "at least " * bool(untold)
    if input is None:
        return f"an unknown number of tokens read and {least}{output:,} written"
    return f"{least}{input:,} tokens read and {'an unknown number' if output is None else f'{output:,}'} written"


def usage_entries(journal: Path, prices: Prices = price_of, after: int = 0) -> list[UsageEntry]:
    """The ledger of a folder, in the order in which its steps began; none where no request was ever sent.

    after: only of what came after so many requests.
    """
    found: dict[tuple[str, ...], UsageEntry] = {}
    for row in _read(journal, _LINES.format(after=after)):
        line = _line(row, prices)
        place = (line.stage, line.role, line.model, line.host)
        found[place] = found[place] + line if place in found else line
    return list(found.values())


def count_requests(journal: Path) -> int:
    """How many requests were sent until now."""
    return next((count or 0 for (count,) in _read(journal, "SELECT max(rowid) FROM calls")), 0)


def mean_usage(journal: Path) -> dict[tuple[str, str], tuple[float | None, float | None]]:
    """For each step and role the mean tokens and seconds of a reply, None where nobody counted them."""
    return {(stage, role): (tokens, seconds) for stage, role, tokens, seconds in _read(journal, _PACES)}


def request_seconds(journal: Path, keys: Sequence[str]) -> dict[str, float]:
    """How long each of these requests took to be answered, but for those of a batch."""
    found: dict[str, float] = {}
    for at in range(0, len(keys), KEYS_PER_QUERY):
        some = ",".join(f"'{key}'" for key in keys[at : at + KEYS_PER_QUERY])
        question = "SELECT key, max(seconds) FROM calls WHERE outcome = 'answered' AND NOT batch AND key IN"
        found |= dict(_read(journal, f"{question} ({some}) GROUP BY key"))
    return found


def total(some: Iterable[UsageEntry]) -> UsageEntry:
    """All of them together."""
    return reduce(UsageEntry.__add__, some, UsageEntry())


def recipe_prices(recipe: Mapping[str, Any]) -> Prices:
    """The prices that a recipe tells of its teacher and judge, and our table's for the rest."""
    told: dict[tuple[str, str], Price] = {}
    for role in ("teacher", "judge"):
        named = recipe.get(role)
        for knobs in named.values() if isinstance(named, dict) else ():
            if knobs and knobs.get("price") and "model" in knobs:
                told[urlsplit(knobs.get("url", "")).netloc, knobs["model"]] = price_from_options(
                    f"{role}: price", knobs["price"]
                )
    return lambda host, model: told.get((host, model)) or told.get(("", model)) or price_of(host, model)


def folder_budget(journal: Journal, recipe: Mapping[str, Any]) -> Budget | None:
    """The budget of a folder, of which its calls so far are spent; None where the recipe has none."""
    caps = recipe.get("budget")
    if not caps:
        return None
    spent = total(usage_entries(journal.path, recipe_prices(recipe)))
    if None in (spent.input_tokens, spent.output_tokens) and "tokens" in caps:
        raise SelfsownError(
            f"budget: how many tokens the requests of {journal.path.parent} took until now is not known, for the "
            "server does not count them; cap the requests instead, or name another folder"
        )
    if spent.usd is None and "usd" in caps:
        raise SelfsownError(
            f"budget: what the requests of {journal.path.parent} cost until now is not known; say the price of each "
            "model in the recipe, cap tokens or requests instead, or name another folder"
        )
    before = Meter(spent.requests, spent.input_tokens or 0, spent.output_tokens or 0, spent.usd)
    usual = {(host, model): (replies, tokens or 0) for host, model, replies, tokens in _read(journal.path, _USUAL)}
    return Budget(caps, before, journal.meter, usual)


def _line(row: tuple[Any, ...], prices: Prices) -> UsageEntry:
    stage, role, model, host, batch, unpriced, requests, answered, declined, untold, *rest = row
    asked, said, reasoning, cached, written, seconds, usd, longest, partly = rest
    if unpriced:
        price = None if partly else prices(host, model)
        fits = price and not 0 < price.max_input_tokens < longest
        usd = (
            price.cost_usd(TokenUsage(asked, said, reasoning, cached, written), bool(batch)) if price and fits else None
        )
    else:
        usd = usd or 0.0
    if not untold:
        asked, said = asked or 0, said or 0
    counts = (requests, answered, declined, untold, asked, said)
    return UsageEntry(stage, role, model, host, *counts, reasoning, cached, seconds or 0.0, usd, usd or 0.0)


def _known(counts: Sequence[int | None]) -> int | None:
    """The sum of those that are known; None where it is of nothing else."""
    return sum(count or 0 for count in counts) or (None if None in counts else 0)


def _read(journal: Path, question: str) -> list[tuple[Any, ...]]:
    """The answer of the journal, which is not changed; nothing where there is none, or one without calls."""
    if not journal.exists():
        return []
    try:
        with closing(sqlite3.connect(f"{journal.absolute().as_uri()}?mode=ro", uri=True, timeout=60)) as connection:
            there = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'calls'").fetchone()
            return connection.execute(question).fetchall() if there else []
    except sqlite3.Error as error:
        raise SelfsownError(f"{journal} cannot be read ({error}); it should be the journal of a run") from error
