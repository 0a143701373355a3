"""Normalize whitespace: plain spaces and line ends, no trailing spaces, at most one empty line in a row."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from selfsown.records import Row
from selfsown.rewriting import rewritten

STREAMS = True

_LINE_ENDS = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_UNICODE_SPACES = re.compile(r"[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_TRAILING_SPACES = re.compile(r"(?<![ \t])[ \t]+$", re.MULTILINE)
_EMPTY_LINES = re.compile(r"\n{3,}")


def prepare(rows: Iterable[Row]) -> Iterator[Row]:
    """Indentation and spaces within a line stay: programs and tables need them."""
    for row in rows:
        yield rewritten(row, _normalized)


def _normalized(text: str) -> str:
    text = _TRAILING_SPACES.sub("", _UNICODE_SPACES.sub(" ", _LINE_ENDS.sub("\n", text)))
    return _EMPTY_LINES.sub("\n\n", text).strip("\n").rstrip()
