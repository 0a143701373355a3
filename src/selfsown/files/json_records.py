"""Records of JSON lines, of a JSON array, or of one object over several lines, with their line or item numbers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from selfsown.errors import DataError
from selfsown.files.bad_records import BadRecord, OnBad
from selfsown.files.file_types import open_text
from selfsown.files.record_fields import Record, first_duplicate


def json_lines(path: Path, bad: OnBad) -> Iterator[tuple[int, Record]]:
    """The object on each line. DataError: `bad` raised it for a line that is none."""
    parse = _DECODER.raw_decode  # half the time of json.loads, which looks for spaces
    with open_text(path, "\n") as file:
        for number, line in enumerate(file, 1):
            if not (line := line.strip(" \t\r\n")):
                continue
            try:
                record, end = parse(line)
                if end < len(line):
                    json.loads(line)  # raises what is wrong with the rest
            except (ValueError, RecursionError) as error:
                bad(BadRecord(path, number, f"{_json_error(error)}; each line must be one object"))
                continue
            if type(record) is dict:
                yield number, record
            else:
                kind = type(record).__name__
                bad(BadRecord(path, number, f"is {kind}, not an object; each line must be one object"))


def json_records(path: Path, bad: OnBad) -> Iterator[tuple[int, Record]]:
    """An array of objects, or one object over several lines, read whole; JSON lines are often called .json, too."""
    with open_text(path, None) as file:
        opening = next((line for line in file if not line.isspace()), "").lstrip()
        if not opening.startswith("["):
            whole = None if is_json(opening) else _object(opening + file.read())
            yield from json_lines(path, bad) if whole is None else [(1, whole)]
            return
        text = opening + file.read()
    for number, record in enumerate(_array_items(path, text), 1):
        if isinstance(record, dict):
            yield number, record
        else:
            kind = type(record).__name__
            bad(BadRecord(path, number, f"is {kind}, not an object; each item must be one object"))


def is_json(text: str) -> bool:
    """Whether the text is JSON by itself, as a line of JSON lines is."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _object(text: str) -> Record | None:
    """The one object that the text is; None where it is something else."""
    try:
        record = json.loads(text, object_pairs_hook=_unique_keys)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def _array_items(path: Path, text: str) -> Iterator[object]:
    """The items of a JSON array, one by one, so that an error names the item's number."""
    number, position = 0, _after_spaces(text, 1)
    closed = text.startswith("]", position)
    try:
        while not closed:
            number += 1
            item, position = _DECODER.raw_decode(text, position)
            yield item
            position = _after_spaces(text, position)
            closed = text.startswith("]", position)
            if not closed and not text.startswith(",", position):
                raise json.JSONDecodeError("Expecting ',' delimiter", text, position)
            position = position if closed else _after_spaces(text, position + 1)
        if text[position + 1 :].strip():
            raise json.JSONDecodeError("Extra data", text, position + 1)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}:{number} {_json_error(error)}") from error


def _after_spaces(text: str, position: int) -> int:
    """The next position that is not white space."""
    while text[position : position + 1] in (" ", "\n", "\r", "\t"):
        position += 1
    return position


class _DuplicateKey(ValueError):
    pass


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object as a dict; JSON itself would let the last of two equal keys win."""
    content = dict(pairs)
    if len(content) < len(pairs):
        raise _DuplicateKey(first_duplicate([name for name, _ in pairs]))
    return content


_DECODER = json.JSONDecoder(object_pairs_hook=_unique_keys)


def _json_error(error: Exception) -> str:
    """What is wrong with JSON, in plain words where Python's own message is obscure."""
    if isinstance(error, _DuplicateKey):
        return f"has the key {str(error)!r} twice in one object; keep one"
    if isinstance(error, json.JSONDecodeError):
        return f"is not JSON: {error}"
    if isinstance(error, RecursionError):
        return "cannot be read: it is nested too deeply"
    return "cannot be read: it has an integer of thousands of digits; write it as quoted text"
