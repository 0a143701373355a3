"""Normalize Unicode, and remove invisible characters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Literal

from selfsown.records import Row
from selfsown.rewriting import rewritten

STREAMS = True

# Soft hyphen, zero width space, word joiner, byte order mark, bidirectional controls, and control characters except
# tab and line ends. Zero width joiners stay: Persian and emoji need them.
_INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff\u200e\u200f\u202a-\u202e\u2066-\u2069\x00-\x08\x0e-\x1f\x7f]")


def prepare(rows: Iterable[Row], *, form: Literal["NFC", "NFKC"] = "NFC") -> Iterator[Row]:
    """form: NFC keeps what is visible; NFKC also replaces ligatures, full-width letters and superscripts by plain
    characters, which changes the meaning of formulas (x² becomes x2).
    """
    for row in rows:
        yield rewritten(row, lambda text: unicodedata.normalize(form, _INVISIBLE.sub("", text)))
