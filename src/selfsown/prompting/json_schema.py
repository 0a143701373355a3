"""JSON schemas of objects, in one line each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from selfsown.models import Json

_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number"}
Kind: TypeAlias = type | Sequence[str | int] | dict[str, Json]


def object_schema(**properties: Kind) -> dict[str, Json]:
    """The JSON schema of an object with exactly these properties, all required, in this order.

    Each is a Python type (str, bool, int, float), a sequence of the allowed values, or a schema:
    `object_schema(reason=str, better=["first", "second"], quotes=list_schema(str))`.
    """
    return {
        "type": "object",
        "properties": {name: _schema(kind) for name, kind in properties.items()},
        "required": list(properties),
        "additionalProperties": False,
    }


def list_schema(items: Kind) -> dict[str, Json]:
    """The JSON schema of a list with such items."""
    return {"type": "array", "items": _schema(items)}


def _schema(kind: Kind) -> dict[str, Json]:
    if isinstance(kind, dict):
        return kind
    if isinstance(kind, type):
        return {"type": _TYPES[kind]}
    return {"enum": list(kind)}
