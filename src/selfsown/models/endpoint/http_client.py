"""One event loop, in a thread of its own, and one pool of connections for all the endpoints of a process."""

from __future__ import annotations

import asyncio
import atexit
import threading
from collections import Counter
from collections.abc import Coroutine
from concurrent.futures import CancelledError, Future, wait
from functools import cache
from typing import Any, TypeVar

import aiohttp
import uvloop

from selfsown.models.endpoint.coalescing import Shared
from selfsown.models.endpoint.rate_limiter import RateLimiter

Result = TypeVar("Result")
_lock = threading.Lock()
SIGNAL_SECONDS = 0.2  # until the waiting thread sees a Ctrl-C that the system delivered to another one
CONNECT_SECONDS = 4  # until a machine that does not answer is given up


class HttpClient:
    """What all endpoints share: the loop, the connections, the rate limiters, requests and batches in flight."""

    def __init__(self) -> None:
        self.loop = uvloop.new_event_loop()
        self.rate_limiters: dict[tuple[object, ...], RateLimiter] = {}
        self.running: dict[asyncio.Task[Any], object] = {}  # and its owner
        self.pending: dict[object, Shared] = {}  # requests in flight, by journal and key
        self.health_locks: dict[str, asyncio.Lock] = {}
        self.healthy_urls: set[str] = set()  # base URLs that have answered
        self.rejected_schemas: set[object] = set()  # schemas that a server rejects, each with URL and model
        self.batches_in_flight: dict[
            tuple[str, object, str], asyncio.Future[None]
        ] = {}  # by base URL, journal and name
        self.declined_rows = Counter[tuple[str, str]]()  # by base URL and model
        self.batches_collected = Counter[str]()  # by base URL
        self.write: Future[None] | None = None  # the newest transaction of a journal that is waited for
        self.on_disk = asyncio.Event()
        self.thread = threading.Thread(target=self.loop.run_forever, name="endpoints", daemon=True)
        self.thread.start()
        self.session = asyncio.run_coroutine_threadsafe(_session(), self.loop).result()
        atexit.register(self.close)

    def run(self, work: Coroutine[Any, Any, Result], owner: object) -> Result:
        """Run this in the loop and wait for the result; where the waiting is interrupted, the work is cancelled first.

        owner: the journal that it is done for, by which it may be cancelled.
        """
        result, tasks = Future[Result](), list[asyncio.Task[Result]]()

        def begin() -> None:
            tasks.append(self.loop.create_task(work))
            self.running[tasks[0]] = owner
            tasks[0].add_done_callback(over)

        def over(task: asyncio.Task[Result]) -> None:
            del self.running[task]
            error = CancelledError() if task.cancelled() else task.exception()
            result.set_exception(error) if error else result.set_result(task.result())

        self.loop.call_soon_threadsafe(begin)
        try:
            while wait([result], SIGNAL_SECONDS).not_done:
                continue
            return result.result()
        except BaseException:
            self.loop.call_soon_threadsafe(lambda: _cancel_once(tasks[0]))
            result.exception()
            raise

    async def wait_for_disk(self, write: Future[None]) -> None:
        """Wait until a transaction is on disk. All replies of one transaction share one event."""
        if write is not self.write:
            self.write, self.on_disk = write, asyncio.Event()
            wake = self.on_disk.set
            write.add_done_callback(lambda _: self.loop.call_soon_threadsafe(wake))
        await self.on_disk.wait()
        write.result()

    def cancel_owner(self, owner: object) -> None:
        """Cancel all work of this owner; its callers get a CancelledError, once the requests in flight have ended."""

        def end() -> None:
            for task in [task for task, its_owner in self.running.items() if its_owner is owner]:
                _cancel_once(task)

        self.loop.call_soon_threadsafe(end)

    def rate_limiter(self, model: tuple[str, str], max_in_flight: int, *per_minute: int) -> RateLimiter:
        """The rate limiter of this URL and model; what it has learned outlives the model's object."""
        key = model, max_in_flight, per_minute
        return self.rate_limiters.setdefault(key, RateLimiter(max_in_flight, *per_minute))

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self.session.close(), self.loop).result(5)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)
        self.loop.close()


def _cancel_once(task: asyncio.Task[Any]) -> None:
    """Cancel it once: a second time would interrupt the waiting for requests in flight."""
    if not task.cancelling():
        task.cancel()


def shared_client() -> HttpClient:
    """The one client of this process."""
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
