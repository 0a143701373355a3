"""What a teacher and a judge reply on the mock server: words that depend on the prompt and the seed alone."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def letters(*of: object) -> str:
    """Three words, always the same for these arguments and for no others."""
    digest = hashlib.sha256(repr(of).encode()).hexdigest()
    return " ".join(digest[start : start + 8] for start in (0, 8, 16))


def reply(prompt: str, body: dict[str, Any]) -> str:
    """A judge that dislikes one row in ten, and a teacher who now and then replies at length, or not in JSON."""
    if prompt.startswith("Judge the"):
        return json.dumps({"reason": "it is so", "score": 1 if letters(prompt)[0] == "0" else 5})
    words = letters(prompt, body.get("seed"))
    fields = body.get("response_format", {}).get("json_schema", {}).get("schema", {}).get("properties", {})
    if not fields:
        return f"So: {words}"
    data = json.dumps({name: _value(field, f"{words} for {name}") for name, field in fields.items()})
    if words[0] in "123":
        return f"Gladly!\n```json\n{data}\n```"
    return data if words[0] != "4" else "I know of none"


def _value(field: dict[str, Any], text: str) -> Any:
    """The text as a value of the field's type."""
    values: dict[str, Any] = {"boolean": True, "integer": 5, "number": 5.0, "array": [text]}
    return values.get(str(field.get("type")), text)
