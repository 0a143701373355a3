"""What stands in for a reply keeps to the schema, as far as schemas are usual."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from selfsown.estimate.schema_instance import instance

SCHEMAS: list[dict[str, Any]] = [
    {"type": "object", "properties": {"a": {"type": "string"}, "b": {"enum": [1, 2]}}, "required": ["a", "b"]},
    {"type": "array", "items": {"type": "integer", "minimum": 3, "multipleOf": 2}, "minItems": 2, "maxItems": 4},
    {"type": "array", "maxItems": 1, "items": {"type": "number", "exclusiveMaximum": -1.5}},
    {"type": "array", "prefixItems": [{"const": 1}, {"type": "boolean"}], "items": False, "minItems": 2, "maxItems": 2},
    {"type": "string", "minLength": 20, "maxLength": 22},
    {"type": "string", "maxLength": 2},
    {"type": "string", "format": "date"},
    {"type": ["null", "string"]},
    {"anyOf": [{"type": "null"}, {"type": "string"}]},
    {"allOf": [{"properties": {"a": {"type": "null"}}, "required": ["a"]}, {"required": ["b"], "type": "object"}]},
    {"$defs": {"x/y": {"type": "integer", "exclusiveMinimum": 0}}, "type": "array", "items": {"$ref": "#/$defs/x~1y"}},
    {
        "$defs": {
            "node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}, "n": {"type": "number"}}}
        },
        "$ref": "#/$defs/node",
        "required": ["n"],
    },
    {"type": "integer", "maximum": -7},
    {},
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=str)
def test_the_instance_conforms_to_the_schema(schema: dict[str, Any]) -> None:
    Draft202012Validator(schema).validate(instance(schema, schema, ["one", "two", "three"]))


def test_lists_have_the_requested_length_and_recursive_schemas_end() -> None:
    assert instance({"type": "array", "items": {"type": "string"}}, {}, ["a", "b", "c"]) == ["a", "b", "c"]
    endless = {"type": "object", "properties": {"next": {"$ref": "#"}}, "required": ["next"]}
    assert instance(endless, endless, ["word"])
