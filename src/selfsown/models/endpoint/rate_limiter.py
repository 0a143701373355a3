"""Concurrency and rate limits: the number of concurrent requests is learned from the server's answers."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque

START_CONCURRENCY = 8  # concurrent requests at first: so few fail where the key is wrong
SLOWER_FACTOR = 2.0  # times the best latency: stop doubling
CROWDED_FACTOR = 4.0  # times the best latency: reduce
BEST_LATENCY_GROWTH = 1.05  # of each window, because prompts change
TOLERATED_REFUSAL_SHARE = 0.3  # some servers refuse so many at any concurrency
MIN_WINDOW_OUTCOMES = 10  # before the limit is adjusted


class RateLimiter:
    """At most max_in_flight concurrent requests; a rate of 0 is no limit. It is used within one event loop."""

    def __init__(self, max_in_flight: int, requests_per_minute: int = 0, tokens_per_minute: int = 0) -> None:
        self.max_in_flight, self.limit = max_in_flight, float(min(START_CONCURRENCY, max_in_flight))
        self.seconds_per_request = 60 / requests_per_minute if requests_per_minute else 0.0
        self.seconds_per_token = 60 / tokens_per_minute if tokens_per_minute else 0.0
        self.in_flight = self.replies = 0
        self.queue: deque[asyncio.Future[None]] = deque()
        self.doubling = True
        self.best_latency, self.latencies = math.inf, list[float]()
        self.next_request_at = self.next_tokens_at = self.paused_until = 0.0
        self.changed_at = 0.0  # requests sent before it say nothing about the new limit
        self.refusals, self.wait = 0, 0.0  # their number since then, and the seconds that the last one asked for

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
        """Count a reply; the limit grows while replies are as fast as the best.

        began: when it was sent. seconds: until the reply. unforeseen: tokens beyond those given to `wait_for_rate`.
        """
        self.replies += 1
        self.next_tokens_at += unforeseen * self.seconds_per_token
        if self.in_flight >= int(self.limit) - 1 and self.limit < self.max_in_flight:
            self.limit = min(self.max_in_flight, self.limit + (1 if self.doubling else 1 / self.limit))
        if began >= self.changed_at:
            self.latencies.append(seconds)
            self._judge()

    def record_refusal(self, began: float, wait: float) -> None:
        """Count a refusal for overload, after which the server asks to wait so many seconds."""
        if began >= self.changed_at:
            self.refusals, self.wait = self.refusals + 1, wait
            self._judge()

    def _judge(self) -> None:
        """After as many outcomes as the limit: reduce it where more than a few were refused or replies became slow, and
        pause where all were refused."""
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
        """Wait until the rate limits allow a request with this many tokens."""
        if not (self.seconds_per_request or self.seconds_per_token):
            return
        now = time.monotonic()
        start = max(now, self.next_request_at, self.next_tokens_at)
        self.next_request_at = start + self.seconds_per_request
        self.next_tokens_at = max(self.next_tokens_at, now) + tokens * self.seconds_per_token
        await asyncio.sleep(start - now)
