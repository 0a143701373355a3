"""Tokens that no server counted are unknown, and never 0: in the reply, the ledger, the budget and what is printed."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from rich.console import Console

from selfsown.cost import Cost
from selfsown.models.anthropic import create as anthropic
from selfsown.models.endpoint.endpoint import create as endpoint
from selfsown.models.endpoint.token_usage import parse_usage
from selfsown.records import SelfsownError
from selfsown.usage.journal import Journal
from selfsown.usage.ledger import UsageEntry, folder_budget, format_tokens, total, usage_entries
from selfsown.usage.prices import UNKNOWN_USAGE, TokenUsage
from testing.mock_server import Server

PROMPTS = [f"prompt {at}" for at in range(6)]
ABSENT = "absent"
UNTOLD: list[Any] = [ABSENT, None, {}, [], "many", {"total_tokens": 9}]
UNTOLD += [{"prompt_tokens": each, "completion_tokens": each} for each in (None, 0, -1, "5", True, False, [1], 10**12)]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    found = Journal(tmp_path / "replies.sqlite")
    yield found
    found.close()


def reply(usage: Any, text: str = "4") -> web.Response:
    body = {"choices": [{"message": {"content": text}, "finish_reason": "stop"}]}
    return web.json_response(body | ({} if usage == ABSENT else {"usage": usage}))


def asked(journal: Journal, usage: Any, some: str = "", **more: Any) -> Cost:
    """What it cost to ask a server that counts so, for the prompts in which this stands, and as usual for others."""
    with Server(instead=lambda prompt, body: reply(usage) if some in prompt else None) as server:
        endpoint([], 0, journal, "teacher", url=server.url, model="m", **more).for_step("generate.sample").complete(
            PROMPTS
        )
    journal.close()
    return Cost(usage_entries(journal.path), 0, "", None)


def shown(found: Cost) -> str:
    console = Console(file=io.StringIO(), width=200)
    cost.show(found, console)
    said = console.file
    assert isinstance(said, io.StringIO)
    return said.getvalue()


@pytest.mark.parametrize("usage", UNTOLD)
def test_what_was_not_counted_is_unknown_everywhere(usage: Any, journal: Journal) -> None:
    found = asked(journal, usage)
    assert found.sentence == "6 requests, tokens unknown, cost unknown"
    (cells,) = found.cells()
    assert cells[3:8] == ["6", "6", "0", "–", "–"]
    plain = json.loads(json.dumps(found.plain()))
    names = ("input_tokens", "output_tokens", "usd", "unmetered")
    assert [plain["total"][name] for name in names] == [None, None, None, 6]
    assert plain["lines"][0]["input_tokens"] is None
    assert "0 tokens" not in shown(found)


@pytest.mark.parametrize("usage", UNTOLD)
def test_where_some_was_counted_the_sum_is_at_least_so_much(usage: Any, journal: Journal) -> None:
    found = asked(journal, usage, "3", price={"input": 1000000, "output": 1000000})
    assert found.sentence == "6 requests, at least 10 input and at least 20 output tokens, at least $30.00"
    (cells,) = found.cells()
    assert cells[6:8] == ["≥ 10", "≥ 20"]
    assert "at least 10 input" in shown(found)
    assert found.plain()["total"]["usd"] is None


@pytest.mark.parametrize(
    ("usage", "words"),
    [
        ({"prompt_tokens": 3}, "at least 18 input and an unknown number written"),
        ({"completion_tokens": 2}, "an unknown number of input and at least 12 written"),
        ({"prompt_tokens": 3, "completion_tokens": 0}, "at least 18 input and an unknown number written"),
        ({"prompt_tokens": 0, "completion_tokens": 2}, "an unknown number of input and at least 12 written"),
        ({"prompt_tokens": 3, "completion_tokens": 2}, "18 input and 12 written"),
    ],
)
def test_half_a_count_is_no_whole_one(usage: Any, words: str, journal: Journal) -> None:
    assert f"6 requests, {words}, " in asked(journal, usage).sentence


def test_an_empty_reply_may_have_0_tokens_and_a_request_may_not() -> None:
    zeros = {"prompt_tokens": 0, "completion_tokens": 0}
    assert parse_usage("chat", zeros, wrote=False) == TokenUsage(None, 0)
    assert parse_usage("chat", zeros, wrote=True) == UNKNOWN_USAGE
    assert parse_usage("chat", {"prompt_tokens": 4, "completion_tokens": 0}, wrote=False) == TokenUsage(4, 0)
    cached = {"input_tokens": 0, "cache_read_input_tokens": 5, "output_tokens": 2}
    assert parse_usage("messages", cached, wrote=True) == TokenUsage(5, 2, cached_tokens=5)


@pytest.mark.parametrize("caps", [{"tokens": 1000000}, {"usd": 1000}])
@pytest.mark.parametrize("make", [endpoint, anthropic])
def test_a_server_that_says_0_keeps_no_budget_of_tokens_or_money(make: Any, caps: Any, journal: Journal) -> None:
    def instead(prompt: str, body: Any) -> web.Response:
        usage = {"input_tokens": 0, "output_tokens": 0}
        text = [{"type": "text", "text": "4"}]
        body = {"content": text, "stop_reason": "end_turn", "usage": usage}
        return web.json_response(body | {"choices": [{"message": {"content": "4"}}]})

    journal.budget = folder_budget(journal, {"budget": caps})
    knobs: dict[str, Any] = {"model": "m", "api_key": "", "price": {"input": 1, "output": 1}}
    with (
        Server(instead=instead) as server,
        pytest.raises(SelfsownError, match="does not report the usage of a reply of m"),
    ):
        make([], 0, journal, url=server.url, **knobs).complete(PROMPTS)
    journal.close()
    with pytest.raises(SelfsownError, match=r"budget: .* is not known"):
        folder_budget(Journal(journal.path), {"budget": caps})
    assert folder_budget(Journal(journal.path), {"budget": {"requests": 1000}})


@pytest.mark.parametrize(
    ("input", "output", "untold", "words"),
    [
        (0, 0, 0, "0 input and 0 output tokens"),
        (1234, 5, 0, "1,234 input and 5 output tokens"),
        (1234, 5, 1, "at least 1,234 input and at least 5 output tokens"),
        (None, None, 3, "tokens unknown"),
        (None, 5, 3, "unknown input and at least 5 output tokens"),
        (5, None, 3, "at least 5 input and unknown output tokens"),
    ],
)
def test_tokens_in_words(input: int | None, output: int | None, untold: int, words: str) -> None:
    assert format_tokens(input, output, untold) == words


def test_unknown_and_known_lines_add_up_to_what_is_known() -> None:
    unknown, known = (
        UsageEntry(requests=2, unmetered=2, input_tokens=None, output_tokens=None, usd=None),
        UsageEntry(requests=1, input_tokens=3, output_tokens=4),
    )
    assert (total([unknown]).input_tokens, total([unknown, UsageEntry()]).input_tokens) == (None, None)
    assert (total([unknown, known]).input_tokens, total([unknown, known]).output_tokens) == (3, 4)
    assert (total([known]).input_tokens, total([]).input_tokens) == (3, 0)
    assert total([unknown, UsageEntry(usd=2.0, known_usd=2.0)]).known_usd == 2.0
