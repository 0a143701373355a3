"""Limit how many rows share a prompt or a parent: the best-graded stay."""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from collections.abc import Collection, Iterator

from selfsown.option_types import Natural
from selfsown.ranking import Ranking
from selfsown.records import Row

REREADS = True

KINDS = "prompt", "parent"


def curate(
    rows: Collection[Row], seed: int, *, max_per_prompt: Natural = 4, max_per_parent: Natural = 0
) -> Iterator[Row]:
    """Keep at most `max_per_prompt` rows of a prompt and `max_per_parent` rows of a parent; 0 is no limit.

    Ties in score are broken at random. Documents have no prompt, so `max_per_prompt` does not limit them. Put this
    after `min_score` and `dedup`: rows that those would reject count here.
    """
    limits = max_per_prompt, max_per_parent
    ranking, keys, ends = Ranking(seed), array("Q"), array("Q", [0])
    for row in rows:
        ranking.add(row, row.score)
        keys.extend(_group_key(kind, name) for kind, name in _groups(row) if limits[kind])
        ends.append(len(keys))
    counts, full = Counter[int](), bytearray(len(rows))  # full: 1 more than the kind of the group that is
    for place in map(int, ranking.best_first()):
        groups = keys[ends[place] : ends[place + 1]]
        if over := [key & 1 for key in groups if counts[key] >= limits[key & 1]]:
            full[place] = 1 + over[0]
        else:
            counts.update(groups)
    for row, kind in zip(rows, full, strict=True):
        reason = f"cap: {limits[kind - 1]} rows of its {KINDS[kind - 1]} score as high or higher"
        yield row.rejected(reason) if kind else row


def _groups(row: Row) -> Iterator[tuple[int, str]]:
    """The groups that a row is counted in, each with the index of its kind."""
    if row.prompt:
        yield 0, row.prompt
    for parent in dict.fromkeys(row.parents):
        yield 1, parent


def _group_key(kind: int, name: str) -> int:
    """64 bits, of which the last one is the kind: texts need not be held."""
    return int.from_bytes(hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest()) & ~1 | kind
