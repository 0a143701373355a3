"""Chats in the shapes that files hold, read as messages: meaningful fields are kept, or are an error that names them.

Shapes: `messages` (OpenAI), `conversations` (ShareGPT), and TRL's `prompt` with `completion`, or with `chosen` and
`rejected`, as lists of messages. Errors are ValueErrors with the reason, without the record's line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from selfsown.files.record_fields import Record, checked_text, first_filled, reject_fields
from selfsown.files.tool_calls import sharegpt_calls, tool_calls, tools_metadata
from selfsown.text.chat import Message, answer_metadata, message_text, messages_metadata, messages_text

PromptAnswerMetadata = tuple[str, str, dict[str, str]]

TURN_COLUMNS = ("messages", "conversations", "conversation")
SYSTEM_COLUMNS = ("system", "system_prompt")
ALPACA_COLUMNS = (*SYSTEM_COLUMNS, "history", "tools")  # beside instruction and output
ROLES = {name: name for name in ("system", "developer", "user", "assistant", "tool")}
ROLES |= {"human": "user", "gpt": "assistant", "chatgpt": "assistant", "model": "assistant"}
ROLES |= dict.fromkeys(("observation", "function", "function_response", "tool_response", "ipython"), "tool")
CALL_ROLES = ("function_call", "tool_call")  # ShareGPT's roles of a turn that is a tool call
MEDIA = ("images", "image", "audios", "audio", "videos", "video")
CONTEXT_COLUMNS = ("system", "system_prompt", "tools", "functions", *MEDIA)  # beside a chat
TEXT_PARTS = ("text", "input_text", "output_text", "thinking")  # types of the parts of a content
REASONING = ("reasoning_content", "reasoning", "thinking")  # fields of a turn
UNTRAINED = ("weight", "train", "loss")  # fields that exclude an assistant turn from training


@dataclass(frozen=True)
class Chat:
    """The columns of a chat: one with turns, or a prompt and its answers; context: further columns of the chat."""

    columns: tuple[str, ...]
    context: tuple[str, ...] = ()

    @property
    def column_names(self) -> tuple[str, ...]:
        """All columns to read."""
        return (*self.columns, *self.context)

    def read(self, record: Record) -> PromptAnswerMetadata:
        """The last assistant message is the answer to the messages before it; "" where the last is not an assistant's.

        ValueError: a column does not hold a chat, or holds something that rows do not support.
        """
        reject_fields(record, MEDIA, "")
        metadata = tools_metadata(record, CONTEXT_COLUMNS)
        if self.columns[-1] == "rejected":
            chosen_turns, rejected_turns = (_turns(record, name) for name in self.columns[-2:])
            prompt_turns = _preference_prompt(record, chosen_turns)
            before, chosen, rejected = _compared(prompt_turns, chosen_turns, rejected_turns)
            messages = [*_system(record, before), *before, chosen]
            metadata["rejected"] = message_text(rejected)
        else:
            first, *others = self.columns
            filled = [first, *(name for name in others if record.get(name) not in (None, ""))]
            turns = [turn for name in filled for turn in _turns(record, name)]
            messages = [*_system(record, turns), *turns]
        prompt, answer, chat_metadata = split(messages)
        return prompt, answer, {**chat_metadata, **metadata}


def instruction_context(first: Mapping[str, object]) -> tuple[str, ...]:
    """The columns beside an instruction and its output that precede the instruction."""
    return present(first, ALPACA_COLUMNS)


def chat_columns(first: Mapping[str, object], *columns: str) -> Chat:
    """The chat in these columns of records like this one; "" stands for no column."""
    return Chat(tuple(filter(None, columns)), present(first, CONTEXT_COLUMNS))


def preference_chat(first: Mapping[str, object]) -> Chat | None:
    """The chat of records like this one, if they have chosen and rejected answers, or messages as prompt or
    completion."""
    lists = {name for name, value in first.items() if isinstance(value, list)}
    prompt = ("prompt",) if "prompt" in first else ()
    if first.keys() >= {"chosen", "rejected"} and (prompt or "chosen" in lists):
        return chat_columns(first, *prompt, "chosen", "rejected")
    if first.keys() >= {"prompt", "completion"} and lists & {"prompt", "completion"}:
        return chat_columns(first, "prompt", "completion")
    return None


def turns_chat(first: Mapping[str, object]) -> Chat | None:
    """The chat of records like this one, if they have a column of turns."""
    name = next((name for turns in TURN_COLUMNS for name in first if name.lower() == turns), None)
    return chat_columns(first, name) if name else None


def instruction_prompt(record: Record, prompt: str) -> tuple[str, dict[str, str]]:
    """Prompt and metadata of an instruction, with the columns ALPACA_COLUMNS beside it.

    history: earlier turns, as pairs of question and answer. ValueError: a column holds something else.
    """
    if not first_filled(record, ALPACA_COLUMNS)[0]:
        return prompt, {}
    messages = _system(record, [])
    history = first_filled(record, ("history",))[1] or []
    if not isinstance(history, list) or not all(map(_is_pair_of_texts, history)):
        raise ValueError("has a history that is not a list of pairs of question and answer")
    for question, answer in history:
        messages += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    messages.append({"role": "user", "content": prompt})
    return messages_text(messages), {**messages_metadata(messages), **tools_metadata(record, ALPACA_COLUMNS)}


def _is_pair_of_texts(pair: object) -> bool:
    return isinstance(pair, list | tuple) and len(pair) == 2 and all(isinstance(text, str) for text in pair)


def split(messages: Sequence[Message]) -> PromptAnswerMetadata:
    """Prompt, answer and metadata of a whole chat. ValueError: it is empty."""
    if not messages:
        raise ValueError("has an empty chat, without messages")
    *before, last = messages
    if last["role"] != "assistant":
        return messages_text(messages), "", messages_metadata(messages)
    return messages_text(before), message_text(last), {**messages_metadata(before), **answer_metadata(last)}


def present(first: Mapping[str, object], names: Sequence[str]) -> tuple[str, ...]:
    """Those of the columns that there are."""
    return tuple(name for name in names if name in first)


def _turns(record: Record, column: str) -> list[Message]:
    """The messages of a column."""
    turns = record.get(column)
    if isinstance(turns, str) and column.lower() not in TURN_COLUMNS:
        return [{"role": "user" if column == "prompt" else "assistant", "content": checked_text(turns, column)}]
    if not isinstance(turns, list):
        kind = "no value" if turns is None else f"a {type(turns).__name__}"
        raise ValueError(f"has {kind} in column {column!r}; expected a list of {{role, content}}")
    return [_message(turn, column) for turn in turns]


def _message(turn: object, column: str) -> Message:
    """One turn as a message; keys that OpenAI's format does not have are left out."""
    if not isinstance(turn, dict) or not isinstance(role := turn.get("role") or turn.get("from"), str):
        raise ValueError(f"has a turn in {column!r} that is not {{role, content}}: {turn!r:.80}")
    name = _role(turn, role, column)
    content, thoughts = content_text(turn["content"] if "content" in turn else turn.get("value"), role)
    calls = tool_calls(turn.get("tool_calls"), turn.get("function_call"), role)
    if role in CALL_ROLES:
        content, calls = None, sharegpt_calls(content or "", role)
    if content is None and not calls:
        raise ValueError(f"has a turn in {column!r} that is not {{role, content}} with text: {turn!r:.80}")
    if calls and name != "assistant":
        raise ValueError(f"has a turn by {role!r} that calls tools; only an assistant turn may")
    message: Message = {"role": name, "content": content}
    for key in ("name", "tool_call_id"):
        if turn.get(key):
            message[key] = checked_text(turn[key], key)
    if calls:
        message["tool_calls"] = calls
    if reasoning := thoughts or next((turn[key] for key in REASONING if turn.get(key)), ""):
        message["reasoning_content"] = checked_text(reasoning, "reasoning")
    return message


