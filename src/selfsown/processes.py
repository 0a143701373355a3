"""Work on batches in forked processes, several at a time, with results in the order of the batches.

A fork shares the memory of the process that it comes from, so an index of any size is there at once, and it needs no
more memory. Nothing but the batches and the results is sent.
"""

from __future__ import annotations

import contextlib
import gc
import marshal
import os
import select
import signal
import socket
import struct
import sys
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NoReturn, TypeAlias, TypeVar

from selfsown.errors import ExitCode, SelfsownError
from selfsown.parallel import usable_cores

Kept = TypeVar("Kept")
Plain: TypeAlias = Any  # what marshal can send: texts, numbers, and lists and tuples of them

BATCHES_AHEAD = 4  # for each process: the batches that are worked on, wait, or are done before those ahead of them
_PATIENCE_SECONDS = 1.0  # a process that waited so long looks whether the one that started it is still there
_SIZE = struct.Struct(">Q")
_PART_BYTES = 1 << 18


def usable_processes() -> int:
    """One for each core; 1 where forks do not share memory safely: work in this process."""
    return usable_cores() if sys.platform == "linux" else 1


def map_forked(
    work: Callable[[Plain], Plain], batches: Iterable[tuple[Kept, Plain]], processes: int
) -> Iterator[tuple[Kept, Plain]]:
    """Each batch's first part, and the result of `work` for its second part, in order.

    work: must not use threads, files or locks: the processes are forks of one that may have any. Of the batches, at
    most BATCHES_AHEAD for each process are read before their turn; an error of theirs is raised after the results of
    all before it, one of `work` by working on the batch here. All processes end with the iterator, or with this
    process. Where no process can be started, all is done here. Raises SelfsownError where a process ends by itself.
    """
    source, waiting = iter(batches), deque[tuple[Kept, Plain, _Worker]]()
    error: Exception | None = None
    is_more = True
    with _forks(work, processes) as workers:
        if not workers:
            yield from ((kept, work(sent)) for kept, sent in source)
            return
        while is_more or waiting:
            while is_more and len(waiting) < BATCHES_AHEAD * processes and not (waiting and waiting[0][2].results):
                try:
                    kept, sent = next(source)
                except StopIteration:
                    is_more = False
                except Exception as raised:
                    is_more, error = False, raised
                else:
                    worker = min(workers, key=lambda worker: worker.unfinished)
                    worker.send(sent)
                    waiting.append((kept, sent, worker))
                _exchange(workers, wait=False)
            if waiting:
                kept, sent, worker = waiting.popleft()
                while not worker.results:
                    _exchange(workers, wait=True)
                result = worker.results.popleft()
                yield kept, work(sent) if result is None else result
    if error:
        raise error


@contextlib.contextmanager
def _forks(work: Callable[[Plain], Plain], count: int) -> Iterator[list[_Worker]]:
    workers = list[_Worker]()
    try:
        with contextlib.suppress(OSError):  # too many processes on this machine: fewer will do
            for _ in range(count):
                workers.append(_Worker(work))
        yield workers
    finally:
        for worker in workers:
            worker.end()


def _exchange(workers: Sequence[_Worker], *, wait: bool) -> None:
    """Send what waits to be sent, and take the results that are there. wait: until there is anything to do."""
    poll, by_file = select.poll(), {worker.file: worker for worker in workers}
    for worker in workers:
        poll.register(worker.file, select.POLLIN | (select.POLLOUT if worker.is_sending else 0))
    for file, _ in poll.poll(None if wait else 0):
        by_file[file].exchange()


