"""Better and worse answers to the same prompt, sorted on disk, as the rows of a prompt may be far apart."""

from __future__ import annotations

import hashlib
import pickle
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import groupby
from operator import itemgetter

from selfsown.records import Row

_CREATE_TABLE = "CREATE TABLE rows (number INTEGER PRIMARY KEY, prompt BLOB, score REAL, row BLOB)"


def preference_pairs(rows: Iterable[Row]) -> Iterator[tuple[Row, Row]]:
    """For each prompt the best kept row, and the worst of the rows with a lower score; of equals, the first."""
    with closing(sqlite3.connect("")) as scratch:  # a temporary file, deleted with the connection
        scratch.execute(_CREATE_TABLE)
        values = ((_prompt_hash(row), row.score, pickle.dumps(row)) for row in rows)
        scratch.executemany("INSERT INTO rows (prompt, score, row) VALUES (?, ?, ?)", values)
        scratch.execute("CREATE INDEX by_prompt ON rows (prompt, score DESC, number)")
        ordered = scratch.execute("SELECT prompt, row FROM rows ORDER BY prompt, score DESC, number")
        for _, siblings in groupby(ordered, itemgetter(0)):
            yield from _best_and_worst(pickle.loads(row) for _, row in siblings)


def _best_and_worst(siblings: Iterable[Row]) -> Iterator[tuple[Row, Row]]:
    """At most one pair. siblings: the rows of one prompt, from the best to the worst."""
    best: Row | None = None
    worst: Row | None = None
    for row in siblings:
        if best is None:
            best = None if row.status == "rejected" else row
        elif row.score < (worst or best).score and row.answer != best.answer:
            worst = row
    if best and worst:
        yield best, worst


def _prompt_hash(row: Row) -> bytes:
    """A hash of 16 bytes of the prompt with its system message and earlier turns."""
    return hashlib.sha256(repr(row.full_prompt).encode()).digest()[:16]
