"""Chats in the shapes in which files hold them, read into messages: what carries meaning is kept, or refused by name.

Shapes: `messages` (OpenAI), `conversations` (ShareGPT), and TRL's `prompt` with `completion`, or with `chosen` and
`rejected`, as lists of messages. What is refused is a ValueError whose text says why, without the record's place.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from selfsown.text.chat import Message, answer_traits, remembered, spoken, written_out

Parts = tuple[str, str, dict[str, str]]  # prompt, answer, traits

TALKS = ("messages", "conversations", "conversation")
ALPACA = ("system", "system_prompt", "history", "tools")  # columns beside instruction and output
ROLES = {name: name for name in ("system", "developer", "user", "assistant", "tool")}
ROLES |= {"human": "user", "gpt": "assistant", "chatgpt": "assistant", "model": "assistant"}
ROLES |= dict.fromkeys(("observation", "function", "function_response", "tool_response", "ipython"), "tool")
CALLS = ("function_call", "tool_call")  # roles whose turn is a call, as ShareGPT has them
MEDIA = ("images", "image", "audios", "audio", "videos", "video")
CONTEXT = ("system", "system_prompt", "tools", "functions", *MEDIA)  # columns beside a talk
PARTS = ("text", "input_text", "output_text", "thinking")  # of a content
REASONING = ("reasoning_content", "reasoning", "thinking")  # fields of a turn
UNTRAINED = ("weight", "train", "loss")  # fields by which an assistant's turn says that it is not to be learned


@dataclass(frozen=True)
class Chat:
    """Which columns of a record hold a chat: one of turns, or a prompt and its answers.

    context: those of CONTEXT that the first record has.
    """

    columns: tuple[str, ...]
    context: tuple[str, ...] = ()

    @property
    def wanted(self) -> tuple[str, ...]:
        """All columns that it reads."""
        return (*self.columns, *self.context)

    def read(self, record: Mapping[str, Any]) -> Parts:
        """The last assistant message is the answer to all messages before it; "" where the last is not an assistant's.

        ValueError: the record holds something else than a chat, or something that a row cannot hold.
        """
        _refuse(record, MEDIA, "")
        traits = _tools(record, CONTEXT)
        if self.columns[-1] != "rejected":
            first, *others = self.columns
            there = [first, *(name for name in others if record.get(name) not in (None, ""))]
            turns = [turn for name in there for turn in _turns(record, name)]
            messages = [*_system(record, turns), *turns]
        else:
            both = [_turns(record, name) for name in self.columns[-2:]]
            before, chosen, rejected = _compared(_asked(record, both[0]), *both)
            messages = [*_system(record, before), *before, chosen]
            traits["rejected"] = spoken(rejected)
        prompt, answer, told = split(messages)
        return prompt, answer, {**told, **traits}


def beside(first: Mapping[str, Any]) -> tuple[str, ...]:
    """The columns of an instruction and its output in which something stands that was said before."""
    return _present(first, ALPACA)


def chat_of(first: Mapping[str, Any], *columns: str) -> Chat:
    """The chat of records like this one, in these columns; "" for one that there is not."""
    return Chat(tuple(filter(None, columns)), _present(first, CONTEXT))


def prompted(first: Mapping[str, Any]) -> Chat | None:
    """The chat of records like this one, which have a chosen and a rejected answer, or lists of messages as prompt or
    completion; None for other records."""
    lists = {name for name, value in first.items() if isinstance(value, list)}
    prompt = ("prompt",) if "prompt" in first else ()
    if first.keys() >= {"chosen", "rejected"} and (prompt or "chosen" in lists):
        return chat_of(first, *prompt, "chosen", "rejected")
    if first.keys() >= {"prompt", "completion"} and lists & {"prompt", "completion"}:
        return chat_of(first, "prompt", "completion")
    return None


def talk_of(first: Mapping[str, Any]) -> Chat | None:
    """The chat of records like this one, which have a column of turns; None for other records."""
    name = next((name for name in TALKS if name in first), None)
    return chat_of(first, name) if name else None


def alpaca_traits(record: Mapping[str, Any], prompt: str) -> tuple[str, dict[str, str]]:
    """Prompt and traits of a record of instruction and output, with what stands in the columns ALPACA beside them.

    history: earlier turns, pairs of a question and its answer. ValueError: one of the columns holds something else.
    """
    if not _held(record, ALPACA)[0]:
        return prompt, {}
    messages = _system(record, [])
    history = _held(record, ("history",))[1] or []
    if not isinstance(history, list) or not all(
        isinstance(pair, list | tuple) and len(pair) == 2 and all(isinstance(text, str) for text in pair)
        for pair in history
    ):
        raise ValueError("has a history that is not a list of pairs, each a question and its answer")
    for question, answer in history:
        messages += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    messages.append({"role": "user", "content": prompt})
    return written_out(messages), {**remembered(messages), **_tools(record, ALPACA)}


def split(messages: Sequence[Message]) -> Parts:
    """Prompt, answer and traits of a whole chat. ValueError: it is empty."""
    if not messages:
        raise ValueError("holds an empty chat, with no messages")
    *before, last = messages
    if last["role"] != "assistant":
        return written_out(messages), "", remembered(messages)
    return written_out(before), spoken(last), {**remembered(before), **answer_traits(last)}


def _present(first: Mapping[str, Any], names: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name in first)


def _turns(record: Mapping[str, Any], column: str) -> list[Message]:
    """The messages of a column."""
    turns = record.get(column)
    if isinstance(turns, str) and column not in TALKS:
        return [{"role": "user" if column == "prompt" else "assistant", "content": _text(turns, column)}]
    if not isinstance(turns, list):
        kind = "nothing" if turns is None else f"a {type(turns).__name__}"
        raise ValueError(f"holds {kind} in column {column!r}; a chat is a list of {{role, content}}")
    return [_message(turn, column) for turn in turns]


def _message(turn: Any, column: str) -> Message:
    """One turn as a message; keys that are none of OpenAI's are left out."""
    role = turn.get("role") or turn.get("from") if isinstance(turn, dict) else None
    if not isinstance(role, str):
        raise ValueError(f"has a turn in {column!r} that is no {{role, content}}: {turn!r:.80}")
    name = ROLES.get(role, "assistant" if role in CALLS else "")
    if not name:
        raise ValueError(f"has a turn by {role!r} in {column!r}; there is: {', '.join([*ROLES, *CALLS])}")
    _refuse(turn, (*MEDIA, "refusal"), f" in a turn by {role!r}")
    if name == "assistant" and (field := next((each for each in UNTRAINED if turn.get(each) in (0, False)), "")):
        raise ValueError(f"has a turn by {role!r} with {field}: {turn[field]}, which rows cannot hold")
    content, thoughts = _words(turn["content"] if "content" in turn else turn.get("value"), role)
    calls = _calls(turn.get("tool_calls"), turn.get("function_call"), role)
    if role in CALLS:
        content, calls = None, _called(content or "", role)
    if content is None and not calls:
        raise ValueError(f"has a turn in {column!r} that is no {{role, content}} of text: {turn!r:.80}")
    if calls and name != "assistant":
        raise ValueError(f"has a turn by {role!r} that calls tools; only an assistant's may")
    message: Message = {"role": name, "content": content}
    for key in ("name", "tool_call_id"):
        if turn.get(key):
            message[key] = _text(turn[key], key)
    reasoning = thoughts or next((turn[key] for key in REASONING if turn.get(key)), "")
    message |= {"tool_calls": calls} if calls else {}
    return message | ({"reasoning_content": _text(reasoning, "reasoning")} if reasoning else {})


