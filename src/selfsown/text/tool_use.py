"""Calls of tools in what a model writes, and conversations with tools as plain messages.

A model that was trained to call tools marks a call as <tool_call>{"name": …, "arguments": {…}}</tool_call>, as Hermes
and Qwen do; others are asked to. A reply that is such JSON alone, perhaps fenced, is a call, too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from selfsown.text.chat import Message

_BLOCK = re.compile(r"<tool_call>\s*(.*?)\s*(?:</tool_call>|\Z)", re.DOTALL)
_FENCED = re.compile(r"\A\s*```(?:json)?\s*(\{.*\})\s*```\s*\Z", re.DOTALL)
HOW = (
    "You can call tools. To call one, write only\n"
    '<tool_call>{{"name": "NAME", "arguments": {{…}}}}</tool_call>\n'
    "and wait for its result. Answer when you know enough. The tools:\n{tools}"
)


class BadCall(ValueError):
    """Something that looks like a call and cannot be read as one."""


def split_calls(text: str) -> tuple[str, list[Message]]:
    """(the text before the calls, the calls in OpenAI's form). Raises BadCall."""
    blocks = _BLOCK.findall(text)
    if blocks:
        return text[: text.index("<tool_call>")].strip(), [_call(block) for block in blocks]
    whole = _FENCED.sub(r"\1", text).strip()
    if not whole.startswith("{"):
        return text.strip(), []
    try:
        return "", [_call(whole)]
    except BadCall:
        return text.strip(), []


def _call(text: str) -> Message:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadCall(f"the call is not valid JSON: {error}") from error
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        raise BadCall('the call is not {"name": …, "arguments": {…}}')
    arguments = value.get("arguments", {})
    if not isinstance(arguments, dict):
        raise BadCall("the arguments of the call are not an object")
    function = {"name": value["name"], "arguments": json.dumps(arguments, ensure_ascii=False)}
    return {"type": "function", "function": function}


def written_calls(calls: Sequence[Message]) -> str:
    """Calls as a model writes them."""
    values = [
        {"name": call["function"]["name"], "arguments": _arguments(call["function"]["arguments"])} for call in calls
    ]
    return "\n".join(f"<tool_call>{json.dumps(value, ensure_ascii=False)}</tool_call>" for value in values)


def _arguments(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def plain_messages(messages: Sequence[Message], tools: Sequence[Any]) -> list[Message]:
    """The conversation for a model whose template knows no tools: they are explained in the system message, calls are
    text, and results are messages of the user."""
    plain = [_plain(message) for message in messages]
    if not tools:
        return plain
    definitions = "\n".join(json.dumps(tool.get("function", tool), ensure_ascii=False) for tool in tools)
    explained = HOW.format(tools=definitions)
    if plain and plain[0]["role"] == "system":
        return [{"role": "system", "content": f"{plain[0]['content']}\n\n{explained}"}, *plain[1:]]
    return [{"role": "system", "content": explained}, *plain]


def _plain(message: Message) -> Message:
    content = message["content"] or ""
    if message["role"] == "tool":
        return {"role": "user", "content": f"<tool_response>{content}</tool_response>"}
    if message.get("tool_calls"):
        return {
            "role": "assistant",
            "content": "\n".join(filter(None, [content, written_calls(message["tool_calls"])])),
        }
    return {"role": message["role"], "content": content}
