"""Conversations: the messages that a prompt is made of, for models behind servers, and the same as one text.

A message is a dict in the form of OpenAI's chat API: `role`, `content` (None only where tools are called), and perhaps
`name`, `tool_calls`, `tool_call_id` and `reasoning_content`. A row holds them in four traits: `system` (the first
message, where it is a plain system message), `messages` (the others, as JSON, where they are more than one user
message), `tools` (definitions, as JSON) and `completion` (the answer's message, as JSON, where it calls tools). A trait
counts only while the row's prompt, or its answer, still is the text of those messages.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import dropwhile
from typing import Any

Message = dict[str, Any]

INSTRUCTION_ROLES = ("system", "developer")  # roles of what a model is told, not asked
PROMPT_METADATA = ("system", "messages", "tools")
ANSWER_METADATA = ("reasoning", "completion", "rejected")


@dataclass(frozen=True)
class Conversation:
    """A prompt that is more than one user message.

    text: what a model gets that takes only a text: the turns, without the instructions before them. encoded: all
    messages, as JSON; tools: definitions of tools, as JSON, "" for none.
    """

    text: str
    encoded: str
    tools: str = ""

    def __str__(self) -> str:
        return self.text

    @property
    def messages(self) -> list[Message]:
        """All messages, in order; a new list each time."""
        found: list[Message] = json.loads(self.encoded)
        return found

    def transcript(self) -> str:
        """Everything that it holds, as one text: a line for the tools and for each message."""
        tools = [f"tools: {self.tools}"] if self.tools else []
        return "\n".join([*tools, *(f"{_speaker(each)}: {message_text(each)}" for each in self.messages)])


Prompt = str | Conversation  # what a model is asked


def prepend_text(prompt: Prompt, words: str) -> Prompt:
    """The prompt with words before it: in a conversation, before those of its last user message."""
    if isinstance(prompt, str) or not words:
        return f"{words}\n\n{prompt}" if words else prompt
    messages = prompt.messages
    last = max((at for at, each in enumerate(messages) if each["role"] == "user"), default=-1)
    if last < 0:
        messages.append({"role": "user", "content": words})
    else:
        messages[last]["content"] = f"{words}\n\n{messages[last]['content']}"
    return replace(prompt, text=f"{words}\n\n{prompt.text}", encoded=_encoded(messages))


def append_text(prompt: Prompt, words: str) -> Prompt:
    """The prompt with words after it: in a conversation, a user message of their own where the last is not a user's."""
    if isinstance(prompt, str):
        return f"{prompt}\n\n{words}"
    messages = prompt.messages
    if messages[-1]["role"] == "user":
        messages[-1]["content"] = f"{messages[-1]['content']}\n\n{words}"
    else:
        messages.append({"role": "user", "content": words})
    return replace(prompt, text=f"{prompt.text}\n\n{words}", encoded=_encoded(messages))


def full_prompt(prompt: str, traits: Mapping[str, str]) -> Prompt:
    """The prompt with all that its traits say was asked; the plain text where that is one user message."""
    if not prompt or not any(name in traits for name in PROMPT_METADATA):
        return prompt
    messages, tools = prompt_messages(prompt, traits), tool_definitions(traits)
    if not tools and messages == [{"role": "user", "content": prompt}]:
        return prompt
    return Conversation(prompt, _encoded(messages), tools)


def prompt_chars(prompt: Prompt) -> int:
    """How long it is, with all that is sent."""
    return len(prompt) if isinstance(prompt, str) else len(prompt.encoded) + len(prompt.tools)


def message_text(message: Message) -> str:
    """The words of a message, and below them the tools that it calls, each `name(arguments)`."""
    calls = [call["function"] for call in message.get("tool_calls") or ()]
    return "\n".join([*filter(None, [message["content"]]), *(f"{each['name']}({each['arguments']})" for each in calls)])


def messages_text(messages: Sequence[Message]) -> str:
    """The messages as one text, without the instructions at the beginning: a single user message as it stands; a longer
    talk with a line for each message, which says who speaks."""
    rest = list(dropwhile(lambda each: each["role"] in INSTRUCTION_ROLES, messages))
    if len(rest) == 1 and rest[0]["role"] == "user":
        return message_text(rest[0])
    return "\n".join(f"{_speaker(each)}: {message_text(each)}" for each in rest)


