"""What trainers eat: each format turns a row, or a pair of rows, into a record with columns of known types."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import pyarrow

from selfsown.records import Row, SelfsownError
from selfsown.text.talk import Turn, turns_of

Record = dict[str, Any]
Message = dict[str, str | None]
TEXT, WHOLE, NUMBER, TEXTS = pyarrow.string(), pyarrow.int64(), pyarrow.float64(), pyarrow.list_(pyarrow.string())
TALK = pyarrow.list_(pyarrow.struct([("role", TEXT), ("content", TEXT)]))
THOUGHT = pyarrow.list_(pyarrow.struct([("role", TEXT), ("content", TEXT), ("reasoning_content", TEXT)]))
TURNS = pyarrow.list_(pyarrow.struct([("from", TEXT), ("value", TEXT)]))


@dataclass(frozen=True)
class Wishes:
    """reasoning: what the model thought goes with its message. joint: what stands between prompt and answer."""

    reasoning: bool = False
    joint: str = "\n"


@dataclass(frozen=True)
class Format:
    """record: from a row (or, with `pairs`, the better and the worse one) to a record with these columns.

    asks: rows must have a prompt. system: what a model is told first has a place.
    """

    name: str
    record: Callable[..., Record]
    columns: Mapping[str, pyarrow.DataType]
    asks: bool = True
    system: bool = False
    pairs: bool = False

    @property
    def thinks(self) -> bool:
        """Whether there is a place for reasoning."""
        return TALK in self.columns.values()

    def schema(self, wishes: Wishes) -> pyarrow.Schema:
        thought = wishes.reasoning and self.thinks
        return pyarrow.schema(
            [(name, THOUGHT if thought and kind == TALK else kind) for name, kind in self.columns.items()]
        )


def prompt_completion(row: Row, wishes: Wishes) -> Record:
    return {"prompt": row.prompt, "completion": row.answer}


def conversational(row: Row, wishes: Wishes) -> Record:
    return {"messages": [*_asked(row, wishes), *_answered(row, wishes)]}


def conversational_prompt_completion(row: Row, wishes: Wishes) -> Record:
    return {"prompt": _asked(row, wishes), "completion": _answered(row, wishes)}


def preference(chosen: Row, rejected: Row, wishes: Wishes) -> Record:
    return {"prompt": chosen.prompt, "chosen": chosen.answer, "rejected": rejected.answer, **_scores(chosen, rejected)}


def conversational_preference(chosen: Row, rejected: Row, wishes: Wishes) -> Record:
    talk = {"prompt": _asked(chosen, wishes), "chosen": _answered(chosen, wishes)}
    return {**talk, "rejected": _answered(rejected, wishes), **_scores(chosen, rejected)}


def sharegpt(row: Row, wishes: Wishes) -> Record:
    said = [*_told(row), *turns_of(row.prompt, row.traits), ("assistant", row.answer)]
    return {"conversations": [{"from": SHAREGPT.get(who, who), "value": text} for who, text in said]}


def alpaca(row: Row, wishes: Wishes) -> Record:
    return {"instruction": row.prompt, "input": "", "output": row.answer}


def text(row: Row, wishes: Wishes) -> Record:
    return {"text": f"{row.prompt}{wishes.joint}{row.answer}" if row.prompt else row.answer}


def rows(row: Row, wishes: Wishes) -> Record:
    found: Record = {name: getattr(row, name) for name in ROWS if name not in ("traits", "grades")}
    grades = [{name: value for name, value in vars(grade).items() if name != "failed"} for grade in row.grades]
    return {**found, "traits": _json(dict(row.traits)), "grades": _json(grades)}


ROWS = dict.fromkeys(("id", "prompt", "answer", "problem", "target", "origin", "maker", "method"), TEXT)
ROWS |= {"parents": TEXTS, "generation": WHOLE, "draw": WHOLE, "level": WHOLE}
ROWS |= {"score": NUMBER, "traits": TEXT, "grades": TEXT}
SCORES = {"score_chosen": NUMBER, "score_rejected": NUMBER}
SHAREGPT = {"user": "human", "assistant": "gpt"}
PAIR = ("prompt", "chosen", "rejected")

FORMATS = (
    Format("prompt-completion", prompt_completion, {"prompt": TEXT, "completion": TEXT}),
    Format("conversational", conversational, {"messages": TALK}, system=True),
    Format(
        "conversational-prompt-completion",
        conversational_prompt_completion,
        {"prompt": TALK, "completion": TALK},
        system=True,
    ),
    Format("preference", preference, dict.fromkeys(PAIR, TEXT) | SCORES, pairs=True),
    Format(
        "conversational-preference",
        conversational_preference,
        dict.fromkeys(PAIR, TALK) | SCORES,
        system=True,
        pairs=True,
    ),
    Format("sharegpt", sharegpt, {"conversations": TURNS}, system=True),
    Format("alpaca", alpaca, dict.fromkeys(("instruction", "input", "output"), TEXT)),
    Format("text", text, {"text": TEXT}, asks=False),
    Format("rows", rows, ROWS, asks=False, system=True),
)


def named(name: str) -> Format:
    there = {each.name: each for each in FORMATS}
    if name not in there:
        close = get_close_matches(name, there, 1)
        hint = f"; did you mean {close[0]!r}?" if close else ";"
        raise SelfsownError(f"there is no format {name!r}{hint} there is: {', '.join(there)}")
    return there[name]


def fitting(row: Row) -> Format:
    """The plainest format for rows like this one."""
    return named("prompt-completion" if row.prompt else "text")


def _asked(row: Row, wishes: Wishes) -> list[Message]:
    return [_message(role, words, wishes) for role, words in [*_told(row), *turns_of(row.prompt, row.traits)]]


def _told(row: Row) -> list[Turn]:
    """What the model was told first, if anything."""
    return [("system", row.traits["system"])] if "system" in row.traits else []


def _answered(row: Row, wishes: Wishes) -> list[Message]:
    return [_message("assistant", row.answer, wishes, row.traits.get("reasoning"))]


def _message(role: str, words: str, wishes: Wishes, thought: str | None = None) -> Message:
    """Every message has the same fields, whoever speaks."""
    said: Message = {"role": role, "content": words}
    return said | {"reasoning_content": thought} if wishes.reasoning else said


def _scores(chosen: Row, rejected: Row) -> Record:
    return {"score_chosen": chosen.score, "score_rejected": rejected.score}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
