"""Say each thing once: a row is rejected if a real row, an earlier generation or an earlier row says the same."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import chain

from selfsown.records import Row


def curate(rows: Iterable[Row], real: Sequence[Row], past: Sequence[Row]) -> Iterator[Row]:
    """The same: prompt and answer alike, character for character.

    What was said is kept in a passing file, so that memory does not grow with the rows.
    """
    with closing(sqlite3.connect("")) as seen:
        seen.execute("CREATE TABLE said (what BLOB PRIMARY KEY, id TEXT) WITHOUT ROWID")
        seen.executemany("INSERT OR IGNORE INTO said VALUES (?, ?)", map(_said, chain(real, past)))
        for row in rows:
            what, own = _said(row)
            if seen.execute("INSERT OR IGNORE INTO said VALUES (?, ?)", (what, own)).rowcount:
                yield row
            else:
                ((first,),) = seen.execute("SELECT id FROM said WHERE what = ?", (what,))
                yield row.rejected(f"duplicates: said before by {first}")


def _said(row: Row) -> tuple[bytes, str]:
    return hashlib.blake2b(repr((row.prompt, row.answer)).encode(), digest_size=16).digest(), row.id