def _role(turn: Record, role: str, column: str) -> str:
    """The role in OpenAI's names. ValueError: another role, or a field that rows do not support."""
    name = ROLES.get(role, "assistant" if role in CALL_ROLES else "")
    if not name:
        raise ValueError(f"has a turn by {role!r} in {column!r}; available roles: {', '.join([*ROLES, *CALL_ROLES])}")
    reject_fields(turn, (*MEDIA, "refusal"), f" in a turn by {role!r}")
    untrained = next((field for field in UNTRAINED if turn.get(field) in (0, False)), "")
    if name == "assistant" and untrained:
        raise ValueError(f"has a turn by {role!r} with {untrained}: {turn[untrained]}, which rows do not support")
    return name


def content_text(content: object, role: str) -> tuple[str | None, str]:
    """The text of a content, None for null, and the reasoning among its parts. ValueError: it is not text."""
    if content is None:
        return None, ""
    if isinstance(content, str):
        return checked_text(content, "content"), ""
    if not isinstance(content, list):
        raise ValueError(f"has a turn by {role!r} whose content is not text: {content!r:.80}")
    texts, thoughts = list[str](), list[str]()
    for part in content:
        kind, text = _part(part)
        if not isinstance(text, str):
            raise ValueError(f"has a turn by {role!r} with a part of type {kind!r}; rows support text only")
        (thoughts if kind == "thinking" else texts).append(checked_text(text, "content"))
    return "".join(texts), "".join(thoughts)


def _part(part: object) -> tuple[object, object]:
    """Type and text of a part of a content; None for what is not text."""
    if isinstance(part, str):
        return "text", part
    if not isinstance(part, dict):
        return repr(part), None
    kind = part.get("type") or "text"
    if kind not in TEXT_PARTS:
        return kind, None
    return kind, part.get("thinking" if kind == "thinking" else "text")


def _system(record: Record, turns: Sequence[Message]) -> list[Message]:
    """The system message of a column beside the turns, unless they begin with the same one."""
    name, text = first_filled(record, SYSTEM_COLUMNS)
    if not name:
        return []
    message = {"role": "system", "content": checked_text(text, "system")}
    return [] if turns and turns[0] == message else [message]


def _preference_prompt(record: Record, chosen: Sequence[Message]) -> list[Message]:
    """The prompt's messages: its list, or its text where the answers do not begin with it."""
    prompt = record.get("prompt")
    if prompt is None or any(message["content"] == prompt and message["role"] == "user" for message in chosen):
        return []
    return _turns(record, "prompt")


def _compared(
    prompt: list[Message], chosen: list[Message], rejected: list[Message]
) -> tuple[list[Message], Message, Message]:
    """The messages that both chats share, and the two answers, each a single message."""
    shared = 0
    while shared < min(len(chosen), len(rejected)) - 1 and chosen[shared] == rejected[shared]:
        shared += 1
    ends = [chosen[shared:], rejected[shared:]]
    if any(len(end) != 1 or end[0]["role"] != "assistant" for end in ends):
        raise ValueError("has chosen and rejected chats that differ in more than the last assistant message")
    return [*prompt, *chosen[:shared]], ends[0][0], ends[1][0]
