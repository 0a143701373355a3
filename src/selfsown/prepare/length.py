"""Set aside rows that are too short or too long."""

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
    """Lengths are in characters, spaces around a text aside; max_chars 0 is no limit. of: the part that is measured, or
    both together."""
    for row in rows:
        sizes = {"prompt": len(row.prompt.strip()), "answer": len(row.answer.strip())}
        size = sum(sizes.values()) if of == "both" else sizes[of]
        what = "it" if of == "both" else f"its {of}"
        if size < min_chars:
            yield row.rejected(f"{what} has {size:,} characters, fewer than {min_chars:,}")
        elif 0 < max_chars < size:
            yield row.rejected(f"{what} has {size:,} characters, more than {max_chars:,}")
        else:
            yield row
