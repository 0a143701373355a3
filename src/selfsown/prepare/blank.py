"""Set aside rows that say nothing: no text but spaces and characters that show nothing."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from typing import Literal

from selfsown.records import Row

STREAMS = True

_FILLERS = "\u115f\u1160\u2800\u3164\uffa0"  # letters and signs to Unicode, and nothing to the eye
Part = Literal["prompt", "answer"]


def prepare(rows: Iterable[Row], *, require: tuple[Part, ...] = ()) -> Iterator[Row]:
    """A row is blank where neither its prompt nor its answer says anything. require: the parts that must each say
    something; with [prompt] documents are blank, too."""
    for row in rows:
        said = {"prompt": _says(row.prompt), "answer": _says(row.answer)}
        missing = [part for part in require if not said[part]]
        if missing:
            yield row.rejected(f"its {' and its '.join(missing)} says nothing")
        else:
            yield row if any(said.values()) else row.rejected("it says nothing")


def _says(text: str) -> bool:
    return any(unicodedata.category(each)[0] not in "ZC" and each not in _FILLERS for each in text)
