"""What kind of row each row is: by an attribute that it carries, or by what its words match."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from selfsown.records import Row, SelfsownError

NONE = "none"  # of a row that shows no value
Attributes = Mapping[
    str, Mapping[str, str]
]  # for each attribute its values, each with a pattern; none: carried by rows


def valued(rows: Sequence[Row], attribute: str, patterns: Mapping[str, str]) -> list[str]:
    """Each row's value: the first whose regular expression its text matches, letter case aside; without patterns,
    what the row carries."""
    if not patterns:
        return [row.traits.get(attribute, NONE) for row in rows]
    compiled = {value: _compiled(attribute, pattern) for value, pattern in patterns.items()}
    texts = [f"{row.prompt}\n{row.answer}" for row in rows]
    return [next((value for value, found in compiled.items() if found.search(text)), NONE) for text in texts]


def _compiled(attribute: str, pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern, re.IGNORECASE)
    except re.error as wrong:
        raise SelfsownError(f"attribute {attribute}: {pattern!r} is no regular expression: {wrong}") from wrong
