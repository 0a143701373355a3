"""The names under which columns need not be named: any letter case, spaces, hyphens or underscores, one or several."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from selfsown.files.record_fields import Record

PAIRS = (
    ("prompt", "answer"),
    ("prompt", "completion"),
    ("prompt", "chosen"),  # of preference data, the better answer
    ("question", "answer"),
    ("instruction", "output"),
)
PROMPTS = ("prompt", "question", "instruction", "query", "problem", "input")
# They may also hold a name or a number, so they count only where their cells have several words.
WORDED_PROMPTS = ("user_prompt", "user_message", "user_query", "user_input", "user", "request", "ticket", "task")
ANSWERS = ("answer", "completion", "chosen", "response", "output", "solution", "reply")
TEXT = "text"
MIN_WORDS = 3  # of a text, on average
MAX_NAME_WORDS = 3  # a first line of more words is a record of a file without column names


def usual_names(available: Mapping[str, object]) -> dict[str, str]:
    """The columns by their name in lower case with underscores; also by its singular. An exact name comes first."""
    spellings = dict[str, str]()
    for name in available:
        plain = re.sub(r"[\W_]+", "_", name.strip().lower()).strip("_")
        for singular in (plain, plain.removesuffix("s")):
            if singular not in spellings or name == singular:
                spellings[singular] = name
    return spellings


def prompt_column(usual: Mapping[str, str], head: Sequence[Record]) -> str:
    """The column that holds prompts by its name, "" for none."""
    named = next((usual[name] for name in PROMPTS if name in usual), "")
    return named or next((usual[name] for name in WORDED_PROMPTS if name in usual and is_worded(head, usual[name])), "")


def answer_column(usual: Mapping[str, str]) -> str:
    """The column that holds answers by its name, "" for none."""
    return next((usual[name] for name in ANSWERS if name in usual), "")


def only_text_column(available: Mapping[str, object], head: Sequence[Record]) -> str:
    """The only column of the records, where it holds texts; "" where there are several, or its name is a text."""
    if len(available) != 1:
        return ""
    (name,) = available
    is_name = len(name.split()) <= MAX_NAME_WORDS and not re.search(r"[?!.:;]", name)
    return name if is_name and all(isinstance(record.get(name), str) for record in head) else ""


def is_worded(head: Sequence[Record], name: str) -> bool:
    """Whether the cells of a column have several words, on average."""
    counts = [len(cell.split()) for record in head if isinstance(cell := record.get(name), str) and cell.strip()]
    return bool(counts) and sum(counts) >= MIN_WORDS * len(counts)
