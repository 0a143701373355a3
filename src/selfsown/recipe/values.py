"""The values of keys and options: checked against their types, with numbers as people write them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from selfsown.errors import RecipeError

_NUMBER = re.compile(r"([-+]?[0-9][0-9_]*(?:\.[0-9]+)?(?:[eE][-+]?[0-9]{1,3})?)([kKM]?)")
_UNITS = {"": 1, "k": 1_000, "K": 1_000, "M": 1_000_000}
NUMBER_ERRORS = ("int_type", "int_from_float", "float_type")
EXPECTED = {  # pydantic's type of error: what is expected instead
    "int_type": "a whole number, such as 100",
    "int_from_float": "a whole number, such as 100",
    "float_type": "a number, such as 0.5",
    "bool_type": "true or false",
    "string_type": "text",
    "tuple_type": "a list, such as [a, b]",
    "list_type": "a list, such as [a, b]",
    "dict_type": "a mapping, such as {name: value}",
    "mapping_type": "a mapping, such as {name: value}",
    "none_required": "null",
}


def validated(place: str, value: Any, hint: Any) -> Any:
    """The value as its type requires; RecipeError says what was written and what is expected.

    Where a number is required, `1e3`, `10k` (thousands), `2M` (millions), `"1000"` and `1000.0` are numbers, too.
    """
    adapter = TypeAdapter(hint)
    number = tuple(value) if isinstance(value, list) else value
    try:
        return adapter.validate_python(number, strict=True)
    except ValidationError as error:
        errors = error.errors()
    for problem in errors:
        if problem["type"] in NUMBER_ERRORS:
            number = _with_number(number, problem["loc"])
    try:
        return adapter.validate_python(number, strict=True)
    except ValidationError as error:
        problems = error.errors()
    expected = " or ".join(dict.fromkeys(map(_expected, problems)))
    raise RecipeError(f"{place} is {value!r}; it must be {expected}{_remedy(place, value, problems[0])}")


def _expected(error: ErrorDetails) -> str:
    return EXPECTED.get(error["type"], error["msg"].removeprefix("Input should be "))


def _with_number(value: Any, place: Sequence[int | str]) -> Any:
    """The value with a number at this place, where a text or a float there stands for one."""
    if isinstance(value, str | float) and not isinstance(value, bool):
        number = as_number(str(value))
        return value if number is None else number
    for depth, part in enumerate(place, 1):  # other parts name the alternatives of a type
        if isinstance(value, dict) and part in value:
            return {**value, part: _with_number(value[part], place[depth:])}
        if isinstance(value, tuple | list) and isinstance(part, int):
            return tuple(
                _with_number(item, place[depth:]) if index == part else item for index, item in enumerate(value)
            )
    return value


def as_number(text: str) -> int | float | None:
    """The number that a text stands for, such as 1e3, 1_000, 10k or 0.5; whole ones are integers."""
    match = _NUMBER.fullmatch(text.strip())
    if not match:
        return None
    number = Decimal(match[1].replace("_", "")) * _UNITS[match[2]]
    return int(number) if number == number.to_integral_value() else float(number)


def _remedy(place: str, value: Any, error: ErrorDetails) -> str:
    """How to write text that YAML reads as something else."""
    if error["type"] != "string_type":
        return ""
    if isinstance(value, dict) and len(value) == 1:
        ((before, after),) = value.items()
        return f"; put text with a colon in quotes: '{place}=\"{before}: {after}\"'"
    written = {True: "yes", False: "no"}[value] if isinstance(value, bool) else value
    return (
        f"; put it in quotes: '{place.rpartition('.')[2]}=\"{written}\"'"
        if isinstance(value, bool | int | float)
        else ""
    )
