"""A server that streams though nobody asked it to, and one that sends a page or a text: read, or said at once."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from selfsown.models.anthropic import create as anthropic
from selfsown.models.endpoint.api_formats import ParsedReply, parse_reply
from selfsown.models.endpoint.endpoint import create as endpoint
from selfsown.models.endpoint.errors import RequestError
from selfsown.models.endpoint.http_client import shared_client
from selfsown.models.endpoint.stream import reply_body
from selfsown.records import SelfsownError
from selfsown.usage.journal import Journal
from testing.mock_server import Server

STREAM = "text/event-stream"
WHOLE = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "It is 4."}, "finish_reason": "stop"}]}


@pytest.fixture(autouse=True)
def _forgotten() -> None:
    """The port may have been another test's, whose answers would count."""
    shared_client().rate_limiters.clear()
    shared_client().declined_rows.clear()


def events(*chunks: Any, done: bool = True, end: str = "\n") -> str:
    lines = [f"data: {json.dumps(chunk, ensure_ascii=False)}{end}{end}" for chunk in chunks]
    return "".join(lines) + f"data: [DONE]{end}{end}" * done


def deltas(*texts: str, end: str | None = "stop", name: str = "content") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"choices": [{"index": 0, "delta": {"role": "assistant", name: text}}]} for text in texts
    ]
    return [*found, {"choices": [{"index": 0, "delta": {}, "finish_reason": end}]}]


def read(body: str, kind: str = STREAM, style: str = "chat") -> ParsedReply:
    return parse_reply(style, reply_body(style, kind, body))


USAGE = {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4}}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (events(*deltas("It ", "is 4.")), STREAM),
        (events(*deltas("It ", "is 4.")), "application/json"),
        (events(*deltas("It ", "is 4."), end="\r\n"), STREAM),
        (events(*deltas("It ", "is 4."), done=False), STREAM),
        (events(*deltas("It ", "is 4.", end=None)), STREAM),
        (": waiting\n\n: waiting\n\n" + events(*deltas("It ", "is 4.")), "text/plain"),
        ("event: x\nid: 7\nretry: 10\n" + events(*deltas("It is 4.")), STREAM),
        (json.dumps(WHOLE) + "\n\ndata: [DONE]\n\n", STREAM),
        (json.dumps(WHOLE, indent=2) + "\n\ndata: [DONE]", "application/json"),
        (": waiting\n\n" + json.dumps(WHOLE), "application/json"),
        (events(WHOLE), STREAM),
        (json.dumps(WHOLE), STREAM),
        ("\ufeff\n " + json.dumps(WHOLE), "application/json"),
        (json.dumps(WHOLE), ""),
        ("data: {\ndata: " + json.dumps(WHOLE)[1:] + "\n\n", STREAM),
        (events({"choices": [{"index": 1, "delta": {"content": "no"}}]}, *deltas("It is 4.")), STREAM),
    ],
)
def test_a_stream_in_any_dress_is_the_reply_that_it_stands_for(body: str, kind: str) -> None:
    assert read(body, kind) == ParsedReply("It is 4.")


def test_what_is_thought_counted_and_ended_is_read_from_a_stream() -> None:
    found = read(events(*deltas("Even. ", name="reasoning_content"), *deltas("It is", " 4.", end="length"), USAGE))
    assert (found.text, found.reasoning, found.output_tokens, found.input_tokens) == ("It is 4.", "Even. ", 4, 3)
    assert found.failure == "truncated at max_tokens, 4 tokens"
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "Even."}]}]
    mixed = [{"choices": [{"delta": {"content": parts}}]}, *deltas("4")]
    assert (read(events(*mixed)).text, read(events(*mixed)).reasoning) == ("4", "Even.")
    assert read(events(*deltas("<think>Even.</think>", "4"))).reasoning == "Even."
    odds = [
        {"choices": [{"delta": {"content": t}, "logprobs": {"content": [{"token": t, "logprob": -1}]}}]} for t in "ab"
    ]
    assert read(events(*odds)).logprobs == (("a", -1.0), ("b", -1.0))


