"""Split real rows, once and before anything else, into rows to learn from and rows to measure on."""

from __future__ import annotations

import hashlib
import random
from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby

import numpy as np

from selfsown.errors import DataError
from selfsown.records import EVALUATION_ONLY, TRAINING_ONLY, Row

MIN_ROWS = 10  # on either side; measured on fewer rows, no number means anything


def split(rows: Sequence[Row], held_out: int | float, seed: int, source: str) -> tuple[list[Row], list[Row]]:
    """(to learn from, held out), in the order given. No problem is on both sides.

    held_out: a number of rows, or below 1 a share. Rows for evaluation only are held out first, all of them; problems
    with rows for training only are never held out, unless a row for evaluation only shares them.
    source: names the rows in errors. Raises DataError where too few rows are left on a side.
    """
    target = round(held_out * len(rows)) if held_out < 1 else int(held_out)
    problems: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        problems[row.key].append(row)
    keys = sorted(key for key, group in problems.items() if not any(map(_training_only, group)))
    random.Random(seed).shuffle(keys)
    chosen = {row.key for row in rows if _evaluation_only(row)}
    taken = sum(len(problems[key]) for key in chosen)
    for key in keys:
        if key not in chosen and taken + len(problems[key]) <= target:
            chosen.add(key)
            taken += len(problems[key])
    out = [row for row in rows if row.key in chosen]
    rest = [row for row in rows if row.key not in chosen]
    if min(len(out), len(rest)) < MIN_ROWS:
        raise DataError(
            f"{source} has {len(rows)} rows about {len(keys)} different problems, "
            f"of which held_out: {held_out} holds out {len(out)} and leaves {len(rest)} to learn from; "
            f"each needs {MIN_ROWS} or more: add rows, or change held_out"
        )
    return rest, out


def validation_and_test(held_out: Sequence[Row], seed: int) -> tuple[list[Row], list[Row]]:
    """(validation, test): the rows that decide and those that report, in the order given. No problem is in both.

    Problems with the same level and metadata alternate, so that each half has its part of every stratum.
    Raises DataError where there are fewer than two problems.
    """
    problems: dict[str, Row] = {}
    for row in held_out:
        problems.setdefault(row.key, row)

    def order(key: str) -> tuple[int, list[tuple[str, str]], str]:
        row = problems[key]
        return row.level, sorted(row.metadata.items()), hashlib.sha256(f"halves {seed} {key}".encode()).hexdigest()

    if len(problems) < 2:
        raise DataError(
            f"the {len(held_out)} held-out rows hold fewer than two different problems; one half chooses the best "
            "generation and the other reports it: hold out more rows"
        )
    chosen = set(sorted(problems, key=order)[1::2])
    return [row for row in held_out if row.key in chosen], [row for row in held_out if row.key not in chosen]


def split_stream(
    pose: Callable[[], Iterable[Row]], held_out: int | float, seed: int, source: str
) -> Iterator[tuple[bool, Row]]:
    """(whether it is held out, row) for each row, in the order given. No problem is on both sides.

    For rows that do not fit into memory and are not trained on. pose is called twice and must give the same rows, of
    which 16 bytes each are kept; with held_out 0 it is called once. Raises DataError where a side would be empty.
    """
    if held_out == 0:
        yield from ((_evaluation_only(row), row) for row in pose())
        return
    salt = hashlib.sha256(f"sides {seed}".encode()).digest()
    hashes = array("Q", (_hash(row.key, salt) for row in pose()))
    target = round(held_out * len(hashes)) if held_out < 1 else int(held_out)
    chosen, taken = _chosen(hashes, target)
    if not 0 < taken < len(hashes):
        raise DataError(
            f"{source} has {len(hashes)} rows, of which held_out: {held_out} holds out {taken} and leaves "
            f"{len(hashes) - taken}; each side needs one or more: add rows, or change held_out"
        )
    count = 0
    for count, row in enumerate(pose(), 1):
        if count > len(hashes):
            break
        problem = hashes[count - 1]
        position = bisect_left(chosen, problem)
        is_chosen = position < len(chosen) and chosen[position] == problem and not _training_only(row)
        yield _evaluation_only(row) or is_chosen, row
    if count != len(hashes):
        raise DataError(f"{source} changed while it was read; give the same command again")


def _evaluation_only(row: Row) -> bool:
    """Whether the row must be held out."""
    return EVALUATION_ONLY.items() <= row.metadata.items()


def _training_only(row: Row) -> bool:
    """Whether the row must not be held out."""
    return TRAINING_ONLY.items() <= row.metadata.items()


def _hash(key: str, salt: bytes) -> int:
    """Eight bytes of the problem's hash; two problems with the same hash are on the same side, which does no harm."""
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8, key=salt).digest())


def _chosen(hashes: array[int], target: int) -> tuple[array[int], int]:
    """(hashes of the problems to hold out, sorted; how many rows they are). The salt has shuffled all problems."""
    chosen, taken = array("Q"), 0
    for problem, same in groupby(np.sort(np.frombuffer(hashes, np.uint64))):
        if taken == target:
            break
        size = sum(1 for _ in same)
        if taken + size <= target:
            chosen.append(int(problem))
            taken += size
    return chosen, taken


def limit_rows(rows: Sequence[Row], max_train_rows: int, seed: int, source: str) -> list[Row]:
    """`max_train_rows` of the rows (0: all), in the order given; a smaller limit gives a part of a larger one's rows.

    Raises DataError where there are fewer rows than that, or the limit is too low to learn from.
    """
    if max_train_rows > len(rows):
        raise DataError(f"max_train_rows is {max_train_rows}, but {source} leaves {len(rows)} rows to learn from")
    if 0 < max_train_rows < MIN_ROWS:
        raise DataError(f"max_train_rows is {max_train_rows}; it must be {MIN_ROWS} or more, or 0: all rows")
    order = list(range(len(rows)))
    random.Random(f"learn {seed}").shuffle(order)
    return [rows[index] for index in sorted(order[: max_train_rows or None])]
