"""Better and worse answers to the same prompt, found on disk: rows of one prompt may lie far apart."""

from __future__ import annotations

import hashlib
import pickle
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import groupby
from operator import itemgetter

from selfsown.records import Row

_ROWS = "CREATE TABLE rows (at INTEGER PRIMARY KEY, prompt BLOB, score REAL, row BLOB)"


def pairs(rows: Iterable[Row]) -> Iterator[tuple[Row, Row]]:
    """For each prompt the best kept row and the worst of the lower graded ones; of equals, the first."""
    with closing(sqlite3.connect("")) as scratch:  # a file of SQLite's own, gone with the connection
        scratch.execute(_ROWS)
        lines = ((_prompt(row), row.score, pickle.dumps(row)) for row in rows)
        scratch.executemany("INSERT INTO rows (prompt, score, row) VALUES (?, ?, ?)", lines)
        scratch.execute("CREATE INDEX by_prompt ON rows (prompt, score DESC, at)")
        found = scratch.execute("SELECT prompt, row FROM rows ORDER BY prompt, score DESC, at")
        for _, siblings in groupby(found, itemgetter(0)):
            yield from _best_and_worst(pickle.loads(row) for _, row in siblings)


def _best_and_worst(siblings: Iterable[Row]) -> Iterator[tuple[Row, Row]]:
    """None or one pair of these, which come from the best to the worst."""
    best: Row | None = None
    worst: Row | None = None
    for row in siblings:
        if best is None:
            best = None if row.status == "rejected" else row
        elif row.score < (worst or best).score and row.answer != best.answer:
            worst = row
    if best and worst:
        yield best, worst


def _prompt(row: Row) -> bytes:
    """What is asked, with the system message and earlier turns, as sixteen bytes."""
    return hashlib.sha256(repr(row.full_prompt).encode()).digest()[:16]
