"""How each API words a conversation: its messages in their order, and the tools that it may call."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import takewhile
from typing import Any

from selfsown.text.chat import INSTRUCTIONS, Conversation, Message

MESSAGE_FIELDS = (
    "role",
    "content",
    "name",
    "tool_calls",
    "tool_call_id",
)  # fields of a message; past reasoning stays here


def conversation_fields(style: str, conversation: Conversation, system: str) -> dict[str, Any]:
    """The part of a request that says what is asked. system: the recipe's own system message for this model; it stands
    before the conversation's, in the same message."""
    if style == "completions":
        return {"prompt": system + conversation.transcript()}
    messages = _identified(conversation.messages)
    tools: list[Any] = json.loads(conversation.tools or "[]")
    if style == "messages":
        told = [each["content"] for each in takewhile(_instructs, messages)]
        text = "\n\n".join(filter(None, [system, *told]))
        found = {"messages": _blocks(messages[len(told) :])} | ({"system": text} if text else {})
        return found | ({"tools": [_schema(tool) for tool in tools]} if tools else {})
    if system and messages and _instructs(messages[0]):
        messages[0]["content"] = f"{system}\n\n{messages[0]['content']}"
    elif system:
        messages.insert(0, {"role": "system", "content": system})
    sent = [{name: each[name] for name in MESSAGE_FIELDS if name in each} for each in messages]
    return {"messages": sent} | ({"tools": tools} if tools else {})


def _instructs(message: Message) -> bool:
    return message["role"] in INSTRUCTIONS


def _identified(messages: Sequence[Message]) -> list[Message]:
    """The messages, calls without an id given one, and each result the id of the call that it answers: the first that
    is not answered yet, of its name where it has one. The APIs take none without."""
    found, waiting, number = list[Message](), list[tuple[str, str]](), 0
    for message in map(dict, messages):
        calls = []
        for call in message.get("tool_calls") or ():
            number += 1
            calls.append({"id": f"call_{number}", **call})
            waiting.append((calls[-1]["id"], call["function"]["name"]))
        message |= {"tool_calls": calls} if calls else {}
        if message["role"] == "tool":
            name, given = message.get("name"), message.get("tool_call_id")
            fitting = [each for each in waiting if given in (None, each[0]) and (given or name in (None, each[1]))]
            answered = next(iter(fitting or ([] if given else waiting)), None)
            if answered:
                waiting.remove(answered)
                message["tool_call_id"] = answered[0]
        found.append(message)
    return found


def _blocks(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """The messages as Anthropic's API takes them: calls and their results are blocks, and an instruction in the middle
    of a talk, for which there is no role, is a user's message that names the role."""
    found: list[dict[str, Any]] = []
    for message in messages:
        role, content = message["role"], message["content"]
        if role == "tool":
            block = {"type": "tool_result", "tool_use_id": message.get("tool_call_id", ""), "content": content}
            if found and isinstance(found[-1]["content"], list) and found[-1]["role"] == "user":
                found[-1]["content"].append(block)  # the results of calls made together stand together
            else:
                found.append({"role": "user", "content": [block]})
        elif message.get("tool_calls"):
            text = [{"type": "text", "text": content}] if content else []
            found.append({"role": role, "content": [*text, *map(_use, message["tool_calls"])]})
        else:
            words = f"{role}: {content}" if _instructs(message) else content
            found.append({"role": "user" if _instructs(message) else role, "content": words})
    return found


def _use(call: Message) -> dict[str, Any]:
    """A call as a block; its input must be an object there, so that arguments that are none are put into one."""
    function = call["function"]
    try:
        given = json.loads(function["arguments"])
    except (ValueError, RecursionError):
        given = function["arguments"]
    given = given if isinstance(given, dict) else {"arguments": given}
    return {"type": "tool_use", "id": call["id"], "name": function["name"], "input": given}


def _schema(tool: Message) -> dict[str, Any]:
    function = tool["function"]
    described = {"description": function["description"]} if function.get("description") else {}
    schema = function.get("parameters") or {"type": "object", "properties": {}}
    return {"name": function["name"], **described, "input_schema": schema}
