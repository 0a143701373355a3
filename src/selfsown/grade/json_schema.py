"""An answer is right if it is JSON that conforms to a schema."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
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
            violation = check(json.loads(fenced[1] if fenced else row.answer, parse_constant=_reject_constant))
        except (ValueError, RecursionError) as error:
            violation = f"not valid JSON: {error}"
        yield Grade(float(not violation), violation or "conforms to the schema", grader="json_schema")


def _reject_constant(constant: str) -> None:
    raise ValueError(f"{constant} is not a JSON value")
