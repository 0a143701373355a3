"""What kind of row each row is: by an attribute that it carries, or by what its words match."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from selfsown.records import Row, SelfsownError
from selfsown.text.normalize import unified

NONE = "none"  # of a row that shows no value
# For each attribute its values, each with a pattern; none: carried by rows.
Attributes = Mapping[str, Mapping[str, str]]


def valued(rows: Sequence[Row], attribute: str, declared: Attributes) -> list[str]:
    """Each row's value: the first whose regular expression its text matches, letter case aside; without patterns,
    what the row carries. `occupation+pronoun` is what both show together: who is said to be what (Zhao et al. 2017)."""
    if not (patterns := declared.get(attribute)):
        if "+" not in attribute or any(attribute in row.metadata for row in rows):
            return [unified(row.metadata.get(attribute, NONE)) for row in rows]
        parts = [valued(rows, part, declared) for part in attribute.split("+")]
        return ["+".join(part) if NONE not in part else NONE for part in zip(*parts, strict=True)]
    compiled = {value: _compiled(attribute, pattern) for value, pattern in patterns.items()}
    written = [f"{row.prompt}\n{row.answer}" for row in rows]
    texts = [(text, unified(text)) for text in written]  # a pattern may be written in either spelling
    return [next((value for value, found in compiled.items() if any(map(found.search, each))), NONE) for each in texts]


def _compiled(attribute: str, pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern, re.IGNORECASE)
    except re.error as wrong:
        raise SelfsownError(f"attribute {attribute}: {pattern!r} is no regular expression: {wrong}") from wrong