def _words(content: Any, role: str) -> tuple[str | None, str]:
    """The text of a content, and the thoughts among its parts."""
    if content is None or isinstance(content, str):
        return None if content is None else _text(content, "content"), ""
    if not isinstance(content, list):
        raise ValueError(f"has a turn by {role!r} that is no {{role, content}} of text: its content is {content!r:.80}")
    found: dict[bool, list[str]] = {False: [], True: []}  # texts, and thoughts
    for part in content:
        part = {"text": part} if isinstance(part, str) else part if isinstance(part, dict) else {"type": repr(part)}
        kind = part.get("type") or "text"
        words = part.get("thinking" if kind == "thinking" else "text") if kind in PARTS else None
        if not isinstance(words, str):
            raise ValueError(f"has a turn by {role!r} with a part of type {kind!r}; rows hold text alone")
        found[kind == "thinking"].append(_text(words, "content"))
    return "".join(found[False]), "".join(found[True])


def _calls(calls: Any, older: Any, role: str) -> list[Message]:
    """tool_calls in OpenAI's form, or its older function_call as one of them."""
    calls = calls or ([{"function": older}] if older else [])
    if not isinstance(calls, list):
        raise ValueError(f"has a turn by {role!r} whose tool_calls are no list: {calls!r:.80}")
    return [_call(call) for call in calls]


