"""One event loop, in a thread of its own, and one pool of connections for all the endpoints of a process."""

from __future__ import annotations

import asyncio
import atexit
import threading
from collections import Counter
from collections.abc import Coroutine
from concurrent.futures import CancelledError, Future
from functools import cache
from typing import Any, TypeVar

import aiohttp
import uvloop

from selfsown.models.endpoint.api_formats import ParsedReply
from selfsown.models.endpoint.rate_limiter import RateLimiter

Found = TypeVar("Found")
_lock = threading.Lock()
CONNECT_SECONDS = 4  # seconds until a machine that does not answer is given up


class HttpClient:
    """What endpoints share: the loop, the connections, the gates, and the requests and batches that are out."""

    def __init__(self) -> None:
        self.loop = uvloop.new_event_loop()
        self.rate_limiters: dict[tuple[object, ...], RateLimiter] = {}
        self.running: dict[asyncio.Task[Any], object] = {}  # and for whom
        self.pending: dict[object, asyncio.Future[ParsedReply | None]] = {}
        self.health_locks: dict[str, asyncio.Lock] = {}
        self.healthy_urls: set[str] = set()  # the addresses that have answered
        self.rejected_schemas: set[object] = set()  # the schemas that a server does not take, each with its url and model
        self.batches_in_flight: dict[tuple[str, object, str], asyncio.Future[None]] = {}  # by address, journal and name
        self.declined_rows = Counter[tuple[str, str]]()  # rows, by address and model
        self.batches_collected = Counter[str]()  # batches, by address
        self.promise: Future[None] | None = None
        self.disk = asyncio.Event()
        self.thread = threading.Thread(target=self.loop.run_forever, name="endpoints", daemon=True)
        self.thread.start()
        self.session = asyncio.run_coroutine_threadsafe(_session(), self.loop).result()
        atexit.register(self.close)

    def run(self, work: Coroutine[Any, Any, Found], owner: object) -> Found:
        """Do this within the loop and wait for it; where the waiting is broken off, the work is ended first. owner: the
        journal that it is done for, by which it may be halted."""
        found, tasks = Future[Found](), list[asyncio.Task[Found]]()

        def begin() -> None:
            tasks.append(self.loop.create_task(work))
            self.running[tasks[0]] = owner
            tasks[0].add_done_callback(over)

        def over(task: asyncio.Task[Found]) -> None:
            del self.running[task]
            error = CancelledError() if task.cancelled() else task.exception()
            found.set_exception(error) if error else found.set_result(task.result())

        self.loop.call_soon_threadsafe(begin)
        try:
            return found.result()
        except BaseException:
            self.loop.call_soon_threadsafe(lambda: _end(tasks[0]))
            found.exception()
            raise

    async def wait_for_disk(self, promise: Future[None]) -> None:
        """Wait for the disk. All whose replies are written together wait for the same, and are woken together."""
        if promise is not self.promise:
            self.promise, self.disk = promise, asyncio.Event()
            wake = self.disk.set
            promise.add_done_callback(lambda _: self.loop.call_soon_threadsafe(wake))
        await self.disk.wait()
        promise.result()

    def cancel_owner(self, owner: object) -> None:
        """End what is going on for this owner; who waits for it gets a CancelledError, once what is out is back."""

        def end() -> None:
            for task in [task for task, whose in self.running.items() if whose is owner]:
                _end(task)

        self.loop.call_soon_threadsafe(end)

    def rate_limiter(self, where: tuple[str, str], most: int, *a_minute: int) -> RateLimiter:
        """The gate of this url and model; what it has learned outlives the model's object."""
        return self.rate_limiters.setdefault((where, most, a_minute), RateLimiter(most, *a_minute))

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self.session.close(), self.loop).result(5)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)
        self.loop.close()


def _end(task: asyncio.Task[Any]) -> None:
    """Once: a second time would break off the waiting for what is out."""
    if not task.cancelling():
        task.cancel()


def shared_client() -> HttpClient:
    """The process's only one."""
    with _lock:
        return _only()


@cache
def _only() -> HttpClient:
    return HttpClient()


async def _session() -> aiohttp.ClientSession:
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()
    )
