"""The fields of a request for a conversation in each API: messages in order, and tools."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import takewhile

from selfsown.models import Json, JsonObject
from selfsown.text.chat import INSTRUCTION_ROLES, Conversation, Message

MESSAGE_FIELDS = (
    "role",
    "content",
    "name",
    "tool_calls",
    "tool_call_id",
)  # that are sent; earlier reasoning is not


def conversation_fields(style: str, conversation: Conversation, system: str) -> JsonObject:
    """The fields of a request for the prompt. system: the recipe's system message for this model, prepended to the
    conversation's system message."""
    if style == "completions":
        return {"prompt": system + conversation.transcript()}
    messages = _identified(conversation.messages)
    tools: list[Json] = json.loads(conversation.tools or "[]")
    if style == "messages":
        instructions = [message["content"] for message in takewhile(_instructs, messages)]
        text = "\n\n".join(filter(None, [system, *instructions]))
        fields = {"messages": _blocks(messages[len(instructions) :])} | ({"system": text} if text else {})
        return fields | ({"tools": [_schema(tool) for tool in tools]} if tools else {})
    if system and messages and _instructs(messages[0]):
        messages[0]["content"] = f"{system}\n\n{messages[0]['content']}"
    elif system:
        messages.insert(0, {"role": "system", "content": system})
    sent = [{name: message[name] for name in MESSAGE_FIELDS if name in message} for message in messages]
    return {"messages": sent} | ({"tools": tools} if tools else {})


def _instructs(message: Message) -> bool:
    return message["role"] in INSTRUCTION_ROLES


def _identified(messages: Sequence[Message]) -> list[Message]:
    """The messages with ids, which the APIs require: calls without an id get one, and each tool result the id of the
    first unanswered call, of its name where it has one."""
    identified, waiting, number = list[Message](), list[tuple[str, str]](), 0
    for message in map(dict, messages):
        calls = []
        for call in message.get("tool_calls") or ():
            number += 1
            calls.append({"id": f"call_{number}", **call})
            waiting.append((calls[-1]["id"], call["function"]["name"]))
        message |= {"tool_calls": calls} if calls else {}
        if message["role"] == "tool":
            name, call_id = message.get("name"), message.get("tool_call_id")
            matching = [call for call in waiting if call_id in (None, call[0]) and (call_id or name in (None, call[1]))]
            answered = next(iter(matching or ([] if call_id else waiting)), None)
            if answered:
                waiting.remove(answered)
                message["tool_call_id"] = answered[0]
        identified.append(message)
    return identified


def _blocks(messages: Sequence[Message]) -> list[JsonObject]:
    """The messages in the format of Anthropic's API: calls and results are blocks; a later system message, for which
    there is no role, becomes a user message that names the role."""
    blocks: list[JsonObject] = []
    for message in messages:
        role, content = message["role"], message["content"]
        if role == "tool":
            block = {"type": "tool_result", "tool_use_id": message.get("tool_call_id", ""), "content": content}
            if blocks and isinstance(blocks[-1]["content"], list) and blocks[-1]["role"] == "user":
                blocks[-1]["content"].append(block)  # results of parallel calls belong to one message
            else:
                blocks.append({"role": "user", "content": [block]})
        elif message.get("tool_calls"):
            text = [{"type": "text", "text": content}] if content else []
            blocks.append({"role": role, "content": [*text, *map(_use, message["tool_calls"])]})
        else:
            words = f"{role}: {content}" if _instructs(message) else content
            blocks.append({"role": "user" if _instructs(message) else role, "content": words})
    return blocks


def _use(call: Message) -> JsonObject:
    """A call as a block; its input must be an object, so other arguments are wrapped in one."""
    function = call["function"]
    try:
        arguments = json.loads(function["arguments"])
    except (ValueError, RecursionError):
        arguments = function["arguments"]
    arguments = arguments if isinstance(arguments, dict) else {"arguments": arguments}
    return {"type": "tool_use", "id": call["id"], "name": function["name"], "input": arguments}


def _schema(tool: Message) -> JsonObject:
    function = tool["function"]
    described = {"description": function["description"]} if function.get("description") else {}
    schema = function.get("parameters") or {"type": "object", "properties": {}}
    return {"name": function["name"], **described, "input_schema": schema}
