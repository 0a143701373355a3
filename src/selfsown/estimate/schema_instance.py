"""A small value that conforms to a JSON schema, in place of a structured reply."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from selfsown.records import Json, JsonObject

MAX_DEPTH = 20  # of nested schemas: a schema that contains itself has no end
FORMATS = {"date": "2000-01-01", "date-time": "2000-01-01T00:00:00Z", "time": "00:00:00Z", "email": "a@example.org"}
FORMATS |= {"uri": "https://example.org", "uuid": "00000000-0000-4000-8000-000000000000", "ipv4": "192.0.2.1"}


def conformity_check(schema: Mapping[str, Json]) -> Callable[[Any], bool]:
    """Whether a value conforms to the schema, as a function of the value."""
    from jsonschema.validators import Draft202012Validator, validator_for

    return validator_for(schema, default=Draft202012Validator)(dict(schema)).is_valid


def instance(schema: Any, root: Any, words: Sequence[str], depth: int = 0) -> Any:
    """About the smallest value that conforms to a JSON schema; patterns and other rare keywords are ignored.

    root: the whole schema, into which references point. words: a text for each element of a list; a list has as many
    elements as there are words, if its schema allows it.
    """
    if not isinstance(schema, Mapping) or depth > MAX_DEPTH:
        return {}
    merged = _merged(schema, root)
    for name in ("const", "default"):
        if name in merged:
            return merged[name]
    if merged.get("enum"):
        return merged["enum"][0]
    kind = _type_of(merged)
    if kind == "object":
        properties = merged.get("properties", {})
        required = dict.fromkeys(merged.get("required", []))
        return {name: instance(properties.get(name, {}), root, words, depth + 1) for name in required}
    if kind == "array":
        return _array(merged, root, words, depth)
    if kind == "string":
        text = FORMATS.get(merged.get("format", ""), words[0])
        return text.ljust(merged.get("minLength", 0), "e")[: merged.get("maxLength")]
    if kind in ("integer", "number"):
        return _number(merged, kind)
    return False if kind == "boolean" else None


def _type_of(schema: Mapping[str, Json]) -> str:
    """The type that a schema names, the first but null of several, or the one that its keywords imply."""
    kind = schema.get("type")
    if isinstance(kind, list):
        return str(next((name for name in kind if name != "null"), "null"))
    if kind:
        return str(kind)
    if "properties" in schema:
        return "object"
    return "array" if "items" in schema else "string"


def _array(schema: Mapping[str, Json], root: Any, words: Sequence[str], depth: int) -> list[Json]:
    prefix = schema.get("prefixItems", [])
    count = max(schema.get("minItems", 0), min(len(words), schema.get("maxItems", len(words))))
    parts = [*prefix, *[schema.get("items", {})] * (count - len(prefix))]
    return [instance(part, root, [words[index % len(words)]], depth + 1) for index, part in enumerate(parts)]


def _merged(schema: Mapping[str, Json], root: Any) -> JsonObject:
    """The schema in one piece: with what it refers to, all of allOf, and the first of anyOf and oneOf."""
    merged = dict(schema)
    for _ in range(MAX_DEPTH):
        parts = [*merged.pop("allOf", []), *merged.pop("anyOf", [])[:1], *merged.pop("oneOf", [])[:1]]
        if "$ref" in merged:
            parts.append(_resolved(root, merged.pop("$ref")))
        if not parts:
            break
        for part in parts:
            if isinstance(part, Mapping):
                both = {name: {**merged.get(name, {}), **part[name]} for name in ("properties",) if name in part}
                required = {"required": [*merged.get("required", []), *part.get("required", [])]}
                merged = {**merged, **part, **both, **required}
    return merged


def _resolved(root: Any, reference: str) -> Any:
    """The part of the schema that a reference points to; a reference to elsewhere allows any value."""
    try:
        for name in reference.removeprefix("#").split("/")[1:]:
            root = root[name.replace("~1", "/").replace("~0", "~")]
    except (KeyError, TypeError):
        return {}
    return root


def _number(schema: Mapping[str, Json], kind: str) -> float:
    """The number nearest to 0 within the bounds, a multiple of multipleOf."""
    step = schema.get("multipleOf", 1)
    low = max(schema.get("minimum", -math.inf), schema.get("exclusiveMinimum", -math.inf))
    high = min(schema.get("maximum", math.inf), schema.get("exclusiveMaximum", math.inf))
    value = 0.0
    if not low <= 0 <= high:
        value = low if math.isfinite(low) else high
    value = math.ceil(value / step) * step if math.isfinite(low) else math.floor(value / step) * step
    if value == schema.get("exclusiveMinimum"):
        value += step
    if value == schema.get("exclusiveMaximum"):
        value -= step
    return int(value) if kind == "integer" or value == int(value) else value
