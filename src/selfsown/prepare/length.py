"""Remove rows that are too short or too long."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from selfsown.option_types import Natural
from selfsown.records import Row

STREAMS = True


def prepare(
    rows: Iterable[Row],
    *,
    min_chars: Natural = 0,
    max_chars: Natural = 0,
    of: Literal["prompt", "answer", "both"] = "both",
) -> Iterator[Row]:
    """min_chars, max_chars: lengths in characters, without surrounding whitespace; max_chars: 0 is no limit.
    of: the part that is measured; `both` adds up prompt and answer.
    """
    for row in rows:
        lengths = {"prompt": len(row.prompt.strip()), "answer": len(row.answer.strip())}
        length = sum(lengths.values()) if of == "both" else lengths[of]
        part = "row" if of == "both" else of
        if length < min_chars:
            yield row.rejected(f"{part} of {length:,} characters, below min_chars: {min_chars:,}")
        elif 0 < max_chars < length:
            yield row.rejected(f"{part} of {length:,} characters, above max_chars: {max_chars:,}")
        else:
            yield row
