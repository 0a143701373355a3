"""Which columns of records make a row: named by the recipe, or found by the names that are usual."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence

from selfsown.files.bad_records import listed
from selfsown.files.chat_records import beside, chat_of, prompted, talk_of
from selfsown.files.column_mapping import Columns, Record, missing
from selfsown.records import SelfsownError

HEAD = 100  # records whose keys say which columns there are
PAIRS = (
    ("prompt", "answer"),
    ("prompt", "completion"),
    ("prompt", "chosen"),  # of preference data the better answer
    ("question", "answer"),
    ("instruction", "output"),
)
PROMPTS = ("prompt", "question", "instruction", "query", "problem", "input")
ANSWERS = ("answer", "completion", "chosen", "response", "output", "solution")
MORE = {"instruction": ("input", "context")}  # what else may belong to what is asked
_PLAIN = re.compile(r"[\w./-]*[A-Za-z][\w./-]*")


def columns_of(
    source: str, head: Sequence[Record], named: Sequence[str], attributes: Iterable[str], how: str = "file"
) -> Columns:
    """How to read records such as those of the head, which are the first ones of the source.

    named: the recipe's columns text, prompt and answer, "" where it says nothing; a prompt alone is one that nobody
    has answered. how: the task by which a recipe reads such a source, or "" for a command's options: the error that
    no columns are found shows how to name them. SelfsownError where the named columns are not there.
    """
    text, prompt, answer = named
    there = dict[str, object]()
    for name, value in (each for record in head for each in record.items()):
        if missing(there.get(name)):
            there[name] = value
    attributes = tuple(attributes)
    if absent := [name for name in (*named, *attributes) if name and name not in there]:
        raise SelfsownError(f"{source} has no column {absent[0]!r}; there is: {listed(there)}")
    if answer and not prompt:
        raise SelfsownError(
            f"{source}: answer is {answer!r} and no prompt is named; name both, a prompt without answers alone, or "
            f"text: {answer} for documents without prompts"
        )
    if prompt:
        return Columns(source, prompt, answer, attributes)
    if text:
        return Columns(source, "", text, attributes)
    if found := _usual(source, head, there, attributes):
        return found
    raise SelfsownError(
        f"{source} has no column 'text', nor 'prompt' or others of the usual names; "
        f"there is: {listed(there)}; name yours: {_paste(source, head, how)}"
    )


def _usual(
    source: str, head: Sequence[Record], there: Mapping[str, object], attributes: tuple[str, ...]
) -> Columns | None:
    if chat := prompted(there):
        return Columns(source, "", "", attributes, chat=chat)
    for prompt, answer in PAIRS:
        if prompt in there and answer in there:
            return _pair(source, head, there, (prompt, answer), attributes)
    if chat := talk_of(there):
        return Columns(source, "", "", attributes, chat=chat)
    if "text" in there:
        return Columns(source, "", "text", attributes)
    prompt = next((name for name in PROMPTS if name in there), "")
    answer = next((name for name in ANSWERS if name in there), "")
    return _pair(source, head, there, (prompt, answer), attributes) if prompt else None


def _pair(
    source: str,
    head: Sequence[Record],
    there: Mapping[str, object],
    pair: tuple[str, str],
    attributes: tuple[str, ...],
) -> Columns:
    """Prompt and answer (or none); a prompt that is a list of turns begins a chat, which the answer goes on with."""
    prompt, answer = pair
    if isinstance(there[prompt], list):
        return Columns(source, "", "", attributes, chat=chat_of(there, prompt, answer))
    if answer and all(record.get(prompt) == "" for record in head):  # documents, as rows of ours are written
        return Columns(source, "", answer, attributes)
    more = next((name for name in MORE.get(prompt, ()) if name in there and name != answer), "")
    before = beside(there) if prompt == "instruction" else None
    return Columns(source, prompt, answer, attributes, more, beside=before, known=ANSWERS)


def _paste(source: str, head: Sequence[Record], how: str) -> str:
    """What to write, with the columns in which most text stands."""
    sizes: dict[str, int] = {}
    for record in head:
        for name, value in record.items():
            sizes[name] = sizes.get(name, 0) + len(value) if isinstance(value, str) else sizes.get(name, 0)
    longest = sorted(sorted(sizes, key=lambda name: -sizes[name])[:2], key=list(sizes).index)
    found = dict(zip(("prompt", "answer"), longest, strict=False))
    if not how:
        return " ".join(f"--{option} {shlex.quote(name)}" for option, name in found.items())
    knobs = ", ".join(f"{key}: {_yaml(value)}" for key, value in {"path": source, **found}.items())
    return f"--set {shlex.quote(f'real={{{how}: {{{knobs}}}}}')}"


def _yaml(name: str) -> str:
    """The name as a value in a line of YAML, in quotes where it needs them."""
    return name if _PLAIN.fullmatch(name) else json.dumps(name, ensure_ascii=False)
