"""Real rows are split once, before anything else, into rows to learn from and rows to measure on."""

from __future__ import annotations

import hashlib
import random
from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby

import numpy as np

from selfsown.records import EVALUATION_ONLY, Row, SelfsownError

MIN_ROWS = 10  # rows on either side, below which no number measured on them means anything


def split(rows: Sequence[Row], held_out: int | float, seed: int, source: str) -> tuple[list[Row], list[Row]]:
    """(to learn from, held out), in the order given. No problem stands on both sides.

    held_out is a number of rows, or below 1 a share. Those that are for examination only come first, all of them.
    SelfsownError where too few rows remain on a side.
    """
    wanted = round(held_out * len(rows)) if held_out < 1 else int(held_out)
    problems: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        problems[row.key].append(row)
    keys = sorted(problems)
    random.Random(seed).shuffle(keys)
    chosen = {row.key for row in rows if _examined(row)}
    taken = sum(len(problems[key]) for key in chosen)
    for key in keys:
        if key not in chosen and taken + len(problems[key]) <= wanted:
            chosen.add(key)
            taken += len(problems[key])
    out = [row for row in rows if row.key in chosen]
    rest = [row for row in rows if row.key not in chosen]
    if min(len(out), len(rest)) < MIN_ROWS:
        raise SelfsownError(
            f"{source} has {len(rows)} rows about {len(keys)} different problems, "
            f"of which held_out: {held_out} sets {len(out)} aside and leaves {len(rest)}; "
            f"each side needs {MIN_ROWS} or more: bring more rows or change held_out"
        )
    return rest, out


def validation_and_test(held_out: Sequence[Row], seed: int) -> tuple[list[Row], list[Row]]:
    """(validation, test): the rows that decide and those that report, in the order given. No problem stands in both.

    Problems alike in level and metadata are dealt out in turn, so that each half has its part of every stratum.
    SelfsownError where there are fewer than two problems.
    """
    problems: dict[str, Row] = {}
    for row in held_out:
        problems.setdefault(row.key, row)

    def order(key: str) -> tuple[int, list[tuple[str, str]], str]:
        row = problems[key]
        return row.level, sorted(row.metadata.items()), hashlib.sha256(f"halves {seed} {key}".encode()).hexdigest()

    if len(problems) < 2:
        raise SelfsownError(
            f"the {len(held_out)} held-out rows hold fewer than two different problems; half of them choose the best "
            "generation and the others report it: hold out more"
        )
    chosen = set(sorted(problems, key=order)[1::2])
    return [row for row in held_out if row.key in chosen], [row for row in held_out if row.key not in chosen]


def split_stream(
    pose: Callable[[], Iterable[Row]], held_out: int | float, seed: int, source: str
) -> Iterator[tuple[bool, Row]]:
    """Each row, in the order given, with whether it is held out. No problem stands on both sides.

    For rows too many for memory, and for no training: pose is called twice and must give the same rows, of which
    16 bytes each are kept; held_out may be 0, which takes one call. SelfsownError where a side would be empty.
    """
    if held_out == 0:
        yield from ((_examined(row), row) for row in pose())
        return
    salt = hashlib.sha256(f"sides {seed}".encode()).digest()
    hashes = array("Q", (_hash(row.key, salt) for row in pose()))
    wanted = round(held_out * len(hashes)) if held_out < 1 else int(held_out)
    chosen, taken = _chosen(hashes, wanted)
    if not 0 < taken < len(hashes):
        raise SelfsownError(
            f"{source} has {len(hashes)} rows, of which held_out: {held_out} sets {taken} aside and leaves "
            f"{len(hashes) - taken}; each side needs one or more: bring more rows or change held_out"
        )
    at = 0
    for at, row in enumerate(pose(), 1):
        if at > len(hashes):
            break
        place = bisect_left(chosen, hashes[at - 1])
        yield _examined(row) or (place < len(chosen) and chosen[place] == hashes[at - 1]), row
    if at != len(hashes):
        raise SelfsownError(f"{source} changed while it was read; give the same command again")


def _examined(row: Row) -> bool:
    """Whether the row is for examination only."""
    return EVALUATION_ONLY.items() <= row.metadata.items()


def _hash(key: str, salt: bytes) -> int:
    """Eight bytes of the problem; where two problems share them, they stand on one side, which does no harm."""
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8, key=salt).digest())


def _chosen(hashes: array[int], wanted: int) -> tuple[array[int], int]:
    """The problems to hold out, in order, and how many rows they are: the salt has drawn the order of all."""
    chosen, taken = array("Q"), 0
    for problem, same in groupby(np.sort(np.frombuffer(hashes, np.uint64))):
        if taken == wanted:
            break
        size = sum(1 for _ in same)
        if taken + size <= wanted:
            chosen.append(int(problem))
            taken += size
    return chosen, taken


def limit_rows(rows: Sequence[Row], learn: int, seed: int, source: str) -> list[Row]:
    """`learn` of the rows to learn from (0: all), in the order given: the fewer are always among the more."""
    if learn > len(rows):
        raise SelfsownError(f"learn is {learn}, but {source} leaves {len(rows)} rows to learn from; ask for fewer")
    if 0 < learn < MIN_ROWS:
        raise SelfsownError(f"learn is {learn}; a model needs {MIN_ROWS} rows or more to learn from, or 0: all of them")
    order = list(range(len(rows)))
    random.Random(f"learn {seed}").shuffle(order)
    return [rows[at] for at in sorted(order[: learn or None])]
