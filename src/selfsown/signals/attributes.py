"""The value of an attribute for each row: from its metadata, or by regular expressions on its text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from selfsown.records import Row, SelfsownError
from selfsown.text.normalize import unified

NONE = "none"  # the value of a row without one
# For each attribute its values, each with a pattern; without patterns, the attribute is a metadata field.
Attributes = Mapping[str, Mapping[str, str]]


def valued(rows: Sequence[Row], attribute: str, declared: Attributes) -> list[str]:
    """Each row's value: the first whose regular expression matches its text, ignoring case; without patterns, that of
    its metadata. `occupation+pronoun` combines two attributes (Zhao et al. 2017). SelfsownError if a pattern is
    invalid."""
    if not (patterns := declared.get(attribute)):
        if "+" not in attribute or any(attribute in row.metadata for row in rows):
            return [unified(row.metadata.get(attribute, NONE)) for row in rows]
        parts = [valued(rows, part, declared) for part in attribute.split("+")]
        return ["+".join(part) if NONE not in part else NONE for part in zip(*parts, strict=True)]
    compiled = {value: _compiled(attribute, pattern) for value, pattern in patterns.items()}
    written = [f"{row.prompt}\n{row.answer}" for row in rows]
    texts = [(text, unified(text)) for text in written]  # a pattern may use either Unicode form
    return [
        next((value for value, pattern in compiled.items() if any(map(pattern.search, spellings))), NONE)
        for spellings in texts
    ]


def _compiled(attribute: str, pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern, re.IGNORECASE)
    except re.error as error:
        message = f"attribute {attribute}: {pattern!r} is not a valid regular expression: {error}"
        raise SelfsownError(message) from error
