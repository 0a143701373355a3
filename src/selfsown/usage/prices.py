"""What a model costs, by host and name: our dated table, or what the recipe says; otherwise it is not known."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

import yaml

from selfsown.option_types import NotNegative
from selfsown.records import SelfsownError

PriceKey = Literal["input", "output", "cached", "cache_write", "batch"]
PriceOptions = dict[PriceKey, NotNegative]  # as a recipe says it
DATED = re.compile(r"-(\d{4}-\d\d-\d\d|\d{8})$")  # gpt-4o-mini-2024-07-18 is a gpt-4o-mini
MILLION = 1_000_000


class TokenUsage(NamedTuple):
    """The tokens of one reply as the server counted them, None where it did not say.

    Those read from its cache, or written to it, are part of the input, those of the reasoning part of the output.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None


UNKNOWN_USAGE = TokenUsage()


@dataclass(frozen=True)
class Price:
    """Dollars for a million tokens; None where it is not known what one read from a cache, or written to it, costs.

    batch: what is left of the price in a batch. longest: the longest prompt that the price is for (0: any).
    """

    input: float
    output: float
    cached: float | None = None
    cache_write: float | None = None
    batch: float = 1.0
    max_input_tokens: int = 0

    def cost_usd(self, used: TokenUsage, batch: bool = False) -> float | None:
        """What a reply cost; None where that is not known."""
        cached, written = used.cached_tokens or 0, used.cache_write_tokens or 0
        if used.input_tokens is None or used.output_tokens is None or 0 < self.max_input_tokens < used.input_tokens:
            return None
        if (cached and self.cached is None) or (written and self.cache_write is None):
            return None
        fresh = max(0, used.input_tokens - cached - written)
        whole = fresh * self.input + cached * (self.cached or 0) + written * (self.cache_write or 0)
        return (whole + used.output_tokens * self.output) * (self.batch if batch else 1.0) / MILLION


def price_of(host: str, model: str) -> Price | None:
    """The price in our table. The same name at another host is another model, and its price not known."""
    there = _table().get(urlsplit(f"//{host}").hostname or "", {})
    return there.get(model) or there.get(DATED.sub("", model))


def price_from_options(place: str, told: Mapping[PriceKey, float]) -> Price:
    """The price that a recipe says; those of a cache cost as others unless it says so."""
    if missing := [name for name in ("input", "output") if name not in told]:
        raise SelfsownError(f"{place} has no {missing[0]}; write dollars for a million tokens: {{input: 1, output: 3}}")
    plain = told["input"]
    return Price(plain, told["output"], told.get("cached", plain), told.get("cache_write", plain), told.get("batch", 1.0))


@cache
def _table() -> dict[str, dict[str, Price]]:
    """For each host its models."""
    text = resources.files("selfsown.usage").joinpath("prices.yaml").read_text("utf-8")
    found: dict[str, dict[str, Price]] = {}
    for provider in yaml.safe_load(text)["providers"]:
        there = found.setdefault(provider["host"], {})
        for name, entry in provider["models"].items():
            there[name] = Price(**entry, batch=provider["batch"])
    return found
