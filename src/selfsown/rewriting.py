"""Apply one change to every text of a real row: prompt, answer, target, and the turns of a chat."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from selfsown.records import Row
from selfsown.text.chat import answer_message, message_text, messages_text, prompt_messages

TEXTS = ("system", "reasoning", "rejected")  # metadata that is text, like prompt and answer
MESSAGES = ("messages", "completion")  # metadata that is messages as JSON, from which prompt and answer are made
WORDS = ("content", "text")  # keys of a message whose values are text
MARKS = ("role", "type")  # keys of a message that say how it is read
Change = Callable[[str], str]


def texts(row: Row) -> Iterator[tuple[str, str]]:
    """(part, text) of the row, prompt and answer first."""
    yield "prompt", row.prompt
    yield "answer", row.answer
    yield from row.metadata.items()


def rewritten(row: Row, change: Change, *, everywhere: bool = False) -> Row:
    """The row with each of its texts changed; the row itself where that changes nothing.

    A chat is changed message by message, so that prompt and answer still agree with their messages. everywhere: all
    other metadata is changed, too.
    """
    metadata = {name: _changed_metadata(name, text, change, everywhere) for name, text in row.metadata.items()}
    prompt, answer = change(row.prompt), change(row.answer)
    turns = prompt_messages(row.prompt, {**row.metadata, "system": ""})
    if turns and turns != [{"role": "user", "content": row.prompt}]:
        prompt = messages_text(json.loads(metadata["messages"]))
    if answer_message(row.answer, row.metadata) != {"role": "assistant", "content": row.answer}:
        answer = message_text(json.loads(metadata["completion"])[0])
    target = answer if row.target == row.answer else change(row.target)
    fields = {
        "prompt": prompt,
        "answer": answer,
        "problem": change(row.problem),
        "target": target,
        "metadata": metadata,
    }
    return row if all(getattr(row, name) == value for name, value in fields.items()) else row.replace_fields(**fields)


def _changed_metadata(name: str, text: str, change: Change, everywhere: bool) -> str:
    if name in MESSAGES:
        try:
            before = json.loads(text)
        except (ValueError, RecursionError):
            before = None
        if isinstance(before, list):
            after = _changed_json(before, change, everywhere)
            return text if after == before else json.dumps(after, ensure_ascii=False)
    return change(text) if everywhere or name in TEXTS else text


def _changed_json(value: Any, change: Change, everywhere: bool, key: str = "") -> Any:
    """A JSON value with the texts in it changed."""
    if isinstance(value, dict):
        return {name: _changed_json(item, change, everywhere, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_changed_json(item, change, everywhere, key) for item in value]
    if isinstance(value, str) and (key in WORDS or (everywhere and key not in MARKS)):
        return change(value)
    return value
