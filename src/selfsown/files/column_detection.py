"""The columns that make a row: named by the recipe, or found by their usual names."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Literal

from selfsown.errors import DataError
from selfsown.files import atif
from selfsown.files.bad_records import column_list
from selfsown.files.chat_records import (
    SYSTEM_COLUMNS,
    chat_columns,
    instruction_context,
    preference_chat,
    present,
    turns_chat,
)
from selfsown.files.column_mapping import Columns, Record, is_missing
from selfsown.files.usual_names import (
    ANSWERS,
    PAIRS,
    PROMPTS,
    TEXT,
    answer_column,
    is_worded,
    only_text_column,
    prompt_column,
    usual_names,
)
from selfsown.templates import column_names, is_template

HEAD_RECORDS = 100  # whose keys are the available columns
CONTINUATIONS = ("input", "context")  # columns that continue an instruction
ReadAs = Literal["", "prompts", "documents"]  # what a text without a column of prompts is; "": a document
_UNQUOTED = re.compile(r"[\w./-]*[A-Za-z][\w./-]*")


@dataclass(frozen=True)
class NamedColumns:
    """The columns that a recipe names, each by its name or as a template over columns; "" where it names none.

    metadata: columns that rows carry where a record has them; read_as: how a text is read that no name explains.
    """

    text: str = ""
    prompt: str = ""
    answer: str = ""
    system: str = ""
    attributes: tuple[str, ...] = ()
    metadata: tuple[str, ...] = ()
    read_as: ReadAs = ""


def detect_columns(source: str, head: Sequence[Record], named: NamedColumns, how: str = "file") -> Columns:
    """How to read records like those of the head, the first ones of the source.

    how: the task that reads this source in a recipe, or "" for command options; it is used in the error's remedy.
    DataError: a named column is not there, or no usual column is.
    """
    available = available_columns(head)
    _check_names(source, available, named)
    if named.answer and not named.prompt:
        raise DataError(
            f"{source}: answer is {named.answer!r}, but no prompt is named; name both, a prompt alone for rows without "
            f"answers, or text: {named.answer} for documents"
        )
    if named.prompt:
        columns: Columns | None = Columns(source, named.prompt, named.answer)
    elif named.text:
        columns = Columns(source, "", named.text)
    else:
        columns = _usual(source, head, available, named.read_as)
    if not columns:
        raise DataError(
            f"{source} has no column 'text', 'prompt' or another usual name; "
            f"available: {column_list(available)}; name yours: {_remedy(source, head, how, named.read_as)}"
        )
    if named.system and not (columns.prompt or columns.chat or columns.trajectory):
        raise DataError(f"{source}: system is {named.system!r}, but the rows are documents; name a prompt, too")
    metadata = tuple(name for name in named.metadata if name in available and name not in named.attributes)
    return replace(columns, attributes=named.attributes, system=named.system, metadata=metadata)


def available_columns(head: Iterable[Record]) -> dict[str, object]:
    """Each column of the records with a value that is not missing, if there is one."""
    available = dict[str, object]()
    for name, value in (item for record in head for item in record.items()):
        if is_missing(available.get(name)):
            available[name] = value
    return available


def _check_names(source: str, available: Mapping[str, object], named: NamedColumns) -> None:
    """DataError where a column that is named, or that a template uses, is in no record."""
    texts = {"text": named.text, "prompt": named.prompt, "answer": named.answer, "system": named.system}
    required = [(name, "") for text in texts.values() if text and not is_template(text) for name in (text,)]
    required += [(name, "") for name in named.attributes]
    required += [
        (name, f", which the template of {option} uses")
        for option, text in texts.items()
        for name in sorted(column_names(text))
    ]
    for name, where in required:
        if name not in available:
            braces = "; a template has double braces, such as {{ body }}" if "{" in name else ""
            raise DataError(f"{source} has no column {name!r}{where}{braces}{did_you_mean(name, available)}")


def did_you_mean(name: str, available: Iterable[str]) -> str:
    """ "; did you mean 'Body'? available: Subject, Body" """
    by_lower = {column.lower(): column for column in available}
    close = get_close_matches(name.lower(), by_lower, 1)
    guess = f"; did you mean {by_lower[close[0]]!r}?" if close else ";"
    return f"{guess} available: {column_list(dict.fromkeys(available))}"


def _usual(source: str, head: Sequence[Record], available: Mapping[str, object], read_as: ReadAs) -> Columns | None:
    if atif.is_trajectory(available):
        return Columns(source, "", "", trajectory=present(available, atif.COLUMNS), note=atif.NOTE)
    usual = usual_names(available)
    if chat := preference_chat(available):
        return Columns(source, "", "", chat=chat)
    for prompt, answer in PAIRS:
        if prompt in usual and answer in usual:
            return _pair(source, head, available, (usual[prompt], usual[answer]))
    if chat := turns_chat(available):
        return Columns(source, "", "", chat=chat)
    prompt = prompt_column(usual, head)
    if TEXT in usual and not (prompt and read_as == "prompts"):
        return _text(source, usual[TEXT], read_as, answer_column(usual))
    is_usual = any(usual.get(name) == prompt for name in PROMPTS)
    if not is_usual and (only := only_text_column(available, head)):
        return _text(source, only, read_as, "")
    if not prompt:
        return None
    columns = _pair(source, head, available, (prompt, answer_column(usual)))
    return columns if is_usual else replace(columns, note=f"column {prompt!r} as the prompt")


def _text(source: str, column: str, read_as: ReadAs, answer: str) -> Columns:
    """A column of texts that are documents, or prompts where the recipe needs them."""
    kind = "prompt" if read_as == "prompts" else "document"
    columns = Columns(source, column, answer, known=ANSWERS) if kind == "prompt" else Columns(source, "", column)
    return replace(columns, note=f"column {column!r} as the {kind}" if read_as or column != TEXT else "")


def _pair(source: str, head: Sequence[Record], available: Mapping[str, object], pair: tuple[str, str]) -> Columns:
    """Prompt and answer ("" for none); a prompt that is a list of turns is a chat that the answer continues."""
    prompt, answer = pair
    if isinstance(available[prompt], list):
        return Columns(source, "", "", chat=chat_columns(available, prompt, answer))
    if answer and all(record.get(prompt) == "" for record in head):  # documents, as exports write them
        return Columns(source, "", answer)
    usual = usual_names(available)
    is_instruction = usual.get("instruction") == prompt
    more = next((usual[name] for name in CONTINUATIONS if is_instruction and usual.get(name, answer) != answer), "")
    context = instruction_context(available) if is_instruction else present(available, SYSTEM_COLUMNS)
    return Columns(source, prompt, answer, more=more, context=context, known=ANSWERS)


def _remedy(source: str, head: Sequence[Record], how: str, read_as: ReadAs) -> str:
    """The options to write, with the columns that hold most text."""
    sizes: dict[str, int] = {}
    for record in head:
        for name, value in record.items():
            sizes[name] = sizes.get(name, 0) + (len(value) if isinstance(value, str) else 0)
    answer = answer_column(usual_names(sizes)) if read_as == "prompts" else ""
    worded = [name for name in sizes if is_worded(head, name) and name != answer]
    longest = sorted(worded or sizes, key=lambda name: -sizes[name])
    if not how:
        pair = sorted(longest[:2], key=list(sizes).index)
        return " ".join(f"--{key} {shlex.quote(name)}" for key, name in zip(("prompt", "answer"), pair, strict=False))
    if read_as == "prompts":
        several = f"; several make one prompt by a template: {_template(worded)}" if len(worded) > 1 else ""
        return f"{setting(source, how, prompt=longest[0])}{several}"
    pair = sorted(longest[:2], key=list(sizes).index)
    return setting(source, how, **dict(zip(("prompt", "answer"), pair, strict=False)))


def _template(names: Sequence[str]) -> str:
    fields = "\\n\\n".join(f"{{{{ {name} }}}}" if name.isidentifier() else f"{{{{ row['{name}'] }}}}" for name in names)
    return f'prompt: "{fields}"'


def setting(source: str, how: str, **columns: str) -> str:
    """The command option that names these columns of the source."""
    options = ", ".join(f"{key}: {_yaml(value)}" for key, value in {"path": source, **columns}.items())
    return f"--set {shlex.quote(f'real={{{how}: {{{options}}}}}')}"


def _yaml(name: str) -> str:
    """The name as a value in a line of YAML, quoted where needed."""
    return name if _UNQUOTED.fullmatch(name) else json.dumps(name, ensure_ascii=False)
