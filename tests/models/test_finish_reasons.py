"""Only what a server ends as a whole answer is one; each other end is a failure by its name, or asked again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from selfsown.models.anthropic import create as anthropic
from selfsown.models.endpoint.api_formats import PATHS, ParsedReply, parse_reply
from selfsown.models.endpoint.batch import provider
from selfsown.models.endpoint.endpoint import create as endpoint
from selfsown.models.endpoint.errors import RequestError
from selfsown.models.endpoint.finish_reasons import failure_of, is_transient, normalized
from selfsown.usage.journal import Journal
from selfsown.usage.ledger import usage_entries
from testing.mock_batches import BatchServer
from testing.mock_server import Server

WHOLE = [
    "stop",
    "STOP",
    "eos",
    "eos_token",
    "EOS",
    "end_turn",
    "stop_sequence",
    "COMPLETE",
    "FinishReason.STOP",
    "eosFound",
]
WHOLE += ["", None, "null", "finish_reason_unspecified"]
CUT = [
    "length",
    "max_tokens",
    "MAX_TOKENS",
    "model_length",
    "model_context_window_exceeded",
    "token_limit",
    "incomplete",
]
AGAIN = [
    "error",
    "ERROR",
    "abort",
    "network_error",
    "insufficient_system_resource",
    "cancelled",
    "time_limit",
    "timeout",
]
WITHHELD = [
    "content_filter",
    "SAFETY",
    "recitation",
    "RECITATION",
    "sensitive",
    "PROHIBITED_CONTENT",
    "blocklist",
    "SPII",
]
TOOLS = ["tool_calls", "function_call", "tool_use", "TOOL_CALL", "pause_turn", "MALFORMED_FUNCTION_CALL"]
STRANGE = ["sunset", "OTHER", "42", "stop it", "未知"]


def body(style: str, text: str, end: Any, **more: Any) -> dict[str, Any]:
    """A reply that ends so."""
    if style == "messages":
        content = [{"type": "text", "text": text}]
        return {"content": content, "stop_reason": end, "usage": {"input_tokens": 3, "output_tokens": 5}, **more}
    choice = {"text": text} if style == "completions" else {"message": {"content": text}}
    usage = {"prompt_tokens": 3, "completion_tokens": 5}
    return {"choices": [{**choice, "finish_reason": end, **more}], "usage": usage}


def said(end: Any, style: str = "chat", accepted: tuple[str, ...] = (), **more: Any) -> ParsedReply:
    return parse_reply(
        style, json.dumps(body(style, "It begins well but then", end, **more)), {*map(normalized, accepted)}
    )


@pytest.mark.parametrize("style", sorted(PATHS))
@pytest.mark.parametrize("end", WHOLE)
def test_these_end_a_whole_answer(end: Any, style: str) -> None:
    assert said(end, style).failure == ""


@pytest.mark.parametrize("style", sorted(PATHS))
@pytest.mark.parametrize(
    ("end", "words"),
    [
        *((end, "truncated at max_tokens, 5 tokens") for end in CUT),
        *((end, f"withheld by the server ({end})") for end in WITHHELD),
        *((end, f"it stopped to call a tool ({end})") for end in TOOLS),
        *((end, f"unknown finish reason {end!r}") for end in STRANGE),
        ("refusal", "refused"),
    ],
)
def test_these_fail_by_their_name_and_keep_what_was_said(end: str, words: str, style: str) -> None:
    found = said(end, style)
    assert found.failure.startswith(words)
    assert found.text == "It begins well but then"


@pytest.mark.parametrize("style", sorted(PATHS))
@pytest.mark.parametrize("end", AGAIN)
def test_what_the_server_broke_off_is_no_reply_and_its_tokens_are_counted(end: str, style: str) -> None:
    with pytest.raises(RequestError, match="the server interrupted it") as caught:
        said(end, style)
    assert (caught.value.fatal, caught.value.declined) == (False, False)
    assert (caught.value.usage.input_tokens, caught.value.usage.output_tokens) == (3, 5)


@pytest.mark.parametrize("end", [{"type": "stop", "matched": 2}, {"type": "length"}, 7, ["stop"], True])
def test_an_end_that_is_no_text_is_read_or_named(end: Any) -> None:
    assert (said(end).failure == "") == (end == {"type": "stop", "matched": 2})


@pytest.mark.parametrize("end", ["sunset", "OTHER", "tool_calls", "error", "length"])
def test_further_ends_are_accepted_where_the_recipe_names_them(end: str) -> None:
    assert said(end, accepted=(end,)).failure == ""
    assert said(end.upper(), accepted=(end,)).failure == ""
    assert said("sunrise", accepted=(end,)).failure


@pytest.mark.slow
@given(st.text(max_size=30) | st.integers() | st.none() | st.booleans() | st.lists(st.text(max_size=3), max_size=2))
def test_any_end_is_whole_or_has_a_name_in_one_line(end: Any) -> None:
    failure = failure_of(end)
    assert len(failure) < 250
    assert failure or not normalized(end) or not is_transient(end)


@pytest.mark.parametrize(
    "error", [{"code": 502, "message": "Upstream died"}, "Upstream died", {"message": "Upstream died"}]
)
@pytest.mark.parametrize("end", ["stop", None, "error"])
def test_an_error_beside_the_text_of_a_choice_counts(error: Any, end: Any) -> None:
    with pytest.raises(RequestError, match="Upstream died"):
        said(end, error=error)
    assert said("stop", error=None).failure == ""


def test_a_call_of_a_tool_in_place_of_a_text_is_named() -> None:
    message = {"content": None, "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "{}"}}]}
    found = parse_reply("chat", json.dumps({"choices": [{"message": message, "finish_reason": "stop"}]}))
    assert found.failure == "it calls a tool, and there are no tools here"


def broken(style: str, end: str, text: str, times: int) -> Any:
    """What such a server answers in place of a reply to this prompt, so many times."""
    left = [times]

    def instead(prompt: str, _: Any) -> web.Response | None:
        if "bad" not in prompt or not left[0]:
            return None
        left[0] -= 1
        return web.json_response(body(style, text, end))

    return instead


@pytest.mark.parametrize(("style", "make"), [("chat", endpoint), ("messages", anthropic)])
@pytest.mark.parametrize("end", ["error", "abort", "network_error"])
def test_a_reply_that_was_broken_off_is_asked_for_again_within_the_retries_and_then_fails(
    style: str, make: Any, end: str, tmp_path: Path
) -> None:
    journal = Journal(tmp_path / "replies.sqlite")
    with Server(instead=broken(style, end, "Half", 3)) as server:
        model = make([], 0, journal, url=server.url, model="m", api_key="", retries=2)
        replies = model.complete(["one", "bad", "two"])
        assert [reply.failure for (reply,) in replies] == ["", f"the server interrupted it ({end}), 2 times", ""]
        assert (server.asked["bad"], server.asked["one"]) == (2, 1)
        replies = model.complete(["one", "bad", "two"])
        assert [reply.text for (reply,) in replies] == ["answer to one", "answer to bad", "answer to two"]
        assert (server.asked["bad"], server.asked["one"]) == (4, 1), "once more in vain, and then whole"
    journal.close()
    (line,) = usage_entries(journal.path)
    assert (line.requests, line.answered, line.unmetered) == (6, 3, 0), "what was broken off was counted all the same"


@pytest.mark.parametrize(("style", "make"), [("chat", endpoint), ("messages", anthropic)])
def test_a_recipe_may_accept_further_ends(style: str, make: Any) -> None:
    with Server(instead=broken(style, "sunset", "Whole", 2)) as server:
        knobs: dict[str, Any] = {"url": server.url, "model": "m", "api_key": ""}
        ((reply,),) = make([], 0, **knobs).complete(["bad"])
        assert reply.failure.endswith("finish_reasons: [sunset]")
        ((reply,),) = make([], 0, finish_reasons=("sunset",), **knobs).complete(["bad"])
        assert (reply.text, reply.failure) == ("Whole", "")


@pytest.mark.parametrize(("style", "make"), [("chat", endpoint), ("messages", anthropic)])
def test_in_a_batch_the_same_holds(style: str, make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider, "FIRST_POLL_SECONDS", 0.02)
    ends = {"a": "stop", "b": "model_length", "c": "SAFETY", "d": "tool_use", "e": "sunset", "f": "error", "g": "abort"}

    def tell(prompt: str, times: int) -> Any:
        end = "stop" if prompt == "g" and times > 1 else ends[prompt]
        return 200, body(style, prompt, end)

    with BatchServer(tell=tell) as server:
        model = make([], 0, url=server.url, model="m", api_key="", batch=10, retries=3)
        found = {prompt: reply.failure for prompt, (reply,) in zip(ends, model.complete(list(ends)), strict=True)}
        assert (found["a"], found["g"]) == ("", "")
        words = (
            "truncated at max",
            "withheld by the",
            "it stopped to call",
            "unknown finish reason 'sunset'",
            "the server interrupted it",
        )
        for prompt, begin in zip("bcdef", words, strict=True):
            assert found[prompt].startswith(begin)
        assert server.asked == {**dict.fromkeys("abcde", 1), "f": 3, "g": 2}
