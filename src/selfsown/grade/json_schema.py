"""An answer is right if it is JSON that conforms to a schema."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from selfsown.prompting.structured_output import schema_checker
from selfsown.records import Grade, Row, SelfsownError

STREAMS = True

_PROBES: tuple[Any, ...] = (None, True, -1, 0.5, "", "text", [], [None], {}, {"name": None})
_FENCED = re.compile(r"```(?:json)?[ \t]*\n(.*)\n[ \t]*```", re.DOTALL | re.IGNORECASE)


def grade(rows: Iterable[Row], *, schema: Mapping[str, Any]) -> Iterator[Grade]:
    """schema: a JSON schema; SelfsownError if it is invalid or allows any value. The answer must be the JSON alone, or
    that in a Markdown fence.
    """
    check = schema_checker(schema)
    if not any(check(value) for value in _PROBES):
        raise SelfsownError("grade.json_schema: the schema allows any value; restrict it, such as {type: object}")
    for row in rows:
        fenced = _FENCED.fullmatch(row.answer.strip())
        try:
            text = fenced[1] if fenced else row.answer
            value = json.loads(text, parse_constant=_reject_constant, object_pairs_hook=_without_repeats)
            violation = check(value)
        except (ValueError, RecursionError) as error:
            violation = f"not valid JSON: {error}"
        yield Grade(float(not violation), violation or "conforms to the schema", grader="json_schema")


def _without_repeats(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """The object; ValueError if a key occurs twice: readers disagree on which value counts (RFC 8259, section 4)."""
    result = dict(pairs)
    if len(result) < len(pairs):
        raise ValueError("a key occurs twice in one object")
    return result


def _reject_constant(constant: str) -> None:
    raise ValueError(f"{constant} is not a JSON value")