def _called(value: str, role: str) -> list[Message]:
    """The calls of a ShareGPT turn: JSON of one call, {name, arguments}, or a list of such."""
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        found = None
    calls = found if isinstance(found, list) else [found]
    if not calls or not all(isinstance(call, dict) for call in calls):
        raise ValueError(f"has a turn by {role!r} that is no JSON {{name, arguments}}: {value!r:.80}")
    return [_call(call) for call in calls]


def _call(call: Any) -> Message:
    """One call with its arguments as JSON text, as the API has them."""
    function = (call.get("function") or call) if isinstance(call, dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    if not isinstance(function, dict) or not isinstance(name, str) or call.get("type") not in (None, "function"):
        raise ValueError(f"has a tool call that is no {{function: {{name, arguments}}}}: {call!r:.80}")
    arguments = function.get("arguments")
    if not isinstance(arguments, str):
        arguments = json.dumps({} if arguments is None else arguments, ensure_ascii=False)
    made = {"type": "function", "function": {"name": _text(name, "name"), "arguments": _text(arguments, "arguments")}}
    return {"id": _text(call["id"], "id"), **made} if call.get("id") else made


def _system(record: Mapping[str, Any], turns: Sequence[Message]) -> list[Message]:
    """The system message of a column beside the turns, unless they begin with the same."""
    name, words = _held(record, ("system", "system_prompt"))
    if not name:
        return []
    message = {"role": "system", "content": _text(words, "system")}
    return [] if turns and turns[0] == message else [message]


def _tools(record: Mapping[str, Any], columns: Sequence[str]) -> dict[str, str]:
    """The trait of the tools that the record defines, as a list or as its JSON text."""
    _, found = _held(record, [name for name in ("tools", "functions") if name in columns])
    if isinstance(found, str):
        try:
            found = json.loads(found) if found.strip() else None
        except (ValueError, RecursionError) as error:
            raise ValueError(f"has tools that are no JSON: {error}") from error
    if not found:
        return {}
    if not isinstance(found, list) or not all(isinstance(tool, dict) for tool in found):
        raise ValueError(f"has tools that are no list of definitions: {found!r:.80}")
    return {"tools": _text(json.dumps([_tool(tool) for tool in found], ensure_ascii=False), "tools")}


def _tool(tool: Mapping[str, Any]) -> Any:
    """A definition in OpenAI's form, without the nulls that Arrow sets where other definitions have a key."""
    whole = tool if "function" in tool else {"type": "function", "function": tool}
    if not isinstance(whole["function"], dict) or not isinstance(whole["function"].get("name"), str):
        raise ValueError(f"has a tool that is no {{name, description, parameters}}: {tool!r:.80}")
    return _without_nulls(whole)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(each) for name, each in value.items() if each is not None}
    return [_without_nulls(each) for each in value] if isinstance(value, list) else value


def _asked(record: Mapping[str, Any], chosen: Sequence[Message]) -> list[Message]:
    """The messages of the prompt of a preference: its list; its text, where that is not what the answers begin with."""
    prompt = record.get("prompt")
    if prompt is None or any(each["content"] == prompt and each["role"] == "user" for each in chosen):
        return []
    return _turns(record, "prompt")


def _compared(
    before: list[Message], chosen: list[Message], rejected: list[Message]
) -> tuple[list[Message], Message, Message]:
    """What both answer, and the two answers, each a single message."""
    shared = 0
    while shared < min(len(chosen), len(rejected)) - 1 and chosen[shared] == rejected[shared]:
        shared += 1
    ends = [chosen[shared:], rejected[shared:]]
    if any(len(end) != 1 or end[0]["role"] != "assistant" for end in ends):
        raise ValueError("has a chosen and a rejected talk that differ in more than the last assistant message")
    return [*before, *chosen[:shared]], ends[0][0], ends[1][0]


def _held(record: Mapping[str, Any], names: Sequence[str]) -> tuple[str, Any]:
    """The first of these fields that holds anything, and what; null and NaN are nothing, as tables write them."""
    return next(
        ((name, record[name]) for name in names if record.get(name) and record[name] == record[name]), ("", None)
    )


def _refuse(record: Mapping[str, Any], names: Sequence[str], where: str) -> None:
    if name := _held(record, names)[0]:
        raise ValueError(f"has {name}{where}; rows hold text alone")


def _text(value: Any, what: str) -> str:
    """Text that a file can hold. ValueError: it is no text, or holds half a character."""
    if not isinstance(value, str):
        raise ValueError(f"has a {what} that is no text: {value!r:.80}")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"holds half a character in {what}; replace it") from error
    return value
