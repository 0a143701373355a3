"""Conversations: the messages of a prompt, for models behind servers, and the same as one text.

A message is a dict in the form of OpenAI's chat API: `role`, `content` (None only if it calls tools), and optionally
`name`, `tool_calls`, `tool_call_id` and `reasoning_content`. A row stores them in four metadata entries: `system` (the
first message, if it is a plain system message), `messages` (the others, as JSON, unless they are one user message),
`tools` (definitions, as JSON) and `completion` (the answer's message, as JSON, if it calls tools). An entry is used
only while the row's prompt, or its answer, still is the text of these messages.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import dropwhile
from typing import Any

Message = dict[str, Any]  # as JSON has it; `_is_message` checks what is read

INSTRUCTION_ROLES = ("system", "developer")
PROMPT_METADATA = ("system", "messages", "tools")
ANSWER_METADATA = ("reasoning", "completion", "rejected")


@dataclass(frozen=True)
class Conversation:
    """A prompt that is more than one user message.

    text: the turns as one text, without leading instructions, for models that take only text.
    encoded: all messages, as JSON.
    tools: definitions of tools, as JSON; "" for none.
    """

    text: str
    encoded: str
    tools: str = ""

    def __str__(self) -> str:
        return self.text

    @property
    def messages(self) -> list[Message]:
        """All messages, in order; a new list each time."""
        messages: list[Message] = json.loads(self.encoded)
        return messages

    def transcript(self) -> str:
        """The whole conversation as one text: a line for the tools and for each message."""
        lines = [f"tools: {self.tools}"] if self.tools else []
        return "\n".join([*lines, *map(_transcript_line, self.messages)])


Prompt = str | Conversation


def prepend_text(prompt: Prompt, text: str) -> Prompt:
    """The prompt with text before it; in a conversation, before its last user message."""
    if not text:
        return prompt
    if isinstance(prompt, str):
        return f"{text}\n\n{prompt}"
    messages = prompt.messages
    last = max((index for index, message in enumerate(messages) if message["role"] == "user"), default=-1)
    if last < 0:
        messages.append({"role": "user", "content": text})
    else:
        messages[last]["content"] = f"{text}\n\n{messages[last]['content']}"
    return replace(prompt, text=f"{text}\n\n{prompt.text}", encoded=_encode(messages))


def append_text(prompt: Prompt, text: str) -> Prompt:
    """The prompt with text after it; in a conversation whose last message is not the user's, as a new user message."""
    if isinstance(prompt, str):
        return f"{prompt}\n\n{text}"
    messages = prompt.messages
    if messages[-1]["role"] == "user":
        messages[-1]["content"] = f"{messages[-1]['content']}\n\n{text}"
    else:
        messages.append({"role": "user", "content": text})
    return replace(prompt, text=f"{prompt.text}\n\n{text}", encoded=_encode(messages))


def full_prompt(prompt: str, metadata: Mapping[str, str]) -> Prompt:
    """The prompt with the messages and tools in its metadata; the text alone if that is one user message."""
    if not prompt or not any(name in metadata for name in PROMPT_METADATA):
        return prompt
    messages, tools = prompt_messages(prompt, metadata), tool_definitions(metadata)
    if not tools and messages == [{"role": "user", "content": prompt}]:
        return prompt
    return Conversation(prompt, _encode(messages), tools)


def prompt_chars(prompt: Prompt) -> int:
    """The number of characters that are sent for a prompt."""
    return len(prompt) if isinstance(prompt, str) else len(prompt.encoded) + len(prompt.tools)


def message_text(message: Message) -> str:
    """The content of a message, and below it the tools that it calls, each as `name(arguments)`."""
    calls = [call["function"] for call in message.get("tool_calls") or ()]
    lines = [message["content"]] if message["content"] else []
    return "\n".join([*lines, *(f"{call['name']}({call['arguments']})" for call in calls)])


def messages_text(messages: Sequence[Message]) -> str:
    """The messages as one text, without leading instructions: a single user message unchanged; otherwise a line for
    each message, with its role."""
    turns = list(dropwhile(_is_instruction, messages))
    if len(turns) == 1 and turns[0]["role"] == "user":
        return message_text(turns[0])
    return "\n".join(map(_transcript_line, turns))


