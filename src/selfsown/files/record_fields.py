"""Fields of a record: the first one that is filled, and text that can be encoded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Record = dict[str, Any]  # column -> value, as the file's format has it


def first_filled(record: Record, names: Sequence[str]) -> tuple[str, Any]:
    """The first of these fields that is not empty, and its value; null and NaN are empty, as tables write them."""
    return next(
        ((name, record[name]) for name in names if record.get(name) and record[name] == record[name]), ("", None)
    )


def reject_fields(record: Record, names: Sequence[str], where: str) -> None:
    if name := first_filled(record, names)[0]:
        raise ValueError(f"has {name}{where}; rows support text only")


def checked_text(value: object, what: str) -> str:
    """Text that can be encoded. ValueError: not text, or with an unpaired surrogate."""
    if not isinstance(value, str):
        raise ValueError(f"has a {what} that is not text: {value!r:.80}")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"has an unpaired surrogate in {what}; fix its encoding") from error
    return value


def first_duplicate(names: Sequence[str]) -> str:
    """The first name that occurs a second time, "" for none."""
    return next((name for index, name in enumerate(names) if name in names[:index]), "")
