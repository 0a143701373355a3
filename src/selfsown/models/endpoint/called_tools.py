"""The tools that a reply calls, in OpenAI's form, whatever the API."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from selfsown.models import Json
from selfsown.text.chat import Message


def called_tools(message: Mapping[str, Json]) -> tuple[Message, ...]:
    """Those in a message of the chat API (tool_calls) or of the messages API (blocks tool_use); () for none."""
    return (*_of_chat(message.get("tool_calls")), *_of_blocks(message.get("content")))


def _of_chat(calls: Json) -> Iterator[Message]:
    for call in calls if isinstance(calls, list) else ():
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict) and isinstance(function.get("name"), str):
            yield _call(call.get("id"), function["name"], function.get("arguments"))


def _of_blocks(content: Json) -> Iterator[Message]:
    for block in content if isinstance(content, list) else ():
        if isinstance(block, dict) and block.get("type") == "tool_use" and isinstance(block.get("name"), str):
            yield _call(block.get("id"), block["name"], block.get("input"))


def _call(name_of_call: Json, name: str, arguments: Json) -> Message:
    text = arguments if isinstance(arguments, str) else json.dumps(arguments or {}, ensure_ascii=False)
    call = {"type": "function", "function": {"name": name, "arguments": text}}
    return {"id": name_of_call, **call} if isinstance(name_of_call, str) else call
