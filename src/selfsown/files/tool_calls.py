"""Tool calls and tool definitions of chats, in the form of OpenAI's chat API. Errors are ValueErrors, as in chats."""

from __future__ import annotations

import json
from collections.abc import Sequence

from selfsown.files.record_fields import Record, checked_text, first_filled
from selfsown.text.chat import Message


def tool_calls(calls: object, function_call: object, role: str) -> list[Message]:
    """tool_calls in OpenAI's form, or the older function_call as one of them."""
    calls = calls or ([{"function": function_call}] if function_call else [])
    if not isinstance(calls, list):
        raise ValueError(f"has a turn by {role!r} whose tool_calls are not a list: {calls!r:.80}")
    return [_call(call) for call in calls]


def sharegpt_calls(text: str, role: str) -> list[Message]:
    """The calls of a ShareGPT turn: JSON of one call, {name, arguments}, or of a list of calls."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        content = None
    calls = content if isinstance(content, list) else [content]
    if not calls or not all(isinstance(call, dict) for call in calls):
        raise ValueError(f"has a turn by {role!r} that is not JSON {{name, arguments}}: {text!r:.80}")
    return [_call(call) for call in calls]


def _call(call: object) -> Message:
    """One call with its arguments as JSON text, as in the API."""
    if not isinstance(call, dict) or call.get("type") not in (None, "function"):
        raise _bad_call(call)
    function = call.get("function") or call
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise _bad_call(call)
    arguments = function.get("arguments")
    if not isinstance(arguments, str):
        arguments = json.dumps({} if arguments is None else arguments, ensure_ascii=False)
    name = checked_text(function["name"], "name")
    result = {"type": "function", "function": {"name": name, "arguments": checked_text(arguments, "arguments")}}
    return {"id": checked_text(call["id"], "id"), **result} if call.get("id") else result


def _bad_call(call: object) -> ValueError:
    return ValueError(f"has a tool call that is not {{function: {{name, arguments}}}}: {call!r:.80}")


def tools_metadata(record: Record, columns: Sequence[str]) -> dict[str, str]:
    """The metadata of the tools that the record defines, as a list or as JSON text."""
    _, tools = first_filled(record, [name for name in ("tools", "functions") if name in columns])
    if isinstance(tools, str):
        try:
            tools = json.loads(tools) if tools.strip() else None
        except (ValueError, RecursionError) as error:
            raise ValueError(f"has tools that are not JSON: {error}") from error
    if not tools:
        return {}
    if not isinstance(tools, list) or not all(isinstance(tool, dict) for tool in tools):
        raise ValueError(f"has tools that are not a list of definitions: {tools!r:.80}")
    return {"tools": checked_text(json.dumps([_tool(tool) for tool in tools], ensure_ascii=False), "tools")}


def _tool(tool: Record) -> object:
    """A definition in OpenAI's form, without the nulls that Arrow adds for keys of other definitions."""
    whole = tool if "function" in tool else {"type": "function", "function": tool}
    if not isinstance(whole["function"], dict) or not isinstance(whole["function"].get("name"), str):
        raise ValueError(f"has a tool that is not {{name, description, parameters}}: {tool!r:.80}")
    return _without_nulls(whole)


def _without_nulls(value: object) -> object:
    if isinstance(value, dict):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value
