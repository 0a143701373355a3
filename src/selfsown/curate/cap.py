"""Limit how many rows share a prompt or a parent: the best-graded stay."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence

from selfsown.option_types import Natural
from selfsown.records import Row


def curate(
    rows: Sequence[Row], seed: int, *, max_per_prompt: Natural = 4, max_per_parent: Natural = 0
) -> Iterator[Row]:
    """Keep at most `max_per_prompt` rows of a prompt and `max_per_parent` rows of a parent; 0 is no limit.

    Ties in score are broken at random. Documents have no prompt, so `max_per_prompt` does not limit them. Put this
    after `min_score` and `dedup`: rows that those would reject count here.
    """
    limits = {"prompt": max_per_prompt, "parent": max_per_parent}
    counts: Counter[tuple[str, str]] = Counter()
    full: dict[str, str] = {}
    for row in sorted(rows, key=lambda row: (-row.score, hashlib.sha256(f"{seed} {row.id}".encode()).digest())):
        groups = [("prompt", row.prompt)] if max_per_prompt and row.prompt else []
        groups += [("parent", parent) for parent in dict.fromkeys(row.parents) if max_per_parent]
        over = next((kind for kind, name in groups if counts[kind, name] >= limits[kind]), "")
        if over:
            full[row.id] = f"cap: {limits[over]} rows of its {over} score as high or higher"
        else:
            counts.update(groups)
    for row in rows:
        yield row.rejected(full[row.id]) if row.id in full else row
