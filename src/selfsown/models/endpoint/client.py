"""One event loop, in a thread of its own, and one pool of connections for all the endpoints of a process."""

from __future__ import annotations

import asyncio
import atexit
import threading
from collections import Counter
from collections.abc import Coroutine
from functools import cache
from typing import Any, TypeVar

import aiohttp

from selfsown.models.endpoint.gate import Gate
from selfsown.models.endpoint.styles import Said

Found = TypeVar("Found")
_lock = threading.Lock()
CONNECT = 4  # seconds until a machine that does not answer is given up


class Client:
    """What endpoints share: the loop, the connections, the gates, and the requests and batches that are out."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.gates: dict[tuple[object, ...], Gate] = {}
        self.flying: dict[object, asyncio.Future[Said | None]] = {}
        self.batches: dict[tuple[str, object, str], asyncio.Future[None]] = {}  # by address, journal and name
        self.collected = Counter[str]()  # batches, by address
        self.thread = threading.Thread(target=self.loop.run_forever, name="endpoints", daemon=True)
        self.thread.start()
        self.session = asyncio.run_coroutine_threadsafe(_session(), self.loop).result()
        atexit.register(self.close)

    def run(self, work: Coroutine[Any, Any, Found]) -> Found:
        """Do this within the loop and wait for it; where the waiting is broken off, the work is ended first."""
        over = threading.Event()

        async def watched() -> Found:
            try:
                return await work
            finally:
                over.set()

        future = asyncio.run_coroutine_threadsafe(watched(), self.loop)
        try:
            return future.result()
        except BaseException:
            if not future.done():
                future.cancel()
                over.wait(5)
            raise

    def gate(self, where: tuple[str, str], most: int, *a_minute: int) -> Gate:
        """The gate of this url and model; what it has learned outlives the model's object."""
        return self.gates.setdefault((where, most, a_minute), Gate(most, *a_minute))

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self.session.close(), self.loop).result(5)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)
        self.loop.close()


def client() -> Client:
    """The process's only one."""
    with _lock:
        return _only()


@cache
def _only() -> Client:
    return Client()


async def _session() -> aiohttp.ClientSession:
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()
    )
