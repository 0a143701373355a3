"""The character that separates the fields of a CSV file: the comma, unless the file's head shows another."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from selfsown.files.file_types import open_text

OTHERS = (";", "\t")  # as spreadsheets write where the comma is the decimal mark, and as tables are copied
MAX_LINES = 200  # of the file's head


def delimiter_of(path: Path, default: str) -> str:
    """The default where with it the first line has two or more fields, and most others have as many; otherwise another
    delimiter of which that is true; the default if there is none. DataError: the file cannot be read."""
    with open_text(path, "") as file:
        lines = list(islice(file, MAX_LINES + 1))
    first = next((line for line in lines if line.strip()), "")
    candidates = [default, *(mark for mark in OTHERS if mark != default and mark in first)]
    if len(candidates) == 1:
        return default
    return next((mark for mark in candidates if _separates(lines, mark)), default)


def _separates(lines: Sequence[str], delimiter: str) -> bool:
    """Whether the first record has two or more fields, and most records have as many. One that may be cut, at the end,
    does not count."""
    try:
        records = list(csv.reader(lines[:MAX_LINES], delimiter=delimiter))
    except csv.Error:
        return False
    records = records[:-1] if len(lines) > MAX_LINES else records
    sizes = [len(fields) for fields in records if len(fields) > 1 or "".join(fields).strip()]
    return bool(sizes) and sizes[0] > 1 and 2 * sizes.count(sizes[0]) > len(sizes)
