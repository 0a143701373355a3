"""Remove blank rows: those with nothing but whitespace and invisible characters."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from typing import Literal

from selfsown.records import Row

STREAMS = True

_FILLERS = "\u115f\u1160\u2800\u3164\uffa0"  # letters and symbols by Unicode category, but invisible
Part = Literal["prompt", "answer"]


def prepare(rows: Iterable[Row], *, require: tuple[Part, ...] = ()) -> Iterator[Row]:
    """Reject a row if both its prompt and its answer are blank.

    require: parts of which none may be blank; [prompt] rejects documents, which have no prompt.
    """
    for row in rows:
        visible = {"prompt": _is_visible(row.prompt), "answer": _is_visible(row.answer)}
        missing = [part for part in require if not visible[part]]
        if missing:
            yield row.rejected(f"blank {' and '.join(missing)}")
        else:
            yield row if any(visible.values()) else row.rejected("blank row")


def _is_visible(text: str) -> bool:
    return any(unicodedata.category(char)[0] not in "ZC" and char not in _FILLERS for char in text)
