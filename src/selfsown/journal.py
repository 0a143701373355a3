"""Every reply of a paid model, on disk before anybody reads it, under a key made of all that shaped the request."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Literal

from selfsown.records import SelfsownError

CHUNK = 500  # keys that one question asks for

_TABLES = """
PRAGMA journal_mode = WAL;
CREATE TABLE IF NOT EXISTS replies (key TEXT PRIMARY KEY, request TEXT, reply TEXT);
CREATE TABLE IF NOT EXISTS batches (
    name TEXT PRIMARY KEY, url TEXT, before TEXT, file TEXT, id TEXT, state TEXT, keys TEXT
);
CREATE VIEW IF NOT EXISTS usage AS SELECT
    key,
    json_extract(request, '$.model') AS model,
    coalesce(json_extract(reply, '$.usage.prompt_tokens'), json_extract(reply, '$.usage.input_tokens')) AS prompt,
    coalesce(json_extract(reply, '$.usage.completion_tokens'), json_extract(reply, '$.usage.output_tokens'))
        AS completion,
    json_extract(reply, '$.usage.completion_tokens_details.reasoning_tokens') AS reasoning,
    coalesce(
        json_extract(reply, '$.usage.prompt_tokens_details.cached_tokens'),
        json_extract(reply, '$.usage.cache_read_input_tokens')
    ) AS cached
FROM replies WHERE json_valid(reply);
"""


@dataclass(frozen=True)
class Batch:
    """Requests that go out together. before: the server's newest batch when this one was planned; file, id: the
    server's names for its requests and for itself; keys: those whose replies are awaited."""

    name: str
    url: str
    before: str
    file: str = ""
    id: str = ""
    state: Literal["planned", "sent", "over"] = "planned"
    keys: tuple[str, ...] = ()


class Journal:
    """A file that comes into being with the first question. One thread writes, all that waits in one transaction."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock = threading.Condition()
        self.opening = threading.Lock()  # two that make the file at once would lock each other out
        self.waiting: list[tuple[str, str, str]] = []
        self.batch = _promise()
        self.writer: threading.Thread | None = None
        self.closing = False

    def read(self, keys: Sequence[str]) -> dict[str, str]:
        """The replies that are there under these keys."""
        found: dict[str, str] = {}
        try:
            connection = self._open()
            try:
                for at in range(0, len(keys), CHUNK):
                    some = keys[at : at + CHUNK]
                    marks = ",".join("?" * len(some))
                    found |= connection.execute(f"SELECT key, reply FROM replies WHERE key IN ({marks})", some)
            finally:
                connection.close()
        except sqlite3.Error as error:
            raise self._said(error) from error
        return found

    def keep(self, key: str, request: str, reply: str) -> Future[None]:
        """Done once the reply is on disk; all that are written together share one promise."""
        with self.lock:
            if not self.writer:
                self.closing = False
                self.writer = threading.Thread(target=self._write, name="journal", daemon=True)
                self.writer.start()
            self.waiting.append((key, request, reply))
            self.lock.notify()
            return self.batch

    def note_batch(self, batch: Batch) -> None:
        """On disk when this returns. What is over awaits no keys."""
        *fields, keys = astuple(batch)
        row = (*fields, "" if batch.state == "over" else " ".join(keys))
        try:
            connection = self._open()
            try:
                with connection:
                    connection.execute("INSERT OR REPLACE INTO batches VALUES (?, ?, ?, ?, ?, ?, ?)", row)
            finally:
                connection.close()
        except sqlite3.Error as error:
            raise self._said(error) from error

    def batches(self, url: str) -> list[Batch]:
        """All that went to this address, or are about to."""
        try:
            connection = self._open()
            try:
                rows = connection.execute("SELECT * FROM batches WHERE url = ?", (url,)).fetchall()
            finally:
                connection.close()
        except sqlite3.Error as error:
            raise self._said(error) from error
        return [Batch(*fields, tuple(keys.split())) for (*fields, keys) in rows]  # type: ignore[call-arg]

    def close(self) -> None:
        """Whatever waits is written first."""
        with self.lock:
            self.closing, writer, self.writer = True, self.writer, None
            self.lock.notify()
        if writer:
            writer.join()

    def _write(self) -> None:
        connection: sqlite3.Connection | None = None
        while True:
            with self.lock:
                self.lock.wait_for(lambda: self.waiting or self.closing)
                rows, promise = self.waiting, self.batch
                self.waiting, self.batch = [], _promise()
            if not rows:
                break
            try:
                connection = connection or self._open()
                with connection:
                    connection.executemany("INSERT OR REPLACE INTO replies VALUES (?, ?, ?)", rows)
                promise.set_result(None)
            except sqlite3.Error as error:
                promise.set_exception(self._said(error))
        if connection:
            connection.close()

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=60)
        try:
            with self.opening:
                connection.executescript(_TABLES)
            connection.execute("PRAGMA synchronous = FULL")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _said(self, error: sqlite3.Error) -> SelfsownError:
        if isinstance(error, sqlite3.OperationalError):
            remedy = "make room, or let the folder be written in, and give the same command again: the run goes on"
            return SelfsownError(f"{self.path} cannot be written or read: {error}; {remedy}")
        return SelfsownError(f"{self.path} is damaged ({error}); move it away, and its replies are asked for again")


def _promise() -> Future[None]:
    """One that is shared: who no longer waits for it cannot cancel it."""
    promise = Future[None]()
    promise.set_running_or_notify_cancel()
    return promise
