"""The columns that make a row: named by the recipe, or found by their usual names."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence

from selfsown.errors import DataError
from selfsown.files.bad_records import column_list
from selfsown.files.chat_records import chat_columns, instruction_context, preference_chat, turns_chat
from selfsown.files.column_mapping import Columns, Record, is_missing

HEAD_RECORDS = 100  # whose keys are the available columns
PAIRS = (
    ("prompt", "answer"),
    ("prompt", "completion"),
    ("prompt", "chosen"),  # of preference data, the better answer
    ("question", "answer"),
    ("instruction", "output"),
)
PROMPTS = ("prompt", "question", "instruction", "query", "problem", "input")
ANSWERS = ("answer", "completion", "chosen", "response", "output", "solution")
PROMPT_CONTINUATIONS = {"instruction": ("input", "context")}  # columns that continue the prompt
_UNQUOTED = re.compile(r"[\w./-]*[A-Za-z][\w./-]*")


def detect_columns(
    source: str, head: Sequence[Record], named: Sequence[str], attributes: Iterable[str], how: str = "file"
) -> Columns:
    """How to read records like those of the head, the first ones of the source.

    named: the recipe's columns text, prompt and answer, "" where it names none; a prompt alone is one without answers.
    how: the task that reads this source in a recipe, or "" for command options; it is used in the error's remedy.
    DataError: a named column is not there, or no usual column is.
    """
    text, prompt, answer = named
    available = dict[str, object]()  # each column with a value that is not missing, if there is one
    for name, value in (item for record in head for item in record.items()):
        if is_missing(available.get(name)):
            available[name] = value
    attributes = tuple(attributes)
    if absent := [name for name in (*named, *attributes) if name and name not in available]:
        raise DataError(f"{source} has no column {absent[0]!r}; available: {column_list(available)}")
    if answer and not prompt:
        raise DataError(
            f"{source}: answer is {answer!r}, but no prompt is named; name both, a prompt alone for rows without "
            f"answers, or text: {answer} for documents"
        )
    if prompt:
        return Columns(source, prompt, answer, attributes)
    if text:
        return Columns(source, "", text, attributes)
    if columns := _usual(source, head, available, attributes):
        return columns
    raise DataError(
        f"{source} has no column 'text', 'prompt' or another usual name; "
        f"available: {column_list(available)}; name yours: {_remedy(source, head, how)}"
    )


def _usual(
    source: str, head: Sequence[Record], available: Mapping[str, object], attributes: tuple[str, ...]
) -> Columns | None:
    if chat := preference_chat(available):
        return Columns(source, "", "", attributes, chat=chat)
    for prompt, answer in PAIRS:
        if prompt in available and answer in available:
            return _pair(source, head, available, (prompt, answer), attributes)
    if chat := turns_chat(available):
        return Columns(source, "", "", attributes, chat=chat)
    if "text" in available:
        return Columns(source, "", "text", attributes)
    prompt = next((name for name in PROMPTS if name in available), "")
    answer = next((name for name in ANSWERS if name in available), "")
    return _pair(source, head, available, (prompt, answer), attributes) if prompt else None


def _pair(
    source: str,
    head: Sequence[Record],
    available: Mapping[str, object],
    pair: tuple[str, str],
    attributes: tuple[str, ...],
) -> Columns:
    """Prompt and answer ("" for none); a prompt that is a list of turns is a chat that the answer continues."""
    prompt, answer = pair
    if isinstance(available[prompt], list):
        return Columns(source, "", "", attributes, chat=chat_columns(available, prompt, answer))
    if answer and all(record.get(prompt) == "" for record in head):  # documents, as exports write them
        return Columns(source, "", answer, attributes)
    more = next((name for name in PROMPT_CONTINUATIONS.get(prompt, ()) if name in available and name != answer), "")
    context = instruction_context(available) if prompt == "instruction" else None
    return Columns(source, prompt, answer, attributes, more, context=context, known=ANSWERS)


def _remedy(source: str, head: Sequence[Record], how: str) -> str:
    """The options to write, with the columns that hold most text."""
    sizes: dict[str, int] = {}
    for record in head:
        for name, value in record.items():
            sizes[name] = sizes.get(name, 0) + (len(value) if isinstance(value, str) else 0)
    longest = sorted(sorted(sizes, key=lambda name: -sizes[name])[:2], key=list(sizes).index)
    named = dict(zip(("prompt", "answer"), longest, strict=False))
    if not how:
        return " ".join(f"--{option} {shlex.quote(name)}" for option, name in named.items())
    options = ", ".join(f"{key}: {_yaml(value)}" for key, value in {"path": source, **named}.items())
    return f"--set {shlex.quote(f'real={{{how}: {{{options}}}}}')}"


def _yaml(name: str) -> str:
    """The name as a value in a line of YAML, quoted where needed."""
    return name if _UNQUOTED.fullmatch(name) else json.dumps(name, ensure_ascii=False)
