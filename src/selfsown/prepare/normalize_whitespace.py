"""Write spaces and line ends in the same way: no odd kinds of space, none at the end of a line, no stacks of empty
lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from selfsown.records import Row
from selfsown.rewriting import rewritten

STREAMS = True

_ENDS = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_ODD = re.compile(r"[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_LAST = re.compile(r"(?<![ \t])[ \t]+$", re.MULTILINE)
_EMPTY = re.compile(r"\n{3,}")


def prepare(rows: Iterable[Row]) -> Iterator[Row]:
    """Indentation and spaces within a line stay: programs and tables need them."""
    for row in rows:
        yield rewritten(row, _plain)


def _plain(text: str) -> str:
    text = _LAST.sub("", _ODD.sub(" ", _ENDS.sub("\n", text)))
    return _EMPTY.sub("\n\n", text).strip("\n").rstrip()
