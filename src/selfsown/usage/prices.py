"""The price of a model, by host and name: from the recipe, else from our dated table, else unknown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

import yaml

from selfsown.errors import RecipeError
from selfsown.option_types import NotNegative

PriceKey = Literal["input", "output", "cached", "cache_write", "batch"]
PriceOptions = dict[PriceKey, NotNegative]  # dollars per million tokens, as a recipe gives them
DATED = re.compile(r"-(\d{4}-\d\d-\d\d|\d{8})$")  # gpt-4o-mini-2024-07-18 is a gpt-4o-mini
MILLION = 1_000_000


class TokenUsage(NamedTuple):
    """The tokens of one reply as the server counted them, None where it gives no count.

    Cached and cache-write tokens are part of the input, reasoning tokens part of the output.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None


UNKNOWN_USAGE = TokenUsage()


@dataclass(frozen=True)
class Price:
    """Dollars per million tokens. cached, cache_write: of the input read from, or written to, a cache; None: unknown.

    batch: the factor on the price in a batch. max_input_tokens: the longest prompt at this price (0: any).
    """

    input: float
    output: float
    cached: float | None = None
    cache_write: float | None = None
    batch: float = 1.0
    max_input_tokens: int = 0

    def cost_usd(self, usage: TokenUsage, batch: bool = False) -> float | None:
        """The cost of a reply in dollars; None where it is unknown."""
        cached, cache_write = usage.cached_tokens or 0, usage.cache_write_tokens or 0
        if usage.input_tokens is None or usage.output_tokens is None or 0 < self.max_input_tokens < usage.input_tokens:
            return None
        if (cached and self.cached is None) or (cache_write and self.cache_write is None):
            return None
        fresh = max(0, usage.input_tokens - cached - cache_write)
        total = fresh * self.input + cached * (self.cached or 0) + cache_write * (self.cache_write or 0)
        return (total + usage.output_tokens * self.output) * (self.batch if batch else 1.0) / MILLION


def price_of(host: str, model: str) -> Price | None:
    """The price in our table. The same name at another host is another model, whose price is unknown."""
    models = _table().get(urlsplit(f"//{host}").hostname or "", {})
    return models.get(model) or models.get(DATED.sub("", model))


def price_from_options(place: str, options: Mapping[PriceKey, float]) -> Price:
    """The price that a recipe gives; cached tokens cost as other input unless it gives their price.

    place: the option, for errors. Raises RecipeError where the price of input or output is missing.
    """
    if missing := [name for name in ("input", "output") if name not in options]:
        raise RecipeError(f"{place} has no {missing[0]}; write dollars per million tokens: {{input: 1, output: 3}}")
    fresh = options["input"]
    cached, cache_write = options.get("cached", fresh), options.get("cache_write", fresh)
    return Price(fresh, options["output"], cached, cache_write, options.get("batch", 1.0))


@cache
def _table() -> dict[str, dict[str, Price]]:
    """The prices of our table, by host and model."""
    text = resources.files("selfsown.usage").joinpath("prices.yaml").read_text("utf-8")
    table: dict[str, dict[str, Price]] = {}
    for provider in yaml.safe_load(text)["providers"]:
        models = table.setdefault(provider["host"], {})
        for name, entry in provider["models"].items():
            models[name] = Price(**entry, batch=provider["batch"])
    return table
