"""Remove exact duplicates: rows whose text a real row, an earlier generation or an earlier row has."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import chain, islice

from selfsown.records import Row
from selfsown.text.chat import PROMPT_METADATA
from selfsown.text.normalize import unified

STREAMS = True

BATCH_ROWS = 500  # rows looked up in one query


def curate(rows: Iterable[Row], real: Sequence[Row], past: Sequence[Row]) -> Iterator[Row]:
    """The same text: prompt and answer equal character for character after Unicode normalization, with the same system
    message and tools.

    Hashes are kept in a temporary file, so that memory does not grow with the rows.
    """
    source = iter(rows)
    with closing(sqlite3.connect("")) as database:
        database.execute("CREATE TABLE seen (hash INTEGER PRIMARY KEY, id TEXT)")
        known = ((_hash(row), row.id) for row in chain(real, past))
        database.executemany("INSERT OR IGNORE INTO seen VALUES (?, ?)", known)
        while batch := [(_hash(row), row) for row in islice(source, BATCH_ROWS)]:
            marks = ",".join("?" * len(batch))
            query = f"SELECT hash, id FROM seen WHERE hash IN ({marks})"
            seen = dict(database.execute(query, [key for key, _ in batch]))
            new: dict[int, str] = {}
            for key, row in batch:
                first = seen.get(key) or new.get(key)
                yield row.rejected(f"dedup: same text as {first}") if first else row
                if not first:
                    new[key] = row.id
            database.executemany("INSERT INTO seen VALUES (?, ?)", new.items())


def _hash(row: Row) -> int:
    """64 bits: among a million rows, the chance that two different ones collide is one in forty million."""
    text = repr((unified(row.prompt), unified(row.answer), *map(row.metadata.get, PROMPT_METADATA))).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), signed=True)
