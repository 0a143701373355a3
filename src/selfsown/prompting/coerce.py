"""Convert a value that expresses what a schema asks for, in another form, to the form of the schema."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from selfsown.models import Json, JsonObject

EXPLANATIONS = ("reason", "criticism")  # fields that explain a decision, and are no part of it
_WRAPPED = 3  # levels at which a value may be wrapped in another


def coerce(value: Json, schema: Mapping[str, Json]) -> Json:
    """The value in the form of the schema, as far as its meaning is unambiguous; else unchanged.

    "5", 5.0 and "5/5" become 5 where 5 is allowed (and the highest); field names are compared by letters and
    digits alone; a list of one, or a single field around everything, is unwrapped; further fields are removed
    unless they could be the answer as well.
    """
    properties, kind = schema.get("properties"), schema.get("type")
    if kind == "object" and isinstance(properties, Mapping):
        value = _unwrapped(value, properties)
        if not isinstance(value, dict):
            return value
        value = _named(value, properties, closed=schema.get("additionalProperties") is False)
        return {key: coerce(item, properties.get(key, {})) for key, item in value.items()}
    if kind == "array" and isinstance(value, list) and isinstance(schema.get("items"), Mapping):
        return [coerce(item, schema["items"]) for item in value]
    if isinstance(schema.get("enum"), Sequence):
        return _one_of(value, schema["enum"])
    return _of_kind(value, kind)


def parse_labeled_lines(text: str, schema: Mapping[str, Json], shown: str) -> Json:
    """The fields of a reply that names each of them once, on a line of its own: "**Score:** 5"; None where it does not.

    shown: the prompt; a line that it contains is not the model's own.
    """
    fields: dict[str, str] = {}
    for name in schema.get("required", ()):
        lines = re.findall(rf"^([ \t>*_#-]*{name}[*_]*[ \t]*[:=].*)$", text, re.IGNORECASE | re.MULTILINE)
        anywhere = re.findall(rf"\b{name}\b[*_\s]*(?:[:=]|is\b|of\b)", text, re.IGNORECASE)
        if len(lines) != 1 or len(anywhere) != 1 or lines[0].strip() in shown:
            return None
        fields[name] = re.split("[:=]", lines[0], maxsplit=1)[1].strip(" \t*_")
    return fields or None


def _unwrapped(value: Json, properties: Mapping[str, Json]) -> Json:
    names = {_letters(name) for name in properties}
    for _ in range(_WRAPPED):
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        elif isinstance(value, dict) and len(value) == 1:
            ((key, inside),) = value.items()
            if _letters(key) in names or not isinstance(inside, list | dict):
                return value
            value = inside
    return value


def _named(value: JsonObject, properties: Mapping[str, Json], *, closed: bool) -> JsonObject:
    """The fields under the schema's names; unchanged where two fields match one name."""
    names = {_letters(name): name for name in properties}
    matched: JsonObject = {}
    extra: JsonObject = {}
    for key, item in value.items():
        name = key if key in properties else names.get(_letters(key))
        if name in matched:
            return value
        (extra if name is None else matched)[key if name is None else name] = item
    if not closed:
        return {**matched, **extra}
    return value if any(_rivals(key, extra[key], matched, properties) for key in extra) else matched


def _rivals(key: str, value: Json, matched: Mapping[str, Json], properties: Mapping[str, Json]) -> bool:
    """Whether a further field could be meant as one of the schema's, with another value."""
    for name, schema in properties.items():
        if name in EXPLANATIONS or name not in matched:
            continue
        if _letters(name) in _letters(key):
            return True
        choices = [True, False] if schema.get("type") == "boolean" else schema.get("enum", ())
        first, other = (coerce(choice, schema) for choice in (matched[name], value))
        if any(type(other) is type(choice) and other == choice for choice in choices) and other != first:
            return True
    return False


def _one_of(value: Json, choices: Sequence[Json]) -> Json:
    """The allowed value that a text or a number names."""
    numbers = [choice for choice in choices if isinstance(choice, int) and not isinstance(choice, bool)]
    if isinstance(value, str):
        fraction = re.fullmatch(r"([0-9]+)(?:\.0*)?(?:\s*(?:/|of|out of)\s*([0-9]+))?\.?", value.strip())
        if numbers and fraction and int(fraction[2] or max(numbers)) == max(numbers):
            value = int(fraction[1])
        else:
            named = [choice for choice in choices if isinstance(choice, str) and _letters(choice) == _letters(value)]
            return named[0] if len(named) == 1 else value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value


def _of_kind(value: Json, kind: object) -> Json:
    """A number or boolean that was written as a string, or a string that was written as a number."""
    if kind in ("integer", "number") and isinstance(value, str):
        if re.fullmatch(r"-?[0-9]{1,18}", value.strip()):
            return int(value)
        if kind == "number" and re.fullmatch(r"-?[0-9]{1,18}\.[0-9]{1,18}", value.strip()):
            return float(value)
    if kind == "boolean" and isinstance(value, str):
        return {"true": True, "yes": True, "false": False, "no": False}.get(value.strip().lower(), value)
    if kind == "string" and isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.casefold())
