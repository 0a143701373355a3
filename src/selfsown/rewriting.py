"""One change made to all that a real row says: prompt, answer, what is known of them, and the turns of a chat."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from selfsown.records import Row
from selfsown.text.chat import answer_message, message_text, messages_text, prompt_messages

TEXTS = ("system", "reasoning", "rejected")  # traits that are text as the prompt and the answer are
MESSAGES = ("messages", "completion")  # traits that are messages as JSON, of which the prompt and the answer are made
WORDS = ("content", "text")  # keys of a message whose values are
MARKS = ("role", "type")  # keys of a message whose values say how it is to be read
Change = Callable[[str], str]


def texts(row: Row) -> Iterator[tuple[str, str]]:
    """Each text of the row, prompt and answer first, with the name of its part."""
    yield "prompt", row.prompt
    yield "answer", row.answer
    yield from row.metadata.items()


def rewritten(row: Row, change: Change, *, everywhere: bool = False) -> Row:
    """The row with each of its texts changed; the row itself where that changes nothing.

    A chat is changed message by message, so that prompt and answer still say what their messages do. everywhere: all
    other traits are changed, too.
    """
    traits = {name: _trait(name, text, change, everywhere) for name, text in row.metadata.items()}
    prompt, answer = change(row.prompt), change(row.answer)
    turns = prompt_messages(row.prompt, {**row.metadata, "system": ""})
    if turns and turns != [{"role": "user", "content": row.prompt}]:
        prompt = messages_text(json.loads(traits["messages"]))
    if answer_message(row.answer, row.metadata) != {"role": "assistant", "content": row.answer}:
        answer = message_text(json.loads(traits["completion"])[0])
    target = answer if row.target == row.answer else change(row.target)
    found = {"prompt": prompt, "answer": answer, "problem": change(row.problem), "target": target, "metadata": traits}
    return row if all(getattr(row, name) == value for name, value in found.items()) else row.replace_fields(**found)


def _trait(name: str, text: str, change: Change, everywhere: bool) -> str:
    if name in MESSAGES:
        try:
            before = json.loads(text)
        except (ValueError, RecursionError):
            before = None
        if isinstance(before, list):
            after = _deep(before, change, everywhere)
            return text if after == before else json.dumps(after, ensure_ascii=False)
    return change(text) if everywhere or name in TEXTS else text


def _deep(value: Any, change: Change, everywhere: bool, key: str = "") -> Any:
    """A value as JSON gives it, with the words in it changed."""
    if isinstance(value, dict):
        return {name: _deep(each, change, everywhere, name) for name, each in value.items()}
    if isinstance(value, list):
        return [_deep(each, change, everywhere, key) for each in value]
    if isinstance(value, str) and (key in WORDS or (everywhere and key not in MARKS)):
        return change(value)
    return value
