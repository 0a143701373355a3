"""The journal: every reply of a model behind a server, on disk before it is used, under a hash of everything that
shaped the request; and every request that was sent, with its outcome and usage."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from selfsown.errors import RunFolderError, SelfsownError
from selfsown.usage.budget import Budget, Meter

KEYS_PER_QUERY = 500  # in one SQL statement
UNBILLED_OUTCOMES = ("busy", "status", "declined", "stopped")  # of a request

StoredReply = tuple[str, str, str]  # key, request and reply

_TABLES = """
PRAGMA journal_mode = WAL;
CREATE TABLE IF NOT EXISTS replies (key TEXT PRIMARY KEY, request TEXT, reply TEXT);
CREATE TABLE IF NOT EXISTS calls (
    time REAL, key TEXT, role TEXT, stage TEXT, model TEXT, host TEXT, outcome TEXT, input_tokens INTEGER,
    output_tokens INTEGER, reasoning_tokens INTEGER, cached_tokens INTEGER, cache_write_tokens INTEGER,
    usd REAL, seconds REAL, batch INTEGER
);
CREATE TABLE IF NOT EXISTS batches (
    name TEXT PRIMARY KEY, url TEXT, before TEXT, file TEXT, id TEXT, state TEXT, keys TEXT
);
"""


class Call(NamedTuple):
    """A request that was sent.

    time: of its end, in seconds since 1970. key: of its reply. outcome: answered; declined, where the server rejects
    this row; stopped, where it rejects all; otherwise why it failed: busy, status, timeout, reset, unreadable, or
    dropped, where the run ended first. Token counts and usd (dollars) are None where unknown. seconds: until the reply.
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
    """Requests that are sent together.

    name: our own. url: of the API. before: the server's newest batch when this one was planned. file, id: the server's
    ids of its requests and of itself. keys: of the replies that are waited for.
    """

    name: str
    url: str
    before: str
    file: str = ""
    id: str = ""
    state: Literal["planned", "sent", "over"] = "planned"
    keys: tuple[str, ...] = ()


