"""An answer keeps to the schema, or the reason says where it does not."""

from __future__ import annotations

from typing import Any

import pytest

from selfsown.grade.json_schema import grade
from selfsown.recipe.steps import step
from selfsown.records import Row, SelfsownError

SCHEMA = {"type": "object", "properties": {"age": {"type": "integer", "minimum": 0}}, "required": ["age"]}


@pytest.mark.parametrize(
    "answer", ['{"age": 3}', ' {"age": 3, "name": "é"}\n', '```json\n{"age": 0}\n```', '```\n{"age": 1}\n```']
)
def test_json_by_the_schema_is_right(answer: str) -> None:
    (found,) = step("grade", "json_schema", {"schema": SCHEMA})(rows=[Row("p", answer)])
    assert (found.score, found.reason, found.grader, found.evidence) == (
        1.0,
        "conforms to the schema",
        "json_schema",
        "rule",
    )


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ('{"age": -1}', "$.age: -1 is less than the minimum of 0"),
        ('{"age": "3"}', "$.age: '3' is not of type 'integer'"),
        ("{}", "$: 'age' is a required property"),
        ('{"age": NaN}', "not valid JSON: NaN is not a JSON value"),
        ('Here it is: {"age": 3}', "not valid JSON: Expecting value"),
        ('{"age": 3} and more', "not valid JSON: Extra data"),
        ("{'age': 3}", "not valid JSON: "),
        ("", "not valid JSON: "),
        ("[" * 100_000, "not valid JSON: "),
    ],
)
def test_anything_else_is_wrong_and_the_reason_says_where(answer: str, reason: str) -> None:
    (found,) = grade([Row("p", answer)], schema=SCHEMA)
    assert found.score == 0.0
    assert found.reason.startswith(reason)


@pytest.mark.parametrize(
    "schema", [{}, {"title": "anything"}, {"type": ["object", "array", "string", "number", "boolean", "null"]}]
)
def test_a_schema_that_allows_anything_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(SelfsownError, match="the schema allows any value"):
        list(grade([Row("p", "3")], schema=schema))


def test_what_is_no_schema_is_refused() -> None:
    with pytest.raises(SelfsownError, match="is not a JSON schema"):
        list(grade([Row("p", "3")], schema={"type": "number-like"}))
