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
from selfsown.cost.findings import summary, table_rows
from selfsown.models.anthropic import create as anthropic
from selfsown.models.endpoint.endpoint import create as endpoint
from selfsown.models.endpoint.token_usage import parse_usage
from selfsown.records import SelfsownError
from selfsown.terminal.cost import show
from selfsown.usage.journal import Journal
from selfsown.usage.ledger import UsageEntry, folder_budget, format_tokens, total, usage_entries
from selfsown.usage.prices import UNKNOWN_USAGE, TokenUsage
from testing.mock_server import Server

PROMPTS = [f"prompt {at}" for at in range(6)]
ABSENT = "absent"
UNMETERED: list[Any] = [ABSENT, None, {}, [], "many", {"total_tokens": 9}]
UNMETERED += [
    {"prompt_tokens": each, "completion_tokens": each} for each in (None, 0, -1, "5", True, False, [1], 10**12)
]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    found = Journal(tmp_path / "replies.sqlite")
    yield found
    found.close()


def reply(usage: Any, text: str = "4") -> web.Response:
    body = {"choices": [{"message": {"content": text}, "finish_reason": "stop"}]}
    return web.json_response(body | ({} if usage == ABSENT else {"usage": usage}))


def cost_of(journal: Journal, usage: Any, some: str = "", **more: Any) -> Cost:
    """The cost of a server that reports this usage for prompts that contain `some`, and the right one for others."""
    with Server(instead=lambda prompt, body: reply(usage) if some in prompt else None) as server:
        endpoint([], 0, journal, "teacher", url=server.url, model="m", **more).for_step("generate.sample").complete(
            PROMPTS
        )
    journal.close()
    return Cost(
        usage_entries(journal.path), 0, "", None, {"teacher": "teacher.endpoint.price", "judge": "judge.endpoint.price"}
    )


def printed(cost: Cost) -> str:
    output = io.StringIO()
    show(cost, Console(file=output, width=200))
    return output.getvalue()


@pytest.mark.parametrize("usage", UNMETERED)
def test_missing_counts_are_unknown_everywhere(usage: Any, journal: Journal) -> None:
    cost = cost_of(journal, usage)
    assert summary(cost) == "6 requests, tokens unknown, cost unknown"
    (cells,) = table_rows(cost)
    assert cells[3:8] == ["6", "6", "0", "–", "–"]
    as_json = json.loads(json.dumps(cost.to_json()))
    names = ("input_tokens", "output_tokens", "usd", "unmetered")
    assert [as_json["total"][name] for name in names] == [None, None, None, 6]
    assert as_json["lines"][0]["input_tokens"] is None
    assert "0 tokens" not in printed(cost)


@pytest.mark.parametrize("usage", UNMETERED)
def test_partial_counts_are_lower_bounds(usage: Any, journal: Journal) -> None:
    cost = cost_of(journal, usage, "3", price={"input": 1000000, "output": 1000000})
    assert summary(cost) == "6 requests, at least 10 input and at least 20 output tokens, at least $30.00"
    (cells,) = table_rows(cost)
    assert cells[6:8] == ["≥ 10", "≥ 20"]
    assert "at least 10 input" in printed(cost)
    assert cost.to_json()["total"]["usd"] is None


@pytest.mark.parametrize(
    ("usage", "words"),
    [
        ({"prompt_tokens": 3}, "at least 18 input and unknown output tokens"),
        ({"completion_tokens": 2}, "unknown input and at least 12 output tokens"),
        ({"prompt_tokens": 3, "completion_tokens": 0}, "at least 18 input and unknown output tokens"),
        ({"prompt_tokens": 0, "completion_tokens": 2}, "unknown input and at least 12 output tokens"),
        ({"prompt_tokens": 3, "completion_tokens": 2}, "18 input and 12 output tokens"),
    ],
)
def test_input_and_output_counts_are_independent(usage: Any, words: str, journal: Journal) -> None:
    assert f"6 requests, {words}, " in summary(cost_of(journal, usage))


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
    options: dict[str, Any] = {"model": "m", "api_key": "", "price": {"input": 1, "output": 1}}
    with (
        Server(instead=instead) as server,
        pytest.raises(SelfsownError, match="does not report the usage of a reply of m"),
    ):
        make([], 0, journal, url=server.url, **options).complete(PROMPTS)
    journal.close()
    with pytest.raises(SelfsownError, match=r"budget: the (tokens|cost) .* so far (are|is) unknown"):
        folder_budget(Journal(journal.path), {"budget": caps})
    assert folder_budget(Journal(journal.path), {"budget": {"requests": 1000}})


@pytest.mark.parametrize(
    ("input", "output", "unmetered", "words"),
    [
        (0, 0, 0, "0 input and 0 output tokens"),
        (1234, 5, 0, "1,234 input and 5 output tokens"),
        (1234, 5, 1, "at least 1,234 input and at least 5 output tokens"),
        (None, None, 3, "tokens unknown"),
        (None, 5, 3, "unknown input and at least 5 output tokens"),
        (5, None, 3, "at least 5 input and unknown output tokens"),
    ],
)
def test_tokens_in_words(input: int | None, output: int | None, unmetered: int, words: str) -> None:
    assert format_tokens(input, output, unmetered) == words


def test_unknown_and_known_lines_add_up_to_what_is_known() -> None:
    unknown, known = (
        UsageEntry(requests=2, unmetered=2, input_tokens=None, output_tokens=None, usd=None),
        UsageEntry(requests=1, input_tokens=3, output_tokens=4),
    )
    assert (total([unknown]).input_tokens, total([unknown, UsageEntry()]).input_tokens) == (None, None)
    assert (total([unknown, known]).input_tokens, total([unknown, known]).output_tokens) == (3, 4)
    assert (total([known]).input_tokens, total([]).input_tokens) == (3, 0)
    assert total([unknown, UsageEntry(usd=2.0, known_usd=2.0)]).known_usd == 2.0
