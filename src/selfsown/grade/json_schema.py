"""An answer is right if it is JSON that keeps to a schema."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from selfsown.prompting.structured_output import schema_checker
from selfsown.records import Grade, Row, SelfsownError

_ANYTHING: tuple[Any, ...] = (None, True, -1, 0.5, "", "text", [], [None], {}, {"name": None})
_FENCED = re.compile(r"```(?:json)?[ \t]*\n(.*)\n[ \t]*```", re.DOTALL | re.IGNORECASE)


def grade(rows: Iterable[Row], *, schema: Mapping[str, Any]) -> Iterator[Grade]:
    """schema: a JSON schema, which must refuse something. The answer must be that JSON and no more, but for a fence
    around it."""
    check = schema_checker(schema)
    if not any(check(value) for value in _ANYTHING):
        raise SelfsownError("grade.json_schema: the schema allows anything; say what is wanted, such as {type: object}")
    for row in rows:
        fenced = _FENCED.fullmatch(row.answer.strip())
        try:
            wrong = check(json.loads(fenced[1] if fenced else row.answer, parse_constant=_refused))
        except (ValueError, RecursionError) as error:
            wrong = f"no JSON: {error}"
        yield Grade(float(not wrong), wrong or "keeps to the schema", grader="json_schema")


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is none of it")