def test_a_completion_and_a_message_are_put_together_too() -> None:
    texts = [{"choices": [{"index": 0, "text": text, "finish_reason": None}]} for text in ("It ", "is 4.")]
    assert read(events(*texts), style="completions") == ParsedReply("It is 4.")
    start = {"type": "message_start", "message": {"content": [], "usage": {"input_tokens": 3, "output_tokens": 1}}}
    kinds: Sequence[dict[str, Any]] = (
        start,
        {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Even."}},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "It "}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "is 4."}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}},
        {"type": "message_stop"},
    )
    named = "".join(f"event: {each['type']}\ndata: {json.dumps(each)}\n\n" for each in kinds)
    found = read(named, style="messages")
    assert (found.text, found.reasoning, found.output_tokens, found.input_tokens, found.failure) == (
        "It is 4.",
        "Even.",
        9,
        3,
        "",
    )


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), min_size=1, max_size=6), st.booleans())
def test_pieces_of_any_text_come_together_as_it_was(pieces: list[str], crlf: bool) -> None:
    body = events(*deltas(*pieces), end="\r\n" if crlf else "\n")
    assert json.loads(reply_body("chat", STREAM, body))["choices"][0]["message"]["content"] == "".join(pieces)


@given(
    st.text(st.sampled_from('data: event[DONE]{"choices":}\n\r \\x0')),
    st.sampled_from(["chat", "completions", "messages"]),
)
def test_any_body_is_a_text_or_a_fault_in_one_line(body: str, style: str) -> None:
    for kind in (STREAM, "application/json", "text/html", "application/x-ndjson"):
        try:
            said = reply_body(style, kind, body)
        except RequestError as fault:
            said = fault.reason
            assert len(said.splitlines()) == 1
        assert said


@pytest.mark.parametrize("cut", [events(*deltas("It ", end=None), done=False), events(*deltas("It "))[:40]])
def test_a_stream_that_breaks_off_is_no_answer(cut: str) -> None:
    with pytest.raises(RequestError):
        read(cut)


def served(answer: Any) -> Any:
    return lambda prompt, body: answer


def test_a_server_that_streams_works_as_any_other_and_its_replies_are_kept(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "replies.sqlite")

    def instead(prompt: str, body: Any) -> web.Response:
        return web.Response(text=events(*deltas("answer ", "to ", prompt), USAGE), content_type=STREAM)

    with Server(instead=instead) as server:
        for _ in range(2):
            model = endpoint([], 0, journal, url=server.url, model="m")
            ((one,), (two,)) = model.complete(["one", "two"])
            assert (one.text, two.text, two.tokens) == ("answer to one", "answer to two", 4)
        assert server.asked == {"one": 1, "two": 1}
    journal.close()


PAGE = "<!doctype html><html><head><title>Sign in &amp; go\n on</title></head><body>…</body></html>"


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        (PAGE, "text/html", "sent an HTML page titled 'Sign in & go on'"),
        (PAGE, "application/json", "sent an HTML page titled 'Sign in & go on'"),
        ("<html><body><h1>502 Bad <b>Gateway</b></h1></body></html>", "text/html", "titled '502 Bad Gateway'"),
        ("<html></html>", "text/html", "an HTML page without a title"),
        ("Ollama is running", "text/plain", "sent text/plain and no JSON: 'Ollama is running'"),
        ("upstream connect\nerror", "text/plain", "no JSON: 'upstream connect error'"),
        ("choices: []", "application/yaml", "sent application/yaml and no JSON"),
        ('data: {"text": "4"}\n\ndata: [DONE]\n\n', STREAM, "try extra: {stream: false}"),
        ('{"message": {"content": "4"}, "done": true}\n', "application/x-ndjson", "try extra: {stream: false}"),
    ],
)
@pytest.mark.parametrize("make", [endpoint, anthropic])
def test_what_is_no_reply_is_said_at_once_and_in_one_line(make: Any, text: str, kind: str, words: str) -> None:
    with Server(instead=served(None)) as server:
        server.instead = lambda prompt, body: web.Response(text=text, content_type=kind)
        began = time.monotonic()
        with pytest.raises(SelfsownError) as caught:
            make([], 0, url=server.url, model="m", api_key="").complete([f"prompt {at}" for at in range(50)])
        assert time.monotonic() - began < 2
        assert sum(server.asked.values()) <= 8
    assert words in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_page_between_answers_is_asked_again() -> None:
    pages = [3]

    def instead(prompt: str, body: Any) -> web.Response | None:
        if prompt != "prompt 9" or not pages[0]:
            return None
        pages[0] -= 1
        return web.Response(text=PAGE, content_type="text/html")

    with Server(instead=instead) as server:
        replies = endpoint([], 0, url=server.url, model="m").complete([f"prompt {at}" for at in range(20)])
        assert [reply.failure for (reply,) in replies] == [""] * 20
        assert server.asked["prompt 9"] == 4
