"""The account of a request: role, step, model and price."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from selfsown.models import Json
from selfsown.usage.budget import Budget, Reservation
from selfsown.usage.journal import UNBILLED_OUTCOMES, Call
from selfsown.usage.prices import Price, PriceOptions, TokenUsage, price_from_options, price_of

PRICE_CHANGING_FIELDS = ("service_tier", "speed", "inference_geo")  # of a request
MAX_TOKENS_FIELDS = ("max_tokens", "max_completion_tokens")


@dataclass(frozen=True)
class Account:
    """To whom the journal attributes a request; price: None where it is unknown."""

    role: str
    stage: str
    model: str
    host: str
    price: Price | None

    def journal_call(self, key: str, outcome: str, usage: TokenUsage, seconds: float, batch: bool = False) -> Call:
        """The journal entry of a request; seconds: from sending to the reply."""
        usd = 0.0 if outcome in UNBILLED_OUTCOMES else self.price.cost_usd(usage, batch) if self.price else None
        now = time.time()
        return Call(now, key, self.role, self.stage, self.model, self.host, outcome, *usage, usd, seconds, batch)

    def reservation(self, input_tokens: int, max_tokens: int, budget: Budget, batch: bool = False) -> Reservation:
        """What a request may use: its input tokens, and max_tokens for the reply (0: the model's mean so far)."""
        reply = max_tokens or budget.expected_reply_tokens((self.host, self.model))
        usd = self.price.cost_usd(TokenUsage(input_tokens, reply), batch) if self.price else 0.0
        return Reservation(usd or 0.0, input_tokens + reply)


def host_of(url: str) -> str:
    """Host name and port; "" where the URL is malformed, which the endpoint reports."""
    try:
        return urlsplit(url).netloc
    except ValueError:
        return ""


def price_for(url: str, model: str, options: PriceOptions | None, extra: Mapping[str, Json]) -> Price | None:
    """The price of the recipe, else of our table, which is unknown for requests of another speed or service tier."""
    if options is not None:
        return price_from_options("price", options)
    return (
        None if any(extra.get(field) is not None for field in PRICE_CHANGING_FIELDS) else price_of(host_of(url), model)
    )


def max_reply_tokens(body: Mapping[str, Json]) -> int:
    """The most tokens of the reply to this request; 0 where it sets no limit."""
    return next((limit for name in MAX_TOKENS_FIELDS if isinstance(limit := body.get(name), int)), 0)
