"""Write the same letters in the same way: Unicode's normal form, without characters that show nothing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Literal

from selfsown.records import Row
from selfsown.rewriting import rewritten

STREAMS = True

# The soft hyphen, zero width space and word joiner, the mark that opens a file, what turns the direction of writing,
# and control characters but for tab and line ends. Joiners stay: Persian and emoji need them.
_UNSEEN = re.compile("[\u00ad\u200b\u2060\ufeff\u200e\u200f\u202a-\u202e\u2066-\u2069\x00-\x08\x0e-\x1f\x7f]")


def prepare(rows: Iterable[Row], *, form: Literal["NFC", "NFKC"] = "NFC") -> Iterator[Row]:
    """form: NFC keeps what is seen as it is; NFKC makes ligatures, full-width letters and small figures plain, too,
    which changes meaning in formulas (x² becomes x2)."""
    for row in rows:
        yield rewritten(row, lambda text: unicodedata.normalize(form, _UNSEEN.sub("", text)))