class _Worker:
    """A forked process, as the one that started it sees it."""

    def __init__(self, work: Callable[[Plain], Plain]) -> None:
        self.results = deque[Plain]()
        self.unfinished = 0  # batches sent to it that it has not done
        self._outgoing, self._incoming = bytearray(), bytearray()
        self._parent = os.getpid()
        self._socket, other_end = socket.socketpair()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # of a fork while threads run: it takes no locks
                self._pid = os.fork()
            if not self._pid:
                _serve(work, other_end, self._parent)
        except OSError:
            self._socket.close()
            raise
        finally:
            other_end.close()
        self._socket.setblocking(False)

    @property
    def file(self) -> int:
        return self._socket.fileno()

    @property
    def is_sending(self) -> bool:
        return bool(self._outgoing)

    def send(self, batch: Plain) -> None:
        """Have it work on a batch; `exchange` sends it."""
        self._outgoing += _message(batch)
        self.unfinished += 1

    def exchange(self) -> None:
        """Send and receive as much as is possible at once. Raises SelfsownError where the process has ended."""
        try:
            while self._outgoing:
                del self._outgoing[: self._socket.send(self._outgoing)]
        except BlockingIOError:
            pass
        except OSError:
            raise self._ended() from None
        try:
            while part := self._socket.recv(_PART_BYTES):
                self._incoming += part
            raise self._ended()
        except BlockingIOError:
            pass
        except OSError:
            raise self._ended() from None
        while len(self._incoming) >= _SIZE.size:
            end = _SIZE.size + _SIZE.unpack_from(self._incoming)[0]
            if len(self._incoming) < end:
                break
            self.results.append(marshal.loads(self._incoming[_SIZE.size : end]))
            del self._incoming[:end]
            self.unfinished -= 1

    def end(self) -> None:
        """End the process, whatever it does."""
        self._socket.close()
        if self._pid and os.getpid() == self._parent:  # and not in a fork of the parent that ends
            with contextlib.suppress(OSError):
                os.kill(self._pid, signal.SIGKILL)
                os.waitpid(self._pid, 0)
            self._pid = 0

    def _ended(self) -> SelfsownError:
        pid, self._pid, code = self._pid, 0, 0
        with contextlib.suppress(OSError):
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        how = f"by signal {-code}" if code < 0 else f"with code {code}"
        return SelfsownError(
            f"a process that works on a share of the rows ended {how}, perhaps because memory ran out; run this again, "
            "with more memory or on one core",
            code=ExitCode.FAILED,
        )


def _message(value: Plain) -> bytes:
    data = marshal.dumps(value)
    return _SIZE.pack(len(data)) + data


def _serve(work: Callable[[Plain], Plain], connection: socket.socket, parent: int) -> NoReturn:
    """In the fork: work on batches until the parent hangs up or is gone. It sends None for a batch that fails."""
    code = 1
    try:
        gc.freeze()  # what comes from the parent is neither searched for garbage, which would copy it, nor finalized
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupted parent ends it
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        _close_files(connection.fileno())
        connection.settimeout(_PATIENCE_SECONDS)
        while True:
            size = _SIZE.unpack(_received(connection, _SIZE.size, parent))[0]
            batch = marshal.loads(_received(connection, size, parent))
            try:
                result = work(batch)
            except Exception:
                result = None
            _send(connection, _message(result), parent)
    except (EOFError, OSError):
        code = 0
    finally:
        os._exit(code)  # it must never go on as its parent


def _close_files(without: int) -> None:
    """Close all files of the parent, which must end for others when the parent closes them."""
    null = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(null, standard)
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2 and int(name) != without:
            with contextlib.suppress(OSError):
                os.close(int(name))


def _received(connection: socket.socket, size: int, parent: int) -> bytes:
    """So many bytes. Raises EOFError where the parent is gone."""
    data = bytearray()
    while len(data) < size:
        with _patience(parent):
            part = connection.recv(min(size - len(data), _PART_BYTES))
            if not part:
                raise EOFError
            data += part
    return bytes(data)


def _send(connection: socket.socket, data: bytes, parent: int) -> None:
    rest = memoryview(data)
    while rest:
        with _patience(parent):
            rest = rest[connection.send(rest) :]


@contextlib.contextmanager
def _patience(parent: int) -> Iterator[None]:
    """Ignore that nothing came for a while, unless the parent is gone."""
    try:
        yield
    except TimeoutError:
        if os.getppid() != parent:
            raise EOFError from None
