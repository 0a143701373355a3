"""What trainers eat: each format turns a row, or a pair of rows, into a record with columns of known types."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import pyarrow

from selfsown.records import Row, SelfsownError
from selfsown.text.chat import INSTRUCTION_ROLES, Message, answer_message, prompt_messages, tool_definitions

Record = dict[str, Any]
TEXT, WHOLE, NUMBER, TEXTS = pyarrow.string(), pyarrow.int64(), pyarrow.float64(), pyarrow.list_(pyarrow.string())
TALK = pyarrow.list_(pyarrow.struct([("role", TEXT), ("content", TEXT)]))
FUNCTION = pyarrow.struct([("name", TEXT), ("arguments", TEXT)])
CALLS = pyarrow.list_(pyarrow.struct([("id", TEXT), ("type", TEXT), ("function", FUNCTION)]))
THOUGHT = (("reasoning_content", TEXT),)  # fields of a message, where there is something to put into them
CALLING = (("name", TEXT), ("tool_calls", CALLS), ("tool_call_id", TEXT))
TURNS = pyarrow.list_(pyarrow.struct([("from", TEXT), ("value", TEXT)]))


@dataclass(frozen=True)
class Wishes:
    """reasoning: what the model thought goes with its message. joint: what stands between prompt and answer. tools:
    some row has tools, calls or names, so that messages have fields for them and records the column `tools`."""

    reasoning: bool = False
    joint: str = "\n"
    tools: bool = False


@dataclass(frozen=True)
class Format:
    """record: from a row (or, with `pairs`, the better and the worse one) to a record with these columns.

    asks: rows must have a prompt. chat: system messages, turns and tools have a place.
    """

    name: str
    record: Callable[..., Record]
    columns: Mapping[str, pyarrow.DataType]
    asks: bool = True
    chat: bool = False
    pairs: bool = False

    @property
    def thinks(self) -> bool:
        """Whether there is a place for reasoning."""
        return TALK in self.columns.values()

    def schema(self, wishes: Wishes) -> pyarrow.Schema:
        fields = [*TALK.value_type, *THOUGHT * wishes.reasoning, *CALLING * wishes.tools]
        talk = pyarrow.list_(pyarrow.struct(fields))
        columns = {name: talk if kind == TALK else kind for name, kind in self.columns.items()}
        return pyarrow.schema(columns | ({"tools": TEXT} if wishes.tools and self.name != "rows" else {}))

    def left_out(self, row: Row, wishes: Wishes) -> list[str]:
        """The names, of LEFT_OUT, of what the row holds and its record does not."""
        if self.name == "rows":
            return []
        messages = prompt_messages(row.prompt, row.metadata)
        turns = [each for each in messages if each["role"] not in INSTRUCTION_ROLES]
        answer = answer_message(row.answer, row.metadata)
        thoughts = row.metadata.get("reasoning") or any(each.get("reasoning_content") for each in messages)
        found = {
            "reasoning": thoughts and not (wishes.reasoning and self.thinks),
            "system": len(turns) < len(messages) and not self.chat,
            "turns": len(turns) > 1 and not self.chat,
            "tools": not self.chat
            and (tool_definitions(row.metadata) or any(each.get("tool_calls") for each in [*turns, answer])),
            "order": self.name == "sharegpt" and not _alternates(sharegpt(row, wishes)["conversations"]),
        }
        return [name for name, true in found.items() if true]


def prompt_completion(row: Row, wishes: Wishes) -> Record:
    return {"prompt": row.prompt, "completion": row.answer}


def conversational(row: Row, wishes: Wishes) -> Record:
    return {"messages": [*_asked(row, wishes), *_answered(row, wishes)], **_tools(row, wishes)}


def conversational_prompt_completion(row: Row, wishes: Wishes) -> Record:
    return {"prompt": _asked(row, wishes), "completion": _answered(row, wishes), **_tools(row, wishes)}


def preference(chosen: Row, rejected: Row, wishes: Wishes) -> Record:
    return {"prompt": chosen.prompt, "chosen": chosen.answer, "rejected": rejected.answer, **_scores(chosen, rejected)}


def conversational_preference(chosen: Row, rejected: Row, wishes: Wishes) -> Record:
    talk = {"prompt": _asked(chosen, wishes), "chosen": _answered(chosen, wishes)}
    scores = _scores(chosen, rejected)
    return {**talk, "rejected": _answered(rejected, wishes), **scores, **_tools(chosen, wishes)}


def sharegpt(row: Row, wishes: Wishes) -> Record:
    messages = [*prompt_messages(row.prompt, row.metadata), answer_message(row.answer, row.metadata)]
    return {"conversations": [turn for each in messages for turn in _turns(each)], **_tools(row, wishes)}


def alpaca(row: Row, wishes: Wishes) -> Record:
    return {"instruction": row.prompt, "input": "", "output": row.answer}


def text(row: Row, wishes: Wishes) -> Record:
    return {"text": f"{row.prompt}{wishes.joint}{row.answer}" if row.prompt else row.answer}


def rows(row: Row, wishes: Wishes) -> Record:
    found: Record = {name: getattr(row, name) for name in ROWS if name not in ("metadata", "grades")}
    grades = [{name: value for name, value in vars(grade).items() if name != "failed"} for grade in row.grades]
    return {**found, "metadata": _json(dict(row.metadata)), "grades": _json(grades)}


ROWS = dict.fromkeys(("id", "prompt", "answer", "problem", "target", "origin", "source", "method"), TEXT)
ROWS |= {"parents": TEXTS, "generation": WHOLE, "sample_index": WHOLE, "level": WHOLE}
ROWS |= {"score": NUMBER, "metadata": TEXT, "grades": TEXT}
SCORES = {"score_chosen": NUMBER, "score_rejected": NUMBER}
SHAREGPT = {"user": "human", "assistant": "gpt", "tool": "observation", "developer": "system"}
LEFT_OUT = {
    "system": "{:,} rows have a text `system`, which is left out here.",
    "reasoning": "{:,} rows have a text `reasoning`, which is left out here.",
    "turns": "{:,} rows are conversations of several turns, which are one text here, a line a turn.",
    "tools": "{:,} rows have tools: their definitions are left out here, and calls are text.",
    "order": "In {:,} rows turns of the user (`human`, `observation`) and of the model (`gpt`, `function_call`) do not "
    "take turns, the user first. They stand as they were; LLaMA-Factory leaves such rows out.",
}
PAIR = ("prompt", "chosen", "rejected")

FORMATS = (
    Format("prompt-completion", prompt_completion, {"prompt": TEXT, "completion": TEXT}),
    Format("conversational", conversational, {"messages": TALK}, chat=True),
    Format(
        "conversational-prompt-completion",
        conversational_prompt_completion,
        {"prompt": TALK, "completion": TALK},
        chat=True,
    ),
    Format("preference", preference, dict.fromkeys(PAIR, TEXT) | SCORES, pairs=True),
    Format(
        "conversational-preference",
        conversational_preference,
        dict.fromkeys(PAIR, TALK) | SCORES,
        chat=True,
        pairs=True,
    ),
    Format("sharegpt", sharegpt, {"conversations": TURNS}, chat=True),
    Format("alpaca", alpaca, dict.fromkeys(("instruction", "input", "output"), TEXT)),
    Format("text", text, {"text": TEXT}, asks=False),
    Format("rows", rows, ROWS, asks=False, chat=True),
)


def named(name: str) -> Format:
    there = {each.name: each for each in FORMATS}
    if name not in there:
        close = get_close_matches(name, there, 1)
        hint = f"; did you mean {close[0]!r}?" if close else ";"
        raise SelfsownError(f"there is no format {name!r}{hint} there is: {', '.join(there)}")
    return there[name]


def fitting(row: Row, chat: bool) -> Format:
    """The plainest format for rows like this one. chat: some row has a system message, earlier turns or tools."""
    return named(
        "conversational-prompt-completion" if chat and row.prompt else "prompt-completion" if row.prompt else "text"
    )


def _asked(row: Row, wishes: Wishes) -> list[Message]:
    return [_message(each, wishes) for each in prompt_messages(row.prompt, row.metadata)]


def _answered(row: Row, wishes: Wishes) -> list[Message]:
    message = answer_message(row.answer, row.metadata)
    return [_message({**message, "reasoning_content": row.metadata.get("reasoning")}, wishes)]


def _message(message: Message, wishes: Wishes) -> Message:
    """Every message has the same fields, whoever speaks."""
    names = ["role", "content", *dict(THOUGHT * wishes.reasoning), *dict(CALLING * wishes.tools)]
    return {name: message.get(name) for name in names}


def _tools(row: Row, wishes: Wishes) -> Record:
    return {"tools": tool_definitions(row.metadata) or None} if wishes.tools else {}


def _turns(message: Message) -> list[Record]:
    """The turns that ShareGPT makes of a message: its calls are one of their own, behind its words."""
    calls = [call["function"] for call in message.get("tool_calls") or ()]
    words = [{"from": SHAREGPT.get(message["role"], message["role"]), "value": message["content"]}]
    if not calls:
        return words
    found = [{"name": each["name"], "arguments": _parsed(each["arguments"])} for each in calls]
    return [
        *words * bool(message["content"]),
        {"from": "function_call", "value": _json(found if calls[1:] else found[0])},
    ]


def _alternates(turns: list[Record]) -> bool:
    """Whether the user's turns and the model's take turns, the user first, after at most one system turn."""
    roles = [turn["from"] for turn in turns]
    roles = roles[1:] if roles[0] == "system" else roles
    sides = (("human", "observation"), ("gpt", "function_call"))
    return len(roles) % 2 == 0 and all(role in sides[at % 2] for at, role in enumerate(roles))


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _scores(chosen: Row, rejected: Row) -> Record:
    return {"score_chosen": chosen.score, "score_rejected": rejected.score}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
