"""Every reply of a paid model, on disk before anybody reads it, under a key made of all that shaped the request; and
every request that was sent, whatever became of it."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from selfsown.records import SelfsownError
from selfsown.usage.budget import Budget, Meter

KEYS_PER_QUERY = 500  # keys that one question asks for

_TABLES = """
PRAGMA journal_mode = WAL;
CREATE TABLE IF NOT EXISTS replies (key TEXT PRIMARY KEY, request TEXT, reply TEXT);
CREATE TABLE IF NOT EXISTS calls (
    time REAL, key TEXT, role TEXT, stage TEXT, model TEXT, host TEXT, outcome TEXT, input INTEGER, output INTEGER,
    reasoning INTEGER, cached INTEGER, written INTEGER, usd REAL, seconds REAL, batch INTEGER
);
CREATE TABLE IF NOT EXISTS batches (
    name TEXT PRIMARY KEY, url TEXT, before TEXT, file TEXT, id TEXT, state TEXT, keys TEXT
);
"""


class Call(NamedTuple):
    """A request that was sent, as the ledger counts it.

    outcome: answered; declined, where that row alone was; stopped, where the server takes none; otherwise why it was in
    vain: busy, status, timeout, reset, unreadable, or dropped, where nobody waited for the reply any more.
    money in dollars; what the server did not say, or nobody knows, is None. seconds until there was an answer.
    """

    time: float
    key: str
    role: str
    stage: str
    model: str
    host: str
    outcome: str
    input_tokens: int | None
    output_tokens: int | None
    reasoning_tokens: int | None
    cached_tokens: int | None
    cache_write_tokens: int | None
    usd: float | None
    seconds: float
    batch: bool


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
    """A file that comes into being with the first question. One thread writes, all that waits in one transaction.

    meter: what was sent since the journal was opened. budget: a cap on it, and on what was spent before.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.meter = Meter()
        self.budget: Budget | None = None
        self.lock = threading.Condition()
        self.replies: list[tuple[str, str, str]] = []
        self.calls: list[Call] = []
        self.reader: sqlite3.Connection | None = None  # for all threads, in turn: opening one takes longer than reading
        self.reading = threading.Lock()
        self.opening = threading.Lock()  # two that make the file at once would lock each other out
        self.batch = _promise()
        self.writer: threading.Thread | None = None

    def read(self, keys: Sequence[str]) -> dict[str, str]:
        """The replies that are there under these keys."""
        found: dict[str, str] = {}
        with self.reading:
            try:
                self.reader = self.reader or self._open()
                for at in range(0, len(keys), KEYS_PER_QUERY):
                    some = keys[at : at + KEYS_PER_QUERY]
                    marks = ",".join("?" * len(some))
                    found |= self.reader.execute(f"SELECT key, reply FROM replies WHERE key IN ({marks})", some)
            except sqlite3.Error as error:
                raise self._said(error) from error
        return found

    def hosts(self, model: str) -> list[str]:
        """Where this model has answered."""
        question = "SELECT DISTINCT host FROM calls WHERE model = ? AND outcome = 'answered'"
        return [host for (host,) in self._found(question, (model,))]

    def answered_requests(self, host: str, model: str, most: int = 100) -> list[str]:
        """Those that this model answered, as they were sent, the latest."""
        question = (
            "SELECT request FROM replies WHERE key IN (SELECT key FROM calls WHERE host = ? AND model = ? "
            "AND outcome = 'answered' ORDER BY rowid DESC LIMIT ?)"
        )
        return [request for (request,) in self._found(question, (host, model, most))]

    def _found(self, question: str, values: Sequence[object]) -> list[tuple[str, ...]]:
        with self.reading:
            try:
                self.reader = self.reader or self._open()
                return self.reader.execute(question, values).fetchall()
            except sqlite3.Error as error:
                raise self._said(error) from error

    def store_reply(self, key: str, request: str, reply: str, call: Call | None = None) -> Future[None]:
        """Done once the reply is on disk, and its call; all that are written together share one promise."""
        with self.lock:
            self.replies.append((key, request, reply))
            return self._add(call)

    def store_call(self, call: Call) -> Future[None]:
        """The same for a request without a reply."""
        with self.lock:
            return self._add(call)

    def _add(self, call: Call | None) -> Future[None]:
        if not self.writer:
            self.writer = threading.Thread(target=self._write, name="journal", daemon=True)
            self.writer.start()
        if call:
            self.calls.append(call)
            _count(self.meter, call)
        self.lock.notify_all()
        return self.batch

    def store_batch(self, batch: Batch) -> None:
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
            writer, self.writer = self.writer, None
            self.lock.notify_all()
        if writer:
            writer.join()
        with self.reading:
            if self.reader:
                self.reader.close()
            self.reader = None

    def _write(self) -> None:
        me, connection = threading.current_thread(), None
        while True:
            with self.lock:
                self.lock.wait_for(lambda: self.replies or self.calls or self.writer is not me)
                if self.writer not in (me, None):
                    break  # closed, and another writes what has come since
                replies, calls, promise = self.replies, self.calls, self.batch
                self.replies, self.calls, self.batch = [], [], _promise()
            if not (replies or calls):
                break
            try:
                connection = connection or self._open()
                with connection:
                    connection.executemany("INSERT OR REPLACE INTO replies VALUES (?, ?, ?)", replies)
                    connection.executemany(f"INSERT INTO calls VALUES ({','.join('?' * len(Call._fields))})", calls)
                promise.set_result(None)
            except sqlite3.Error as error:
                promise.set_exception(self._said(error))
        if connection:
            connection.close()

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=60, check_same_thread=False)
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


def _count(meter: Meter, call: Call) -> None:
    meter.requests += 1
    meter.input_tokens += call.input_tokens or 0
    meter.output_tokens += call.output_tokens or 0
    if call.usd is None:
        meter.usd = None if call.outcome == "answered" else meter.usd
    elif meter.usd is not None:
        meter.usd += call.usd


def _promise() -> Future[None]:
    """One that is shared: who no longer waits for it cannot cancel it."""
    promise = Future[None]()
    promise.set_running_or_notify_cancel()
    return promise
