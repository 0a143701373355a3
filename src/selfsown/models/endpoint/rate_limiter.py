"""How many requests may be out at once, learned from the server's answers, and how many a minute."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque

START_CONCURRENCY = 8  # at once, at first: so few are in vain where the key is wrong
SLOWER_FACTOR = 2.0  # times the best latency: doubling ends
CROWDED_FACTOR = 4.0  # times the best latency: fewer
BEST_LATENCY_GROWTH = 1.05  # the best latency is let grow by this in each window, because prompts change
TOLERATED_REFUSAL_SHARE = 0.3  # share of refusals that some servers give whatever the number
MIN_WINDOW_OUTCOMES = 10  # outcomes at least, before anything is judged by them


class RateLimiter:
    """`most` at once; a limit of 0 a minute is none. It is used within one event loop."""

    def __init__(self, most: int, requests_per_minute: int = 0, tokens_per_minute: int = 0) -> None:
        self.max_in_flight, self.limit = most, float(min(START_CONCURRENCY, most))
        self.seconds_per_request = 60 / requests_per_minute if requests_per_minute else 0.0
        self.seconds_per_token = 60 / tokens_per_minute if tokens_per_minute else 0.0
        self.in_flight = self.replies = 0
        self.queue: deque[asyncio.Future[None]] = deque()
        self.doubling = True
        self.best_latency, self.latencies = math.inf, list[float]()
        self.next_request_at = self.next_tokens_at = self.paused_until = 0.0
        self.changed_at = 0.0  # what was sent before it says nothing about the new limit
        self.refusals, self.wait = 0, 0.0  # how many since, and the seconds that the last one asked for

    async def acquire(self) -> None:
        """Wait for a place, and for the end of a pause that the server asked for."""
        if self.in_flight < int(self.limit):
            self.in_flight += 1
        else:
            place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self.queue.append(place)
            try:
                await place
            except asyncio.CancelledError:
                if place.done() and not place.cancelled():
                    self.release()
                raise
        try:
            while (wait := self.paused_until - time.monotonic()) > 0:
                await asyncio.sleep(wait)
        except asyncio.CancelledError:
            self.release()
            raise

    def release(self) -> None:
        self.in_flight -= 1
        while self.queue and self.in_flight < int(self.limit):
            place = self.queue.popleft()
            if not place.cancelled():
                self.in_flight += 1
                place.set_result(None)

    def record_reply(self, began: float, seconds: float, unforeseen: int) -> None:
        """An answer after so many seconds: more at once, if it came about as fast as ever.

        unforeseen: the tokens that it took, beyond those that `pace` was told.
        """
        self.replies += 1
        self.next_tokens_at += unforeseen * self.seconds_per_token
        if self.in_flight >= int(self.limit) - 1 and self.limit < self.max_in_flight:
            self.limit = min(self.max_in_flight, self.limit + (1 if self.doubling else 1 / self.limit))
        if began >= self.changed_at:
            self.latencies.append(seconds)
            self._judge()

    def record_refusal(self, began: float, wait: float) -> None:
        """The server asked for less, and for so many seconds of patience."""
        if began >= self.changed_at:
            self.refusals, self.wait = self.refusals + 1, wait
            self._judge()

    def _judge(self) -> None:
        """After as many outcomes as may be out: fewer, where more than a few were refused or all became slow, and a
        pause, where all were refused."""
        outcomes = len(self.latencies) + self.refusals
        if outcomes < max(MIN_WINDOW_OUTCOMES, self.limit):
            return
        share = self.refusals / outcomes
        crowded = False
        if self.latencies:
            mean = sum(self.latencies) / len(self.latencies)
            self.best_latency = min(self.best_latency * BEST_LATENCY_GROWTH, mean)
            self.doubling &= mean <= SLOWER_FACTOR * self.best_latency
            crowded = mean > CROWDED_FACTOR * self.best_latency and self.limit > START_CONCURRENCY
        self.latencies, self.refusals = [], 0
        if crowded or share > TOLERATED_REFUSAL_SHARE:
            self.limit = max(1.0, self.limit * (0.9 if crowded else max(0.5, 1 - share)))
            self.doubling, self.changed_at = False, time.monotonic()
        if share == 1:
            self.paused_until = self.changed_at + self.wait

    async def wait_for_rate(self, tokens: int) -> None:
        """Each request takes its share of the minute, one after the other."""
        if not (self.seconds_per_request or self.seconds_per_token):
            return
        now = time.monotonic()
        at = max(now, self.next_request_at, self.next_tokens_at)
        self.next_request_at = at + self.seconds_per_request
        self.next_tokens_at = max(self.next_tokens_at, now) + tokens * self.seconds_per_token
        await asyncio.sleep(at - now)
