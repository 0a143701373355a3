"""An estimate as its reader sees it: a table, and what it comes to, or JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from selfsown.cost import usd
from selfsown.estimate.estimator import Estimate, Part, Range
from selfsown.usage.budget import format_amount
from selfsown.usage.ledger import format_tokens

HEAD = ("step", "role", "model", "requests", "input", "output", "usd", "time")
MINUTE, HOUR = 60, 3600  # seconds


def show(found: Estimate, console: Console) -> None:
    """What becomes of the real rows, the table, and what it does not say."""
    console.print(found.real.sentence(), highlight=False, soft_wrap=True, markup=False)
    if found.parts:
        table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False, title_justify="left")
        table.title = "what make has yet to ask" + (
            ", each with its 90 % range" if _bounded(found.all.requests) else ""
        )
        for name in HEAD:
            table.add_column(name, justify="left" if name in HEAD[:3] else "right")
        for part in found.parts:
            table.add_row(*map(escape, _cells(part)))
        if len(found.parts) > 1:
            table.add_row("all", "", "", *map(escape, _cells(found.all)[3:]), style="bold")
        console.print(table)
    for sentence in sentences(found):
        console.print(escape(sentence), highlight=False, soft_wrap=True)


def sentences(found: Estimate) -> Iterator[str]:
    if not found.parts:
        yield "No model behind a server is asked, so nothing is paid."
        return
    yield from _grounds(found)
    for part in found.parts:
        if part.usd is None and part.requests.value:
            said = f"--set '{part.role}.{part.way}.price={{input: 1, output: 3}}'"
            yield f"What {part.model} at {part.host} costs is not known; in dollars for a million tokens: {said}"
    if found.unseen:
        yield f"What comes after {', '.join(found.unseen)} cannot be counted without asking; leave --offline out."
    if found.failed:
        yield f"{found.failed:,} of the {found.made:,} rows made for this failed; the last: {found.reason}"
    for what in found.caps:
        yield _fits(found, what)
    if found.batch:
        yield f"In batches (batch: 20000), hours later, the same costs {_range(found.batch, 'usd')}."


def _grounds(found: Estimate) -> Iterator[str]:
    """What it rests on, what is paid, and what this took."""
    if found.asked:
        yield f"{found.asked:,} of {found.rows:,} rows were asked for this, drawn evenly; requests in vain come on top."
    else:
        yield f"Nothing was asked. {found.rows:,} rows are counted in whole; a prompt has a token for 4 characters."
        for part in found.parts:
            yield f"{part.stage} ({part.role}): replies {part.length}." if part.length else ""
    if found.there:
        yield f"{found.there:,} replies are there already, and make does not pay for them."
    if found.now.requests:
        now = found.now
        tokens = format_tokens(now.input_tokens, now.output_tokens, now.unmetered)
        yield f"This took {now.requests:,} requests, {tokens}, {usd(now)}."
    if found.all.seconds and found.all.seconds.value:
        yield "The time holds if the server answers as fast when more is asked at once."


def _fits(found: Estimate, what: str) -> str:
    """Whether the budget, of which some is spent, has room for it."""
    cap, spent = found.caps[what], getattr(found.spent, what, None)
    if what == "tokens":
        known = found.spent.input_tokens is not None and found.spent.output_tokens is not None
        spent = (found.spent.input_tokens or 0) + (found.spent.output_tokens or 0) if known else None
        more: Range | None = found.all.input.plus(found.all.output)
    else:
        more = getattr(found.all, what)
    if more is None or spent is None:
        return f"Whether the budget of {format_amount(what, cap)} has room is not known."
    high = spent + (more.value if more.high is None else more.high)
    fits = "is enough" if high <= cap else "may be too little" if spent + more.value <= cap else "is too little"
    there = f"{format_amount(what, spent)} spent and {_range(more, what)} to come"
    return f"The budget of {format_amount(what, cap)} {fits}: {there}."


def plain(found: Estimate) -> dict[str, Any]:
    """As JSON has it; null is unknown."""
    nameless = ("stage", "role", "model", "host", "way", "length")
    whole = {name: _plain(value) for name, value in vars(found.all).items() if name not in nameless}
    return {
        "lines": [{name: _plain(value) for name, value in vars(part).items()} for part in found.parts],
        "total": whole,
        "real": found.real.plain(),
        **{name: getattr(found, name) for name in ("rows", "asked", "there", "made", "failed", "reason")},
        "spent": found.spent.to_json(),
        "now": found.now.to_json(),
        "budget": {what: {"cap": cap, "words": _fits(found, what)} for what, cap in found.caps.items()},
        "money_in_batches": _plain(found.batch),
        "unseen": list(found.unseen),
    }


def _plain(value: Any) -> Any:
    return value._asdict() if isinstance(value, Range) else value


def _cells(part: Part) -> list[str]:
    counts = [_range(getattr(part, name)) for name in ("requests", "input", "output")]
    cost = "unknown" if part.usd is None else _range(part.usd, "usd")
    return [part.stage, part.role, part.model, *counts, cost, _range(part.seconds, "seconds")]


def _range(found: Range | None, what: str = "") -> str:
    """The guess, and its bounds where they are other numbers."""
    if found is None:
        return "–"
    value, *bounds = (_said(each, what) for each in found)
    unit = f" {what}" * (what in ("requests", "tokens"))
    return value + unit if not _bounded(found) or {value} == set(bounds) else f"{value}{unit} ({' to '.join(bounds)})"


def _bounded(found: Range) -> bool:
    return found.low is not None


def _said(value: float | None, what: str) -> str:
    if value is None:
        return ""
    if what == "usd":
        return format_amount("usd", value)
    if what == "seconds":
        large = f"{value / HOUR:.1f} h" if value >= HOUR else f"{value / MINUTE:.0f} min"
        return large if value >= 2 * MINUTE else f"{value:.0f} s"
    return f"{value:,.0f}"