def messages_metadata(messages: Sequence[Message]) -> dict[str, str]:
    """The traits from which, with the text that `written_out` makes of them, `messages_of` makes these messages."""
    traits, rest = dict[str, str](), list(messages)
    if rest and rest[0]["role"] == "system" and _plain(rest[0]):
        traits["system"] = rest.pop(0)["content"]
    if rest and not (len(rest) == 1 and rest[0]["role"] == "user" and _plain(rest[0])):
        traits["messages"] = _encoded(rest)
    return traits


def prompt_messages(prompt: str, traits: Mapping[str, str]) -> list[Message]:
    """The messages that the prompt was made of; a single user message where the traits say nothing of it."""
    system = [{"role": "system", "content": traits["system"]}] if traits.get("system") else []
    stored = _decoded(traits.get("messages", ""))
    if stored and messages_text(stored) == prompt:
        return [*system, *stored]
    return [*system, *([{"role": "user", "content": prompt}] if prompt else [])]


def answer_metadata(message: Message) -> dict[str, str]:
    """The traits of an answer, which is the text that `spoken` makes of this message."""
    bare = {name: value for name, value in message.items() if name != "reasoning_content"}
    traits = {"reasoning": message["reasoning_content"]} if message.get("reasoning_content") else {}
    return traits if bare.keys() == {"role", "content"} else {**traits, "completion": _encoded([bare])}


def answer_message(answer: str, traits: Mapping[str, str]) -> Message:
    """The message that the answer was made of; its words alone where the trait says something else."""
    stored = _decoded(traits.get("completion", ""))
    if len(stored) == 1 and stored[0]["role"] == "assistant" and message_text(stored[0]) == answer:
        return stored[0]
    return {"role": "assistant", "content": answer}


def tool_definitions(traits: Mapping[str, str]) -> str:
    """The definitions of tools, as JSON; "" where there are none, or the trait is something else of the user's."""
    try:
        found = json.loads(traits.get("tools", "") or "[]")
    except (ValueError, RecursionError):
        return ""
    sound = isinstance(found, list) and found and all(isinstance(each, dict) for each in found)
    return traits["tools"] if sound else ""


def keep_prompt_metadata(traits: Mapping[str, str]) -> dict[str, str]:
    """The traits for another answer to the same prompt."""
    return {name: value for name, value in traits.items() if name not in ANSWER_METADATA}


def drop_chat_metadata(traits: Mapping[str, str]) -> dict[str, str]:
    """The traits for a row with another prompt: nothing of what was asked before."""
    return {name: value for name, value in traits.items() if name not in (*PROMPT_METADATA, *ANSWER_METADATA)}


def text_prompt_metadata(prompt: str, traits: Mapping[str, str]) -> dict[str, str]:
    """The traits for an answer by a model that was given the prompt as a text: without the instructions before it and
    the tools, which that text does not show."""
    messages = prompt_messages(prompt, traits)
    turns = list(dropwhile(lambda each: each["role"] in INSTRUCTION_ROLES, messages))
    if turns == messages and not tool_definitions(traits):
        return dict(traits)
    others = {name: value for name, value in traits.items() if name not in PROMPT_METADATA}
    return {**others, **messages_metadata(turns)}


def _speaker(message: Message) -> str:
    return f"{message['role']} ({message['name']})" if message.get("name") else str(message["role"])


def _plain(message: Message) -> bool:
    return message.keys() == {"role", "content"} and bool(message["content"])


def _encoded(messages: Sequence[Message]) -> str:
    return json.dumps(list(messages), ensure_ascii=False)


def _decoded(text: str) -> list[Message]:
    """The messages that a trait holds; none where it is no such trait, but one of the user's own, of the same name."""
    try:
        found = json.loads(text or "[]")
        return found if isinstance(found, list) and all(map(_sound, found)) else []
    except (ValueError, TypeError, KeyError, RecursionError):
        return []


def _sound(message: Any) -> bool:
    if not isinstance(message, dict) or not isinstance(message["role"], str):
        return False
    calls = [each["function"] for each in message.get("tool_calls") or ()]
    texts = [text for call in calls for text in (call["name"], call["arguments"])]
    return isinstance(message["content"], str | None) and all(isinstance(text, str) for text in texts)
