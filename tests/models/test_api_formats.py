"""What a reply says: anything may come from a server, and none of it ends in a traceback."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfsown.models import SamplingParams
from selfsown.models.endpoint.api_formats import PATHS, ParsedReply, parse_reply
from selfsown.models.endpoint.endpoint import create
from selfsown.models.endpoint.errors import RequestError
from selfsown.models.endpoint.request import Request

STYLES = sorted(PATHS)
TEXT = st.text(st.characters(), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                (
                    "choices",
                    "message",
                    "content",
                    "text",
                    "usage",
                    "finish_reason",
                    "refusal",
                    "error",
                    "completion_tokens",
                    "reasoning",
                    "reasoning_content",
                    "thinking",
                    "logprobs",
                    "token",
                    "logprob",
                    "tokens",
                    "token_logprobs",
                )
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
MODEL = create([], 0, url="http://localhost/v1", model="m")


@given(st.sampled_from(STYLES), JSON.map(json.dumps) | TEXT)
def test_any_reply_is_read_or_refused(style: str, reply: str) -> None:
    try:
        said = parse_reply(style, reply)
    except RequestError:
        return
    assert said.text.strip() or said.failure
    said.text.encode()


@given(TEXT.filter(str.strip))
def test_a_text_comes_back_as_it_was_said(text: str) -> None:
    whole = text.encode("utf-8", "replace").decode()
    parts = [{"type": "text", "text": text[:3]}, {"type": "thinking", "thinking": "…"}, {"text": text[3:]}]
    bodies = {
        "chat": {"choices": [{"message": {"content": text}}]},
        "completions": {"choices": [{"text": text}]},
    }
    for style, body in bodies.items():
        assert parse_reply(style, json.dumps(body)) == ParsedReply(whole)
    thoughtful = ParsedReply(whole, reasoning="…")
    assert parse_reply("messages", json.dumps({"content": parts})) == thoughtful
    assert parse_reply("chat", json.dumps({"choices": [{"message": {"content": parts}}]})) == thoughtful


def chat(content: object, **more: object) -> ParsedReply:
    """What a reply of the chat API says."""
    message = {"content": content, **more.pop("message", {})}  # type: ignore[dict-item]
    return parse_reply("chat", json.dumps({"choices": [{"message": message, **more}]}))


@pytest.mark.parametrize("name", ["reasoning", "reasoning_content"])
@pytest.mark.parametrize("thought", ["It is even.", [{"type": "text", "text": "It is even."}]])
def test_what_was_thought_is_no_part_of_the_text(name: str, thought: object) -> None:
    assert chat("4", message={name: thought}) == ParsedReply("4", reasoning="It is even.")
    assert chat("4", message={name: None}) == ParsedReply("4")


@pytest.mark.parametrize("style", ["chat", "completions"])
def test_a_thought_at_the_start_of_a_text_is_parted_from_it(style: str) -> None:
    def said(text: str) -> ParsedReply:
        choice = {"text": text} if style == "completions" else {"message": {"content": text}}
        return parse_reply(style, json.dumps({"choices": [choice]}))

    assert said("\n<think>\nIt is even.\n</think>\n\n4") == ParsedReply("4", reasoning="It is even.")
    assert said("<think></think>4") == ParsedReply("4")
    assert said("The tag `</think>` ends it.") == ParsedReply("The tag `</think>` ends it.")
    assert said("So: <think>x</think>") == ParsedReply("So: <think>x</think>")
    assert said("<think>It is") == ParsedReply("", failure="no answer after its reasoning", reasoning="It is")


def test_parts_that_think_are_thoughts_however_they_nest() -> None:
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "It is even."}]}, {"type": "text", "text": "4"}]
    assert chat(parts) == ParsedReply("4", reasoning="It is even.")


def test_probabilities_are_those_of_the_answer_s_tokens() -> None:
    content = [{"token": token, "logprob": -1, "top_logprobs": []} for token in ("<think>", "x</think>")]
    content += [{"token": "4", "logprob": -0.5}, {"token": ".", "logprob": float("-inf")}]
    found = chat("<think>x</think>4.", logprobs={"content": content})
    assert (found.text, found.logprobs) == ("4.", (("4", -0.5), (".", -1e9)))
    old = {"tokens": ["4", "."], "token_logprobs": [-0.5, 0], "top_logprobs": None}
    body = {"choices": [{"text": "4.", "logprobs": old}]}
    assert parse_reply("completions", json.dumps(body)).logprobs == (("4", -0.5), (".", 0.0))


@pytest.mark.parametrize("likely", [None, "x", float("nan"), 10**400, []])
def test_probabilities_that_cannot_be_read_are_none_and_the_text_stands(likely: object) -> None:
    assert chat("4", logprobs={"content": [{"token": "4", "logprob": likely}]}) == ParsedReply("4")


@pytest.mark.parametrize("style", STYLES)
def test_an_error_in_a_reply_s_place_is_told(style: str) -> None:
    with pytest.raises(RequestError, match="overloaded"):
        parse_reply(style, '{"error": {"message": "overloaded"}}')
    with pytest.raises(RequestError, match="deep"):
        parse_reply(style, "[" * 100000)


ASKED = st.tuples(TEXT, st.sampled_from((0.0, 0.5, 1.0)), st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))


@given(ASKED, ASKED)
def test_the_same_request_has_the_same_key_and_another_request_another(
    one: tuple[str, float, int, int, int], two: tuple[str, float, int, int, int]
) -> None:
    one, two = ((f"say {each[0]}", *each[1:]) for each in (one, two))

    def request(prompt: str, temperature: float, seed: int, index: int, max_tokens: int) -> Request:
        params = SamplingParams(temperature=temperature, seed=seed, max_tokens=max_tokens)
        return MODEL._request(prompt, params, index)

    assert request(*one) == request(*one)
    assert (request(*one).key == request(*two).key) == (one == two)
