"""A model behind Anthropic's Messages API, as a teacher or a judge."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from selfsown.models.endpoint.billing import price_for
from selfsown.models.endpoint.endpoint import Endpoint
from selfsown.models.endpoint.endpoint import load as _load
from selfsown.models.endpoint.options import ConnectionOptions, ReplyOptions
from selfsown.option_types import Count, Natural, Positive
from selfsown.records import Row
from selfsown.usage.journal import Journal
from selfsown.usage.prices import PriceOptions


def create(
    rows: Sequence[Row],
    seed: int,
    journal: Journal | None = None,
    role: str = "",
    *,
    model: str,
    url: str = "https://api.anthropic.com/v1",
    api_key: str = "ANTHROPIC_API_KEY",
    system: str = "",
    stop: tuple[str, ...] = (),
    max_tokens: Natural = 0,
    json: bool = True,
    extra: dict[str, Any] | None = None,
    headers: Any = None,
    finish_reasons: tuple[str, ...] = (),
    identity: str = "",
    timeout: Positive = 600.0,
    retries: Count = 6,
    max_in_flight: Count = 64,
    requests_per_minute: Natural = 0,
    tokens_per_minute: Natural = 0,
    price: PriceOptions | None = None,
    batch: Natural = 0,
) -> Endpoint:
    """The model of this name; the knobs are those of `endpoint`."""
    wishes = ReplyOptions(stop, max_tokens, json=json, finish_reasons=finish_reasons)
    manner = ConnectionOptions(timeout, retries, max_in_flight, requests_per_minute, tokens_per_minute, batch)
    where: dict[str, Any] = {"url": url, "name": model, "style": "messages", "key": api_key, "headers": headers}
    where |= {"identity": identity, "journal": journal, "role": role, "price": price_for(url, model, price, extra or {})}
    return Endpoint(system=system, reply_options=wishes, connection_options=manner, extra=extra or {}, **where)


def load(folder: Path) -> NoReturn:
    _load(folder)