class Journal:
    """An SQLite file, created at the first access. One thread writes, all that waits in one transaction.

    meter: usage since the journal was opened. budget: a cap on it, and on the usage before.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.meter = Meter()
        self.budget: Budget | None = None
        self.lock = threading.Condition()
        self.replies: list[StoredReply] = []
        self.calls: list[Call] = []
        self.reader: sqlite3.Connection | None = None  # for all threads, in turn: opening one takes longer than reading
        self.reading = threading.Lock()
        self.opening = threading.Lock()  # two that create the file at once would lock each other out
        self.transaction = _new_transaction()
        self.writer: threading.Thread | None = None

    def read(self, keys: Sequence[str]) -> dict[str, str]:
        """The stored replies under these keys."""
        replies: dict[str, str] = {}
        with self.reading:
            try:
                self.reader = self.reader or self._open()
                for start in range(0, len(keys), KEYS_PER_QUERY):
                    chunk = keys[start : start + KEYS_PER_QUERY]
                    marks = ",".join("?" * len(chunk))
                    replies |= self.reader.execute(f"SELECT key, reply FROM replies WHERE key IN ({marks})", chunk)
            except sqlite3.Error as error:
                raise self._error(error) from error
        return replies

    def hosts(self, model: str) -> list[str]:
        """The hosts at which this model has answered."""
        query = "SELECT DISTINCT host FROM calls WHERE model = ? AND outcome = 'answered'"
        return [host for (host,) in self.query(query, (model,))]

    def answered_requests(self, host: str, model: str, limit: int = 100) -> list[str]:
        """The bodies of the latest requests that this model answered."""
        query = (
            "SELECT request FROM replies WHERE key IN (SELECT key FROM calls WHERE host = ? AND model = ? "
            "AND outcome = 'answered' ORDER BY rowid DESC LIMIT ?)"
        )
        return [request for (request,) in self.query(query, (host, model, limit))]

    def unpaid_replies(self) -> list[tuple[str, ...]]:
        """(key, reply) of each that came from no server: samples of a model in this process."""
        return self.query("SELECT key, reply FROM replies WHERE key NOT IN (SELECT key FROM calls)", ())

    def may_be_paid(self) -> bool:
        """Whether any request may have cost something: it was answered, or may have been, or waits in a batch."""
        if not self.path.exists():
            return False
        unbilled = ",".join("?" * len(UNBILLED_OUTCOMES))
        query = f"SELECT key FROM calls WHERE outcome NOT IN ({unbilled}) UNION ALL SELECT name FROM batches LIMIT 1"
        return bool(self.query(query, UNBILLED_OUTCOMES))

    def query(self, query: str, values: Sequence[object]) -> list[tuple[str, ...]]:
        """The rows of an SQL query."""
        with self.reading:
            try:
                self.reader = self.reader or self._open()
                return self.reader.execute(query, values).fetchall()
            except sqlite3.Error as error:
                raise self._error(error) from error

    def store_reply(self, key: str, request: str, reply: str, call: Call | None = None) -> Future[None]:
        """Store a reply and its call; done once both are on disk. All of one transaction share one future."""
        with self.lock:
            self.replies.append((key, request, reply))
            return self._add(call)

    def store_call(self, call: Call) -> Future[None]:
        """The same for a request without a reply."""
        with self.lock:
            return self._add(call)

    def _add(self, call: Call | None = None) -> Future[None]:
        if not self.writer:
            self.writer = threading.Thread(target=self._write, name="journal", daemon=True)
            self.writer.start()
        if call:
            self.calls.append(call)
            _add_to_meter(self.meter, call)
        self.lock.notify_all()
        return self.transaction

    def store_batch(self, batch: Batch) -> None:
        """Store the state of a batch; it is on disk when this returns. A batch that is over waits for no keys."""
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
            raise self._error(error) from error

    def batches(self, url: str) -> list[Batch]:
        """All batches of this URL, including those being sent."""
        try:
            connection = self._open()
            try:
                rows = connection.execute("SELECT * FROM batches WHERE url = ?", (url,)).fetchall()
            finally:
                connection.close()
        except sqlite3.Error as error:
            raise self._error(error) from error
        return [Batch(*fields, tuple(keys.split())) for (*fields, keys) in rows]  # type: ignore[call-arg]

    def close(self) -> None:
        """Close the file, after writing everything that waits."""
        with self.lock:
            writer, self.writer = self.writer, None
            self.lock.notify_all()
        if writer:
            writer.join()
        with self.reading:
            if self.reader:
                self.reader.close()
            self.reader = None

    def store(self, replies: Sequence[StoredReply], calls: Sequence[Call]) -> Future[None]:
        """Store several at once, as `store_reply` does."""
        with self.lock:
            self.replies += replies
            for call in calls[1:]:
                self._add(call)
            return self._add(*calls[:1])

    def _write(self) -> None:
        me = threading.current_thread()
        with self._writing() as commit:
            while True:
                with self.lock:
                    self.lock.wait_for(lambda: self.replies or self.calls or self.writer is not me)
                    if self.writer not in (me, None):
                        return  # closed, and another writes what has come since
                    replies, calls, transaction = self.replies, self.calls, self.transaction
                    self.replies, self.calls, self.transaction = [], [], _new_transaction()
                if not (replies or calls):
                    return
                try:
                    commit(replies, calls)
                    transaction.set_result(None)
                except SelfsownError as error:
                    transaction.set_exception(error)

    @contextmanager
    def _writing(self) -> Iterator[Callable[[Sequence[StoredReply], Sequence[Call]], None]]:
        """A function that puts replies and calls on disk, in one transaction; for one thread."""
        connection: sqlite3.Connection | None = None

        def commit(replies: Sequence[StoredReply], calls: Sequence[Call]) -> None:
            nonlocal connection
            try:
                connection = connection or self._open()
                with connection:
                    connection.executemany("INSERT OR REPLACE INTO replies VALUES (?, ?, ?)", replies)
                    connection.executemany(f"INSERT INTO calls VALUES ({','.join('?' * len(Call._fields))})", calls)
            except sqlite3.Error as error:
                raise self._error(error) from error

        yield commit
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

    def _error(self, error: sqlite3.Error) -> RunFolderError:
        if isinstance(error, sqlite3.OperationalError):
            remedy = "free disk space, or make the folder writable, and run the same command again to continue"
            return RunFolderError(f"{self.path} cannot be read or written: {error}; {remedy}")
        return RunFolderError(f"{self.path} is damaged ({error}); move it away, and its replies are requested again")


def _add_to_meter(meter: Meter, call: Call) -> None:
    meter.requests += 1
    meter.input_tokens += call.input_tokens or 0
    meter.output_tokens += call.output_tokens or 0
    if call.usd is None:
        meter.usd = None if call.outcome == "answered" else meter.usd
    elif meter.usd is not None:
        meter.usd += call.usd


def _new_transaction() -> Future[None]:
    """A future that is shared, so that no single waiter can cancel it."""
    transaction = Future[None]()
    transaction.set_running_or_notify_cancel()
    return transaction
