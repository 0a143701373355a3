"""Remove duplicates, ignoring case, whitespace and Unicode form; the first stays."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Literal

from selfsown.records import Row
from selfsown.text.normalize import normal

STREAMS = True


def prepare(rows: Iterable[Row], *, by: Literal["prompt", "row"] = "prompt") -> Iterator[Row]:
    """by: what must be equal. `prompt`: the prompt and its system message (of a document, the whole text); `row`: the
    answer as well.

    Memory: 16 bytes and the source of each distinct row.
    """
    seen: dict[bytes, str] = {}
    for row in rows:
        parts = [normal(row.prompt), normal(row.metadata.get("system", ""))]
        if by == "row" or not parts[0]:
            parts.append(normal(row.answer))
        key = hashlib.blake2b(json.dumps(parts).encode(), digest_size=16).digest()
        if first := seen.get(key):
            yield row.rejected(f"duplicate of {first}")
        else:
            seen[key] = row.source or f"row {row.sample_index}"
            yield row
