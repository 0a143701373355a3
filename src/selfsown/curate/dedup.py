"""Say each thing once: a row is rejected if a real row, an earlier generation or an earlier row says the same."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import chain, islice

from selfsown.records import Row
from selfsown.text.chat import PROMPT_TRAITS
from selfsown.text.normalize import unified

STREAMS = True

TOGETHER = 500  # rows that are looked up in one question


def curate(rows: Iterable[Row], real: Sequence[Row], past: Sequence[Row]) -> Iterator[Row]:
    """The same: prompt and answer alike, character for character, however Unicode spells them, under the same system
    message and tools.

    What was said is kept in a passing file, so that memory does not grow with the rows.
    """
    source = iter(rows)
    with closing(sqlite3.connect("")) as file:
        file.execute("CREATE TABLE said (what INTEGER PRIMARY KEY, id TEXT)")
        file.executemany("INSERT OR IGNORE INTO said VALUES (?, ?)", ((_said(r), r.id) for r in chain(real, past)))
        while some := [(_said(row), row) for row in islice(source, TOGETHER)]:
            marks = ",".join("?" * len(some))
            seen = dict(file.execute(f"SELECT what, id FROM said WHERE what IN ({marks})", [what for what, _ in some]))
            new: dict[int, str] = {}
            for what, row in some:
                first = seen.get(what) or new.get(what)
                yield row.rejected(f"duplicates: said before by {first}") if first else row
                if not first:
                    new[what] = row.id
            file.executemany("INSERT INTO said VALUES (?, ?)", new.items())


def _said(row: Row) -> int:
    """Eight bytes of it: among a million rows, two that differ share them once in forty million times."""
    said = repr((unified(row.prompt), unified(row.answer), *map(row.metadata.get, PROMPT_TRAITS))).encode()
    return int.from_bytes(hashlib.blake2b(said, digest_size=8).digest(), signed=True)
