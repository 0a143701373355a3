"""A reply's reasoning is no part of its answer, however its server spells it; an answer about the spelling stands."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfsown.models.anthropic import create as anthropic
from selfsown.models.endpoint.api_formats import PATHS, ParsedReply, parse_reply
from selfsown.models.endpoint.endpoint import create as endpoint
from testing.mock_server import Server

SPELLED = [
    "<think>Even.</think>\n\n4",
    "Even.\n</think>\n\n4",
    "\n<think>\nEven.\n</think>4",
    "<thinking>Even.</thinking>\n4",
    "Even.</thinking>\n4",
    "<thought>Even.</thought>4",
    "<reasoning>\nEven.\n</reasoning>\n\n4",
    "[THINK]Even.[/THINK]4",
    "<|channel|>analysis<|message|>Even.<|end|><|start|>assistant<|channel|>final<|message|>4",
    "<|channel|>analysis<|message|>Even.<|end|><|start|>assistant<|channel|>final<|message|>4<|return|>",
    "<think>Even.</think>4<|im_end|>",
    "<think>Even.</think>4</s>",
    "<THINK>Even.</THINK>4",
]
ENDED = ["4<|im_end|>", "4<|eot_id|>", "4</s>", "4<|end|>", "4<end_of_turn>", "4<|endoftext|>"]
ENDED += ["4<|im_end|>\n<|endoftext|>"]
UNENDED = ["<think>Even", "<thinking>Even", "[THINK]Even", "<|channel|>analysis<|message|>Even", "<reasoning>\nEven"]
HONEST = [
    "The tag `</think>` ends the reasoning.",
    'Write "</think>" and then the answer.',
    "Use `<think>` and `</think>` in the template.",
    "```\n<think>\nplan\n</think>\nanswer\n```",
    "A template:\n\n```jinja\n{{ '<think>' }}\n...\n</think>\n```\nThat is all.",
    "Between <think> and </think> stands what it thought.",
    "if a < b: print('</s>')  # a comment",
    "<p>Some <s>old</s> words</p>",
    "I think, therefore I am.",
    "Magistral writes [THINK] and ends it with [/THINK] itself.",
]


def said(text: str, style: str, end: str = "stop", **message: Any) -> ParsedReply:
    if style == "messages":
        return parse_reply(style, json.dumps({"content": [{"type": "text", "text": text}], "stop_reason": end}))
    choice = {"text": text} if style == "completions" else {"message": {"content": text, **message}}
    return parse_reply(style, json.dumps({"choices": [{**choice, "finish_reason": end}]}))


@pytest.mark.parametrize("style", sorted(PATHS))
@pytest.mark.parametrize("text", SPELLED)
def test_reasoning_is_set_apart(text: str, style: str) -> None:
    assert said(text, style) == ParsedReply("4", reasoning="Even.")


@pytest.mark.parametrize("text", ENDED)
def test_a_sign_that_ends_a_turn_is_no_part_of_the_answer(text: str) -> None:
    assert said(text, "chat") == ParsedReply("4")


@pytest.mark.parametrize("end", ["stop", "length"])
@pytest.mark.parametrize("text", UNENDED)
def test_reasoning_that_never_ends_has_no_answer(text: str, end: str) -> None:
    found = said(text, "chat", end)
    assert (found.text, found.reasoning) == ("", "Even")
    assert found.failure == ("no answer after its reasoning" if end == "stop" else "truncated at max_tokens")


@pytest.mark.parametrize("text", HONEST)
def test_an_answer_that_speaks_of_a_tag_stands_as_it_is(text: str) -> None:
    assert said(text, "chat") == ParsedReply(text)


@pytest.mark.parametrize("name", ["reasoning", "reasoning_content"])
def test_reasoning_in_a_field_of_its_own_goes_before_that_in_the_text(name: str) -> None:
    assert said("4", "chat", **{name: "Even."}) == ParsedReply("4", reasoning="Even.")
    assert said("so.</think>4", "chat", **{name: "Even."}) == ParsedReply("4", reasoning="Even.")
    assert said("", "chat", **{name: "Even."}).failure == "no answer after its reasoning"


@pytest.mark.parametrize(
    ("tokens", "answer"),
    [
        (["Even", "</think>", "4", "."], ["4", "."]),
        (["4", ".", "<|im_end|>"], ["4", "."]),
        (["<think>", "x", "</think>", "4", "</s>"], ["4"]),
        (["[THINK]", "4", "[/THINK]", "4"], ["4"]),
    ],
)
def test_probabilities_are_those_of_the_answer_alone(tokens: list[str], answer: list[str]) -> None:
    content = [{"token": token, "logprob": -float(at)} for at, token in enumerate(tokens)]
    choice = {"message": {"content": "".join(tokens)}, "logprobs": {"content": content}}
    found = parse_reply("chat", json.dumps({"choices": [choice]}))
    assert [token for token, _ in found.logprobs] == answer
    assert found.text == "".join(answer)


@pytest.mark.parametrize("make", [endpoint, anthropic])
@pytest.mark.parametrize("text", SPELLED[:10:3])
def test_what_a_server_says_comes_as_reasoning_and_answer(make: Any, text: str) -> None:
    with Server(say=lambda prompt, body: text) as server:
        ((reply,),) = make([], 0, url=server.url, model="m", api_key="").complete(["Two and two?"])
    assert (reply.text, reply.reasoning, reply.failure) == ("4", "Even.", "")


@given(st.text(st.sampled_from("ab\n .!?"), min_size=1, max_size=30), st.text(st.sampled_from("ab 4\n"), max_size=20))
def test_all_before_a_closing_tag_is_reasoning_and_all_after_it_the_answer(thought: str, answer: str) -> None:
    found = said(f"{thought}</think>\n\n{answer}", "chat")
    assert (found.reasoning, found.text) == (thought.strip(), answer.lstrip())


@pytest.mark.parametrize(
    "text", [f"a{' ' * 200000}b", "\n" * 200000 + "b", "b" + " " * 200000, "<|im_end|> " * 2000 + "b"]
)
def test_a_reply_that_goes_round_in_circles_is_read_at_once(text: str) -> None:
    began = time.monotonic()
    assert said(text, "chat").text == text
    assert time.monotonic() - began < 2
