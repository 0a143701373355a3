"""Dataset formats for trainers: each turns a row, or a pair of rows, into a record with typed columns."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from typing import Any

import pyarrow

from selfsown.errors import suggest
from selfsown.records import JsonObject, Row, SelfsownError
from selfsown.text.chat import INSTRUCTION_ROLES, Message, answer_message, prompt_messages, tool_definitions

Record = JsonObject
STRING = pyarrow.string()
INT = pyarrow.int64()
FLOAT = pyarrow.float64()
STRINGS = pyarrow.list_(STRING)
MESSAGES = pyarrow.list_(pyarrow.struct([("role", STRING), ("content", STRING)]))
TOOL_FUNCTION = pyarrow.struct([("name", STRING), ("arguments", STRING)])
TOOL_CALLS = pyarrow.list_(pyarrow.struct([("id", STRING), ("type", STRING), ("function", TOOL_FUNCTION)]))
REASONING_FIELDS = (("reasoning_content", STRING),)  # fields of a message, where they are needed
TOOL_FIELDS = (("name", STRING), ("tool_calls", TOOL_CALLS), ("tool_call_id", STRING))
SHAREGPT_TURNS = pyarrow.list_(pyarrow.struct([("from", STRING), ("value", STRING)]))


@dataclass(frozen=True)
class FormatOptions:
    """reasoning: each message has the model's reasoning. separator: between prompt and answer in the format text.
    tools: some row has tools, tool calls or names, so that messages have fields and records a column for them."""

    reasoning: bool = False
    separator: str = "\n"
    tools: bool = False


@dataclass(frozen=True)
class Format:
    """A dataset format.

    record: makes a record with these columns from a row or, with `pairs`, from the better and the worse row.
    needs_prompt: rows must have a prompt. chat: the format holds system messages, turns and tools.
    """

    name: str
    record: Callable[..., Record]
    columns: Mapping[str, pyarrow.DataType]
    needs_prompt: bool = True
    chat: bool = False
    pairs: bool = False

    @property
    def has_reasoning(self) -> bool:
        """Whether the format can hold reasoning."""
        return MESSAGES in self.columns.values()

    def schema(self, options: FormatOptions) -> pyarrow.Schema:
        messages = pyarrow.list_(pyarrow.struct([*MESSAGES.value_type, *_extra_fields(options)]))
        columns = {name: messages if kind == MESSAGES else kind for name, kind in self.columns.items()}
        if options.tools and self.name != "rows":
            columns["tools"] = STRING
        return pyarrow.schema(columns)

    def omissions(self, row: Row, options: FormatOptions) -> list[str]:
        """The keys of OMISSIONS for what the row has and its record lacks."""
        if self.name == "rows":
            return []
        messages = prompt_messages(row.prompt, row.metadata)
        turns = [message for message in messages if message["role"] not in INSTRUCTION_ROLES]
        answer = answer_message(row.answer, row.metadata)
        reasoning = row.metadata.get("reasoning") or any(message.get("reasoning_content") for message in messages)
        omitted = {
            "reasoning": reasoning and not (options.reasoning and self.has_reasoning),
            "system": len(turns) < len(messages) and not self.chat,
            "turns": len(turns) > 1 and not self.chat,
            "tools": not self.chat
            and (tool_definitions(row.metadata) or any(message.get("tool_calls") for message in [*turns, answer])),
            "order": self.name == "sharegpt" and not _alternates(sharegpt(row, options)["conversations"]),
        }
        return [name for name, is_omitted in omitted.items() if is_omitted]


def prompt_completion(row: Row, options: FormatOptions) -> Record:
    return {"prompt": row.prompt, "completion": row.answer}


def conversational(row: Row, options: FormatOptions) -> Record:
    return {
        "messages": [*_prompt_messages(row, options), *_answer_messages(row, options)],
        **_tools_column(row, options),
    }


def conversational_prompt_completion(row: Row, options: FormatOptions) -> Record:
    return {
        "prompt": _prompt_messages(row, options),
        "completion": _answer_messages(row, options),
        **_tools_column(row, options),
    }


def preference(chosen: Row, rejected: Row, options: FormatOptions) -> Record:
    return {
        "prompt": chosen.prompt,
        "chosen": chosen.answer,
        "rejected": rejected.answer,
        **_pair_scores(chosen, rejected),
    }


def conversational_preference(chosen: Row, rejected: Row, options: FormatOptions) -> Record:
    return {
        "prompt": _prompt_messages(chosen, options),
        "chosen": _answer_messages(chosen, options),
        "rejected": _answer_messages(rejected, options),
        **_pair_scores(chosen, rejected),
        **_tools_column(chosen, options),
    }


def sharegpt(row: Row, options: FormatOptions) -> Record:
    messages = [*prompt_messages(row.prompt, row.metadata), answer_message(row.answer, row.metadata)]
    return {
        "conversations": [turn for message in messages for turn in _sharegpt_turns(message)],
        **_tools_column(row, options),
    }


def alpaca(row: Row, options: FormatOptions) -> Record:
    return {"instruction": row.prompt, "input": "", "output": row.answer}


def text(row: Row, options: FormatOptions) -> Record:
    return {"text": f"{row.prompt}{options.separator}{row.answer}" if row.prompt else row.answer}


def rows(row: Row, options: FormatOptions) -> Record:
    columns: Record = {name: getattr(row, name) for name in ROW_COLUMNS if name not in ("metadata", "grades")}
    grades = [{name: value for name, value in vars(grade).items() if name != "failed"} for grade in row.grades]
    return {**columns, "metadata": _json(dict(row.metadata)), "grades": _json(grades)}


ROW_COLUMNS = dict.fromkeys(("id", "prompt", "answer", "problem", "target", "origin", "source", "method"), STRING)
ROW_COLUMNS |= {"parents": STRINGS, "generation": INT, "sample_index": INT, "level": INT}
ROW_COLUMNS |= {"score": FLOAT, "metadata": STRING, "grades": STRING}
SCORE_COLUMNS = {"score_chosen": FLOAT, "score_rejected": FLOAT}
SHAREGPT_ROLES = {"user": "human", "assistant": "gpt", "tool": "observation", "developer": "system"}
OMISSIONS = {
    "system": "{:,} rows have a system message, which this format omits.",
    "reasoning": "{:,} rows have reasoning, which this dataset omits.",
    "turns": "{:,} rows are conversations of several turns, which are one text here, with one line per turn.",
    "tools": "{:,} rows have tools: their definitions are omitted, and tool calls are text.",
    "order": "In {:,} rows the turns of the user (`human`, `observation`) and of the model (`gpt`, `function_call`) do "
    "not alternate, starting with the user. They are exported unchanged; LLaMA-Factory skips such rows.",
}
PAIR_COLUMNS = ("prompt", "chosen", "rejected")

FORMATS = (
    Format("prompt-completion", prompt_completion, {"prompt": STRING, "completion": STRING}),
    Format("conversational", conversational, {"messages": MESSAGES}, chat=True),
    Format(
        "conversational-prompt-completion",
        conversational_prompt_completion,
        {"prompt": MESSAGES, "completion": MESSAGES},
        chat=True,
    ),
    Format("preference", preference, dict.fromkeys(PAIR_COLUMNS, STRING) | SCORE_COLUMNS, pairs=True),
    Format(
        "conversational-preference",
        conversational_preference,
        dict.fromkeys(PAIR_COLUMNS, MESSAGES) | SCORE_COLUMNS,
        chat=True,
        pairs=True,
    ),
    Format("sharegpt", sharegpt, {"conversations": SHAREGPT_TURNS}, chat=True),
    Format("alpaca", alpaca, dict.fromkeys(("instruction", "input", "output"), STRING)),
    Format("text", text, {"text": STRING}, needs_prompt=False),
    Format("rows", rows, ROW_COLUMNS, needs_prompt=False, chat=True),
)


def get_format(name: str) -> Format:
    by_name = {known.name: known for known in FORMATS}
    if name not in by_name:
        raise SelfsownError(f"unknown format {name!r}{suggest(name, by_name)}")
    return by_name[name]


def default_format(prompted: Set[bool], chat: bool) -> Format:
    """The simplest format for rows of these kinds.

    prompted: whether the rows have a prompt; both where some do. chat: some row has a system message, turns or tools.
    """
    if True not in prompted:
        return get_format("text")
    if False in prompted:
        return get_format("rows")
    return get_format("conversational-prompt-completion" if chat else "prompt-completion")


def _prompt_messages(row: Row, options: FormatOptions) -> list[Message]:
    return [_message(message, options) for message in prompt_messages(row.prompt, row.metadata)]


def _answer_messages(row: Row, options: FormatOptions) -> list[Message]:
    message = answer_message(row.answer, row.metadata)
    return [_message({**message, "reasoning_content": row.metadata.get("reasoning")}, options)]


def _extra_fields(options: FormatOptions) -> list[tuple[str, pyarrow.DataType]]:
    """The optional fields of a message."""
    fields: list[tuple[str, pyarrow.DataType]] = []
    if options.reasoning:
        fields += REASONING_FIELDS
    if options.tools:
        fields += TOOL_FIELDS
    return fields


def _message(message: Message, options: FormatOptions) -> Message:
    """Every message has the same fields, whatever its role."""
    names = ["role", "content", *(name for name, _ in _extra_fields(options))]
    return {name: message.get(name) for name in names}


def _tools_column(row: Row, options: FormatOptions) -> Record:
    return {"tools": tool_definitions(row.metadata) or None} if options.tools else {}


def _sharegpt_turns(message: Message) -> list[Record]:
    """The ShareGPT turns of a message: its tool calls are a turn of their own, after its text."""
    calls = [call["function"] for call in message.get("tool_calls") or ()]
    text_turn = {"from": SHAREGPT_ROLES.get(message["role"], message["role"]), "value": message["content"]}
    if not calls:
        return [text_turn]
    functions = [{"name": call["name"], "arguments": _parsed_json(call["arguments"])} for call in calls]
    call_turn = {"from": "function_call", "value": _json(functions if len(functions) > 1 else functions[0])}
    return [text_turn, call_turn] if message["content"] else [call_turn]


def _alternates(turns: list[Record]) -> bool:
    """Whether turns of the user and of the model alternate, starting with the user, after at most one system turn."""
    roles = [turn["from"] for turn in turns]
    roles = roles[1:] if roles[0] == "system" else roles
    sides = (("human", "observation"), ("gpt", "function_call"))
    return len(roles) % 2 == 0 and all(role in sides[index % 2] for index, role in enumerate(roles))


def _parsed_json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _pair_scores(chosen: Row, rejected: Row) -> Record:
    return {"score_chosen": chosen.score, "score_rejected": rejected.score}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
