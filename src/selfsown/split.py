"""Real rows are split once, before anything else, into rows to learn from and rows to measure on."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence

from selfsown.records import Row, SelfsownError

LEAST = 10  # rows on either side, below which no number measured on them means anything


def split(rows: Sequence[Row], held_out: int | float, seed: int, source: str) -> tuple[list[Row], list[Row]]:
    """(to learn from, held out), in the order given. No problem stands on both sides.

    held_out is a number of rows, or below 1 a share. SelfsownError where too few rows remain on a side.
    """
    wanted = round(held_out * len(rows)) if held_out < 1 else int(held_out)
    problems: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        problems[row.key].append(row)
    keys = sorted(problems)
    random.Random(seed).shuffle(keys)
    chosen: set[str] = set()
    taken = 0
    for key in keys:
        if taken + len(problems[key]) <= wanted:
            chosen.add(key)
            taken += len(problems[key])
    out = [row for row in rows if row.key in chosen]
    rest = [row for row in rows if row.key not in chosen]
    if min(len(out), len(rest)) < LEAST:
        raise SelfsownError(
            f"{source} has {len(rows)} rows about {len(keys)} different problems, "
            f"of which held_out: {held_out} sets {len(out)} aside and leaves {len(rest)}; "
            f"each side needs {LEAST} or more: bring more rows or change held_out"
        )
    return rest, out


def first_of(rows: Sequence[Row], learn: int, seed: int, source: str) -> list[Row]:
    """`learn` of the rows to learn from (0: all), in the order given: the fewer are always among the more."""
    if learn > len(rows):
        raise SelfsownError(f"learn is {learn}, but {source} leaves {len(rows)} rows to learn from; ask for fewer")
    if 0 < learn < LEAST:
        raise SelfsownError(f"learn is {learn}; a model needs {LEAST} rows or more to learn from, or 0: all of them")
    order = list(range(len(rows)))
    random.Random(f"learn {seed}").shuffle(order)
    return [rows[at] for at in sorted(order[: learn or None])]
