"""Whom a request is charged to, at which price."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from selfsown.usage.budget import Budget, Need
from selfsown.usage.journal import Call
from selfsown.usage.prices import Price, Told, Used, price_of, told_price

DEARER = ("service_tier", "speed", "inference_geo")  # fields of a request that change its price
LIMITS = ("max_tokens", "max_completion_tokens")
NOTHING = ("busy", "status", "declined", "stopped")  # outcomes that nobody charges for


@dataclass(frozen=True)
class Account:
    """price: None where it is not known."""

    role: str
    stage: str
    model: str
    host: str
    price: Price | None

    def call(self, key: str, outcome: str, used: Used, seconds: float, batch: bool = False) -> Call:
        """A line of the ledger, for a request that was sent so many seconds ago."""
        usd = 0.0 if outcome in NOTHING else self.price.of(used, batch) if self.price else None
        now = time.time()
        return Call(now, key, self.role, self.stage, self.model, self.host, outcome, *used, usd, seconds, batch)

    def need(self, asked: int, most: int, budget: Budget, batch: bool = False) -> Need:
        """What a request will take: a prompt of so many tokens, and at most so many for the reply (0: as usual)."""
        reply = most or budget.reply((self.host, self.model))
        usd = self.price.of(Used(asked, reply), batch) if self.price else 0.0
        return Need(usd or 0.0, asked + reply)


def host(url: str) -> str:
    """The machine's name and port; nothing where the url is none, which the endpoint will say."""
    try:
        return urlsplit(url).netloc
    except ValueError:
        return ""


def price_at(url: str, model: str, told: Told | None, extra: Mapping[str, Any]) -> Price | None:
    """What the recipe says, or the table; a field that asks for faster or slower work makes the table wrong."""
    if told is not None:
        return told_price("price", told)
    return None if any(extra.get(field) is not None for field in DEARER) else price_of(host(url), model)


def room(body: Mapping[str, Any]) -> int:
    """The most tokens that the reply to this request may have; 0 where it does not say."""
    return next((found for name in LIMITS if isinstance(found := body.get(name), int)), 0)