def messages_metadata(messages: Sequence[Message]) -> dict[str, str]:
    """The metadata from which, together with their `messages_text`, `prompt_messages` restores these messages."""
    metadata, rest = dict[str, str](), list(messages)
    if rest and rest[0]["role"] == "system" and _is_plain(rest[0]):
        metadata["system"] = rest.pop(0)["content"]
    if rest and not (len(rest) == 1 and rest[0]["role"] == "user" and _is_plain(rest[0])):
        metadata["messages"] = _encode(rest)
    return metadata


def prompt_messages(prompt: str, metadata: Mapping[str, str]) -> list[Message]:
    """The messages of a prompt; a single user message if its metadata has no others."""
    system = [{"role": "system", "content": metadata["system"]}] if metadata.get("system") else []
    stored = _decode(metadata.get("messages", ""))
    if stored and messages_text(stored) == prompt:
        return [*system, *stored]
    return [*system, {"role": "user", "content": prompt}] if prompt else system


def answer_metadata(message: Message) -> dict[str, str]:
    """The metadata of an answer whose text is the `message_text` of this message."""
    bare = {name: value for name, value in message.items() if name != "reasoning_content"}
    metadata = {"reasoning": message["reasoning_content"]} if message.get("reasoning_content") else {}
    return metadata if bare.keys() == {"role", "content"} else {**metadata, "completion": _encode([bare])}


def answer_message(answer: str, metadata: Mapping[str, str]) -> Message:
    """The message of an answer; its text alone if the metadata belongs to another answer."""
    stored = _decode(metadata.get("completion", ""))
    if len(stored) == 1 and stored[0]["role"] == "assistant" and message_text(stored[0]) == answer:
        return stored[0]
    return {"role": "assistant", "content": answer}


def tool_definitions(metadata: Mapping[str, str]) -> str:
    """The definitions of tools, as JSON; "" for none, or where the user's own metadata has this name."""
    try:
        tools = json.loads(metadata.get("tools", "") or "[]")
    except (ValueError, RecursionError):
        return ""
    valid = isinstance(tools, list) and tools and all(isinstance(tool, dict) for tool in tools)
    return metadata["tools"] if valid else ""


def keep_prompt_metadata(metadata: Mapping[str, str]) -> dict[str, str]:
    """The metadata for another answer to the same prompt."""
    return {name: value for name, value in metadata.items() if name not in ANSWER_METADATA}


def drop_chat_metadata(metadata: Mapping[str, str]) -> dict[str, str]:
    """The metadata for a row with another prompt."""
    return {name: value for name, value in metadata.items() if name not in (*PROMPT_METADATA, *ANSWER_METADATA)}


def text_prompt_metadata(prompt: str, metadata: Mapping[str, str]) -> dict[str, str]:
    """The metadata for an answer by a model that got the prompt as text: without the instructions before it and the
    tools, which that text does not contain."""
    messages = prompt_messages(prompt, metadata)
    turns = list(dropwhile(_is_instruction, messages))
    if turns == messages and not tool_definitions(metadata):
        return dict(metadata)
    others = {name: value for name, value in metadata.items() if name not in PROMPT_METADATA}
    return {**others, **messages_metadata(turns)}


def _is_instruction(message: Message) -> bool:
    return message["role"] in INSTRUCTION_ROLES


def _transcript_line(message: Message) -> str:
    speaker = f"{message['role']} ({message['name']})" if message.get("name") else str(message["role"])
    return f"{speaker}: {message_text(message)}"


def _is_plain(message: Message) -> bool:
    return message.keys() == {"role", "content"} and bool(message["content"])


def _encode(messages: Sequence[Message]) -> str:
    return json.dumps(list(messages), ensure_ascii=False)


def _decode(text: str) -> list[Message]:
    """The messages in a metadata entry; none where the user's own metadata has this name."""
    try:
        messages = json.loads(text or "[]")
        return messages if isinstance(messages, list) and all(map(_is_message, messages)) else []
    except (ValueError, TypeError, KeyError, RecursionError):
        return []


def _is_message(message: object) -> bool:
    if not isinstance(message, dict) or not isinstance(message["role"], str):
        return False
    calls = [call["function"] for call in message.get("tool_calls") or ()]
    texts = [text for call in calls for text in (call["name"], call["arguments"])]
    return isinstance(message["content"], str | None) and all(isinstance(text, str) for text in texts)
