"""Prices: by host and name, dated, and never a guess."""

from __future__ import annotations

from importlib import resources

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from selfsown.models.endpoint.billing import price_for
from selfsown.records import SelfsownError
from selfsown.usage.prices import Price, TokenUsage, price_from_options, price_of

PRICE = Price(1.0, 4.0, cached=0.1, cache_write=2.0, batch=0.5, max_input_tokens=1000)
counts = st.integers(0, 10**6)


@pytest.mark.parametrize(
    ("used", "dollars"),
    [
        (TokenUsage(1000, 100), 1000 + 400),
        (TokenUsage(1000, 100, reasoning_tokens=50), 1000 + 400),
        (TokenUsage(1000, 100, cached_tokens=600), 400 + 60 + 400),
        (TokenUsage(1000, 100, cached_tokens=600, cache_write_tokens=300), 100 + 60 + 600 + 400),
        (TokenUsage(1001, 100), None),
        (TokenUsage(None, 100), None),
        (TokenUsage(1000, None), None),
    ],
)
def test_a_price_counts_fresh_cached_written_and_said(used: TokenUsage, dollars: float | None) -> None:
    found = PRICE.cost_usd(used)
    assert found == (None if dollars is None else pytest.approx(dollars / 1e6))
    assert PRICE.cost_usd(used, batch=True) == (None if found is None else pytest.approx(found / 2))


@pytest.mark.parametrize("used", [TokenUsage(10, 1, cached_tokens=1), TokenUsage(10, 1, cache_write_tokens=1)])
def test_what_a_cache_costs_is_not_guessed(used: TokenUsage) -> None:
    assert Price(1.0, 1.0).cost_usd(used) is None
    assert Price(1.0, 1.0).cost_usd(TokenUsage(10, 1, cached_tokens=0, cache_write_tokens=0)) is not None


@given(counts, counts, counts, counts)
def test_a_price_is_never_negative_whatever_a_server_counts(asked: int, said: int, cached: int, written: int) -> None:
    found = Price(1.0, 2.0, 0.5, 0.5).cost_usd(TokenUsage(asked, said, None, cached, written))
    assert found is not None
    assert found >= 0


def test_a_dated_name_has_the_price_of_the_plain_one_unless_it_has_its_own() -> None:
    plain = price_of("api.openai.com", "gpt-4o")
    assert plain
    assert price_of("api.openai.com", "gpt-4o-2024-08-06") == plain == price_of("api.openai.com:443", "gpt-4o")
    assert price_of("api.openai.com", "gpt-4o-2024-05-13") != plain
    haiku = price_of("api.anthropic.com", "claude-haiku-4-5")
    assert haiku == price_of("api.anthropic.com", "claude-haiku-4-5-20251001")


@pytest.mark.parametrize(
    ("host", "model"),
    [
        ("openrouter.ai", "gpt-4o"),
        ("127.0.0.1:8000", "gpt-4o"),
        ("localhost", "claude-haiku-4-5"),
        ("api.openai.com", "gpt-4o-audio-preview"),
        ("api.openai.com", "gpt"),
        ("api.openai.com.example.org", "gpt-4o"),
        ("", "gpt-4o"),
    ],
)
def test_the_same_name_elsewhere_or_a_like_name_has_no_price(host: str, model: str) -> None:
    assert price_of(host, model) is None


def test_what_the_recipe_says_goes_before_the_table_and_dearer_service_has_no_price() -> None:
    url = "https://api.openai.com/v1"
    assert price_for(url, "gpt-4o", {"input": 1, "output": 2}, {}) == Price(1, 2, 1, 1)
    told = {"input": 1.0, "output": 2.0, "cached": 0.5, "batch": 0.25}
    assert price_for("http://localhost/v1", "mine", told, {"service_tier": "flex"}) == Price(1, 2, 0.5, 1, 0.25)  # type: ignore[arg-type]
    assert price_for(url, "gpt-4o", None, {"top_p": 1}) == price_of("api.openai.com", "gpt-4o")
    assert price_for(url, "gpt-4o", None, {"service_tier": "flex"}) is None
    with pytest.raises(SelfsownError, match="has no output"):
        price_from_options("price", {"input": 1})


def test_every_price_that_we_ship_says_where_it_is_from_and_when_it_was_read() -> None:
    providers = yaml.safe_load(resources.files("selfsown.usage").joinpath("prices.yaml").read_text("utf-8"))[
        "providers"
    ]
    seen = set()
    for provider in providers:
        assert provider["source"].startswith("https://")
        assert provider["read"].year >= 2026
        for model, entry in provider["models"].items():
            assert (provider["host"], model) not in seen
            seen.add((provider["host"], model))
            found = price_of(provider["host"], model)
            assert found == Price(**entry, batch=provider["batch"])
            assert 0 < found.input <= found.output
            assert found.cached is None or found.cached < found.input
