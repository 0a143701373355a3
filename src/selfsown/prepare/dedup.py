"""Set aside rows that say the same as an earlier one, but for letter case, spaces and spelling; the first stays."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Literal

from selfsown.records import Row
from selfsown.text.normalize import normal

STREAMS = True


def prepare(rows: Iterable[Row], *, by: Literal["prompt", "row"] = "prompt") -> Iterator[Row]:
    """by: what must be the same. prompt: the prompt with its system text, or the whole of a document; row: the answer,
    too. Of each different row 16 bytes are kept, and where it stands."""
    seen: dict[bytes, str] = {}
    for row in rows:
        said = [normal(row.prompt), normal(row.metadata.get("system", ""))]
        said += [normal(row.answer)] if by == "row" or not said[0] else []
        key = hashlib.blake2b(json.dumps(said).encode(), digest_size=16).digest()
        if first := seen.get(key):
            yield row.rejected(f"it says the same as {first}")
        else:
            seen[key] = row.source or f"row {row.sample_index}"
            yield row
