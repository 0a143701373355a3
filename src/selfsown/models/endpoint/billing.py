"""Whom a request is charged to, at which price."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from selfsown.usage.budget import Budget, Reservation
from selfsown.usage.journal import Call
from selfsown.usage.prices import Price, PriceOptions, TokenUsage, price_of, price_from_options

PRICE_CHANGING_FIELDS = ("service_tier", "speed", "inference_geo")  # fields of a request that change its price
MAX_TOKENS_FIELDS = ("max_tokens", "max_completion_tokens")
UNBILLED_OUTCOMES = ("busy", "status", "declined", "stopped")  # outcomes that nobody charges for


@dataclass(frozen=True)
class Account:
    """price: None where it is not known."""

    role: str
    stage: str
    model: str
    host: str
    price: Price | None

    def journal_call(self, key: str, outcome: str, used: TokenUsage, seconds: float, batch: bool = False) -> Call:
        """A line of the ledger, for a request that was sent so many seconds ago."""
        usd = 0.0 if outcome in UNBILLED_OUTCOMES else self.price.cost_usd(used, batch) if self.price else None
        now = time.time()
        return Call(now, key, self.role, self.stage, self.model, self.host, outcome, *used, usd, seconds, batch)

    def reservation(self, asked: int, most: int, budget: Budget, batch: bool = False) -> Reservation:
        """What a request will take: a prompt of so many tokens, and at most so many for the reply (0: as usual)."""
        reply = most or budget.expected_reply_tokens((self.host, self.model))
        usd = self.price.cost_usd(TokenUsage(asked, reply), batch) if self.price else 0.0
        return Reservation(usd or 0.0, asked + reply)


def host_of(url: str) -> str:
    """The machine's name and port; nothing where the url is none, which the endpoint will say."""
    try:
        return urlsplit(url).netloc
    except ValueError:
        return ""


def price_for(url: str, model: str, told: PriceOptions | None, extra: Mapping[str, Any]) -> Price | None:
    """What the recipe says, or the table; a field that asks for faster or slower work makes the table wrong."""
    if told is not None:
        return price_from_options("price", told)
    return None if any(extra.get(field) is not None for field in PRICE_CHANGING_FIELDS) else price_of(host_of(url), model)


def max_reply_tokens(body: Mapping[str, Any]) -> int:
    """The most tokens that the reply to this request may have; 0 where it does not say."""
    return next((found for name in MAX_TOKENS_FIELDS if isinstance(found := body.get(name), int)), 0)
