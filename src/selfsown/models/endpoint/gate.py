"""How many requests may be out at once, learned from the server's answers, and how many a minute."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque

START = 8  # at once, at first: so few are in vain where the key is wrong
SLOWER = 2.0  # times the best latency: doubling ends
CROWDED = 4.0  # times the best latency: fewer
FORGET = 1.05  # the best latency is let grow by this in each window, because prompts change
IN_A_ROW = 5  # refusals without an answer between them: the limit is everybody's


class Gate:
    """`most` at once; a limit of 0 a minute is none. It is used within one event loop."""

    def __init__(self, most: int, requests_per_minute: int = 0, tokens_per_minute: int = 0) -> None:
        self.most, self.limit = most, float(min(START, most))
        self.per_request = 60 / requests_per_minute if requests_per_minute else 0.0
        self.per_token = 60 / tokens_per_minute if tokens_per_minute else 0.0
        self.live = 0
        self.queue: deque[asyncio.Future[None]] = deque()
        self.doubling = True
        self.best, self.latencies = math.inf, list[float]()
        self.free_at = self.tokens_at = self.closed_until = self.shrunk_at = 0.0
        self.refusals = 0  # in a row

    async def enter(self) -> None:
        """Wait for a place, and for the end of a pause that the server asked for."""
        if self.live < int(self.limit):
            self.live += 1
        else:
            place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self.queue.append(place)
            try:
                await place
            except asyncio.CancelledError:
                if place.done() and not place.cancelled():
                    self.leave()
                raise
        try:
            while (wait := self.closed_until - time.monotonic()) > 0:
                await asyncio.sleep(wait)
        except asyncio.CancelledError:
            self.leave()
            raise

    def leave(self) -> None:
        self.live -= 1
        while self.queue and self.live < int(self.limit):
            place = self.queue.popleft()
            if not place.cancelled():
                self.live += 1
                place.set_result(None)

    def answered(self, seconds: float, unforeseen: int) -> None:
        """An answer after so many seconds: more at once, if it came about as fast as ever.

        unforeseen: the tokens that it took, beyond those that `pace` was told.
        """
        self.refusals = 0
        self.tokens_at += unforeseen * self.per_token
        if self.live >= int(self.limit) - 1 and self.limit < self.most:
            self.limit = min(self.most, self.limit + (1 if self.doubling else 1 / self.limit))
        self.latencies.append(seconds)
        if len(self.latencies) >= max(START, self.limit):
            mean = sum(self.latencies) / len(self.latencies)
            self.best, self.latencies = min(self.best * FORGET, mean), []
            self.doubling &= mean <= SLOWER * self.best
            if mean > CROWDED * self.best:
                self.limit = max(min(START, self.most), self.limit * 0.9)

    def refused(self, wait: float) -> None:
        """The server asked for less: half as many, but once for all that were out; a pause, if it refuses them all."""
        now = time.monotonic()
        self.refusals += 1
        self.doubling = False
        if now - self.shrunk_at > 1:
            self.limit, self.shrunk_at = max(1.0, self.limit / 2), now
        if self.refusals >= IN_A_ROW:
            self.closed_until = max(self.closed_until, now + wait)

    async def pace(self, tokens: int) -> None:
        """Each request takes its share of the minute, one after the other."""
        if not (self.per_request or self.per_token):
            return
        now = time.monotonic()
        at = max(now, self.free_at, self.tokens_at)
        self.free_at = at + self.per_request
        self.tokens_at = max(self.tokens_at, now) + tokens * self.per_token
        await asyncio.sleep(at - now)
