"""A conversation is sent as it stands, in the words of each API, and its request has a key of its own."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfsown.models import SamplingParams
from selfsown.models.anthropic import create as anthropic
from selfsown.models.endpoint.batch import provider
from selfsown.models.endpoint.endpoint import Endpoint, create
from selfsown.text.chat import Conversation, Message, full_prompt, messages_metadata, messages_text
from selfsown.usage.journal import Journal
from testing.mock_batches import BatchServer
from testing.mock_server import Server

SYSTEM: Message = {"role": "system", "content": "Answer in French only."}
DEVELOPER: Message = {"role": "developer", "content": "Answer in French only."}
USER: Message = {"role": "user", "content": "Name a lake."}
COMO: Message = {"role": "assistant", "content": "Le lac de Côme."}
OTHER: Message = {"role": "user", "content": "Another."}
CALL = {"id": "c1", "type": "function", "function": {"name": "temperature", "arguments": '{"city": "Oslo"}'}}
CALLING: Message = {"role": "assistant", "content": None, "tool_calls": [CALL]}
RESULT: Message = {"role": "tool", "content": "7", "tool_call_id": "c1"}
TOOL = {"type": "function", "function": {"name": "temperature", "description": "Now", "parameters": {"type": "object"}}}
NOWHERE = "http://127.0.0.1:1/v1"


def talk(*messages: Message, tools: str = "") -> Any:
    return full_prompt(messages_text(messages), {**messages_metadata(messages), **({"tools": tools} if tools else {})})


def model(style: str, url: str = NOWHERE, **knobs: Any) -> Endpoint:
    if style == "messages":
        return anthropic([], 0, url=url, model="m", api_key="", **knobs)
    return create([], 0, url=url, model="m", style=style, **knobs)  # type: ignore[arg-type]


def body(style: str, prompt: Any, **knobs: Any) -> dict[str, Any]:
    """What would be sent."""
    ((ask,),) = model(style, **knobs).requests([prompt], SamplingParams(n=1, temperature=1.0, seed=0))
    found: dict[str, Any] = json.loads(ask.body)
    return {name: found[name] for name in ("messages", "system", "tools", "prompt") if name in found}


@pytest.mark.parametrize(
    "messages",
    [
        [SYSTEM, USER],
        [DEVELOPER, USER],
        [SYSTEM, DEVELOPER, USER],
        [USER, COMO, OTHER],
        [SYSTEM, USER, COMO, OTHER],
        [USER, COMO, SYSTEM, OTHER],
        [{**USER, "name": "Ann"}, COMO, OTHER],
        [USER, CALLING, RESULT],
        [USER, {**CALLING, "content": "Wait."}, RESULT, COMO, OTHER],
        [USER, CALLING, {**RESULT, "name": "temperature"}],
        [USER, {**COMO, "content": "Le lac"}],
    ],
)
def test_messages_are_sent_as_they_stand_in_the_order_they_stand(messages: list[Message]) -> None:
    assert body("chat", talk(*messages)) == {"messages": messages}


@pytest.mark.parametrize(
    ("messages", "sent"),
    [
        ([SYSTEM, USER], [{**SYSTEM, "content": "Be kind.\n\nAnswer in French only."}, USER]),
        ([DEVELOPER, USER], [{**DEVELOPER, "content": "Be kind.\n\nAnswer in French only."}, USER]),
        ([USER, COMO, OTHER], [{"role": "system", "content": "Be kind."}, USER, COMO, OTHER]),
    ],
)
def test_the_recipe_s_own_system_message_stands_before_the_row_s_in_one(messages: list[Message], sent: Any) -> None:
    assert body("chat", talk(*messages), system="Be kind.") == {"messages": sent}
    assert json.loads(talk(*messages).encoded) == messages


def test_tools_go_with_the_messages_and_thoughts_of_earlier_turns_do_not() -> None:
    thoughtful = {**COMO, "reasoning_content": "a lake in Italy"}
    tools = json.dumps([TOOL])
    assert body("chat", talk(USER, thoughtful, OTHER, tools=tools)) == {
        "messages": [USER, COMO, OTHER],
        "tools": [TOOL],
    }
    assert body("chat", talk(USER, tools=tools)) == {"messages": [USER], "tools": [TOOL]}


def test_calls_and_results_without_ids_are_given_some_that_fit() -> None:
    bare = {"type": "function", "function": CALL["function"]}
    other = {"type": "function", "function": {"name": "wind", "arguments": "{}"}}
    both = {"role": "assistant", "content": None, "tool_calls": [bare, other]}
    results = [{"role": "tool", "content": "4", "name": "wind"}, {"role": "tool", "content": "7"}]
    sent = body("chat", talk(USER, both, *results))["messages"]
    assert [call["id"] for call in sent[1]["tool_calls"]] == ["call_1", "call_2"]
    assert [each["tool_call_id"] for each in sent[2:]] == ["call_2", "call_1"]


@pytest.mark.parametrize(
    ("messages", "sent"),
    [
        ([SYSTEM, USER], {"system": "Answer in French only.", "messages": [USER]}),
        ([SYSTEM, DEVELOPER, USER], {"system": "\n\n".join([SYSTEM["content"]] * 2), "messages": [USER]}),
        ([USER, COMO, OTHER], {"messages": [USER, COMO, OTHER]}),
        (
            [USER, COMO, SYSTEM, OTHER],
            {"messages": [USER, COMO, {"role": "user", "content": "system: Answer in French only."}, OTHER]},
        ),
    ],
)
def test_anthropic_s_api_has_the_system_message_at_the_top_and_one_amid_a_talk_as_a_user_s_that_names_it(
    messages: list[Message], sent: dict[str, Any]
) -> None:
    assert body("messages", talk(*messages)) == sent


def test_anthropic_s_api_has_the_recipe_s_system_message_before_the_row_s() -> None:
    sent = body("messages", talk(SYSTEM, USER), system="Be kind.")
    assert sent == {"system": "Be kind.\n\nAnswer in French only.", "messages": [USER]}


def test_anthropic_s_api_has_calls_and_results_as_blocks() -> None:
    second = {"id": "c2", "type": "function", "function": {"name": "wind", "arguments": "north"}}
    calling = {**CALLING, "content": "Wait.", "tool_calls": [CALL, second]}
    prompt = talk(USER, calling, RESULT, {**RESULT, "tool_call_id": "c2"}, tools=json.dumps([TOOL]))
    uses = [
        {"type": "tool_use", "id": "c1", "name": "temperature", "input": {"city": "Oslo"}},
        {"type": "tool_use", "id": "c2", "name": "wind", "input": {"arguments": "north"}},
    ]
    results = [{"type": "tool_result", "tool_use_id": each, "content": "7"} for each in ("c1", "c2")]
    assert body("messages", prompt) == {
        "messages": [
            USER,
            {"role": "assistant", "content": [{"type": "text", "text": "Wait."}, *uses]},
            {"role": "user", "content": results},
        ],
        "tools": [{"name": "temperature", "description": "Now", "input_schema": {"type": "object"}}],
    }


def test_an_api_of_texts_gets_everything_as_one() -> None:
    prompt = talk(SYSTEM, USER, CALLING, RESULT, tools=json.dumps([TOOL]))
    lines = [f"tools: {json.dumps([TOOL])}", "system: Answer in French only.", "user: Name a lake."]
    lines += ['assistant: temperature({"city": "Oslo"})', "tool: 7"]
    assert body("completions", prompt) == {"prompt": "\n".join(lines)}


# Of the requests that were paid before conversations were sent: plain prompts are never asked again.
KEYS = {"chat": "6f624fa95996a091", "completions": "f7573221c43f6801", "messages": "777032fd2ec1dd4e"}


@pytest.mark.parametrize("style", ["chat", "completions", "messages"])
def test_the_key_holds_all_that_is_sent_and_that_of_a_plain_prompt_stays(style: str) -> None:
    own = {} if style == "messages" else {"system": "Be kind. "}
    plain = model(style, **own)
    assert plain.requests(["2 + 2?"], SamplingParams(n=1, temperature=1.0, seed=0))[0][0].key[:16] == KEYS[style]
    prompts = ["Name a lake.", talk(SYSTEM, USER), talk(DEVELOPER, USER), talk(SYSTEM, SYSTEM, USER)]
    prompts += [talk(USER, COMO, OTHER), talk(USER, tools=json.dumps([TOOL]))]
    keys = [ask.key for (ask,) in plain.requests(prompts, SamplingParams(n=1, temperature=1.0, seed=0))]
    same = 1 if style == "messages" else 0  # there is no role of developers there
    assert len(set(keys)) == len(prompts) - same
    assert keys == [ask.key for (ask,) in plain.requests(prompts, SamplingParams(n=1, temperature=1.0, seed=0))]


@pytest.mark.parametrize("style", ["chat", "completions", "messages"])
def test_a_conversation_is_answered_once_and_each_draw_by_itself(style: str, tmp_path: Any) -> None:
    with Server(say=lambda prompt, body: f"draw {body.get('seed', 0)}") as server:
        journal = Journal(tmp_path / "replies.sqlite")
        try:
            made = anthropic if style == "messages" else create
            knobs = {"api_key": ""} if style == "messages" else {"style": style}
            asked = made([], 0, journal, url=server.url, model="m", **knobs)  # type: ignore[operator]
            for _ in range(2):
                both = asked.complete([talk(SYSTEM, USER), talk(SYSTEM, USER)], SamplingParams(n=2))
        finally:
            journal.close()
    assert [reply.prompt for each in both for reply in each] == ["Name a lake."] * 4
    assert len(server.bodies) == 4


@pytest.mark.parametrize("style", ["chat", "messages"])
def test_a_batch_has_the_same_messages(style: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider, "FIRST_POLL_SECONDS", 0.02)
    monkeypatch.setattr(provider, "SETTLE_SECONDS", 0.2)
    with BatchServer() as server:
        asked = model(style, server.url, batch=40)
        prompt = talk(SYSTEM, USER, COMO, OTHER)
        assert asked.complete([prompt])[0][0].text == "answer to Another."
        (sent,) = server.sent[0]
    assert f'"content": "{COMO["content"]}"' in json.dumps(sent, ensure_ascii=False)
    assert "Answer in French only." in json.dumps(sent)


@settings(max_examples=40)
@given(st.lists(st.sampled_from([SYSTEM, DEVELOPER, USER, COMO, OTHER, CALLING, RESULT]), min_size=1, max_size=6))
def test_whatever_is_said_each_api_is_sent_all_words_in_their_order(messages: list[Message]) -> None:
    prompt = talk(*messages)
    for style in ("chat", "completions", "messages") if isinstance(prompt, Conversation) else ():
        sent = body(style, prompt)
        whole = json.dumps([sent.get(name) for name in ("system", "messages", "prompt")], ensure_ascii=False)
        at = 0
        for message in messages:
            at = whole.index(message["content"] or "Oslo", at) + 1
