"""Say each thing once: a row is rejected if a real row, an earlier generation or an earlier row says the same."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import chain, islice

from selfsown.records import Row

TOGETHER = 500  # rows that are looked up in one question


def curate(rows: Iterable[Row], real: Sequence[Row], past: Sequence[Row]) -> Iterator[Row]:
    """The same: prompt and answer alike, character for character.

    What was said is kept in a passing file, so that memory does not grow with the rows.
    """
    source = iter(rows)
    with closing(sqlite3.connect("")) as file:
        file.execute("CREATE TABLE said (what BLOB PRIMARY KEY, id TEXT) WITHOUT ROWID")
        file.executemany("INSERT OR IGNORE INTO said VALUES (?, ?)", ((_said(r), r.id) for r in chain(real, past)))
        while some := [(_said(row), row) for row in islice(source, TOGETHER)]:
            marks = ",".join("?" * len(some))
            seen = dict(file.execute(f"SELECT what, id FROM said WHERE what IN ({marks})", [what for what, _ in some]))
            new: dict[bytes, str] = {}
            for what, row in some:
                first = seen.get(what) or new.get(what)
                yield row.rejected(f"duplicates: said before by {first}") if first else row
                if not first:
                    new[what] = row.id
            file.executemany("INSERT INTO said VALUES (?, ?)", new.items())


def _said(row: Row) -> bytes:
    return hashlib.blake2b(repr((row.prompt, row.answer)).encode(), digest_size=16).digest()
