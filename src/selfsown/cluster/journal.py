"""The journal and the budget of the driver, as a worker uses them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from selfsown.cluster.mailbox import Driver
from selfsown.errors import ModelError
from selfsown.usage.budget import Budget, Meter, ModelAtHost, Reservation
from selfsown.usage.journal import Call, Journal, StoredReply

WAIT_SECONDS = 0.05  # until a request asks the budget again

ReplyTotals = dict[ModelAtHost, tuple[int, int]]


class RemoteJournal(Journal):
    """A journal whose file only the driver opens: replies are on the driver's disk before they are used."""

    def __init__(self, path: Path, driver: Driver, caps: dict[str, float] | None, reply_totals: ReplyTotals) -> None:
        super().__init__(path)
        self.driver = driver
        self.budget = RemoteBudget(driver, caps, self.meter, reply_totals) if caps else None

    def read(self, keys: Sequence[str]) -> dict[str, str]:
        replies: dict[str, str] = self.driver.call("read", list(keys))
        return replies

    def query(self, query: str, values: Sequence[object]) -> list[tuple[str, ...]]:
        rows: list[tuple[str, ...]] = self.driver.call("query", query, tuple(values))
        return rows

    @contextmanager
    def _writing(self) -> Iterator[Callable[[Sequence[StoredReply], Sequence[Call]], None]]:
        yield lambda replies, calls: self.driver.call("store", list(replies), list(calls))


class RemoteBudget(Budget):
    """A budget of which only the driver knows how much is left."""

    def __init__(self, driver: Driver, caps: dict[str, float], meter: Meter, reply_totals: ReplyTotals) -> None:
        super().__init__(caps, Meter(), meter, reply_totals)
        self.driver = driver

    async def reserve(self, estimate: Callable[[], Reservation]) -> Reservation | None:
        while True:
            need = estimate()
            allowed: bool | None = await self.driver.begin("reserve", need)
            if allowed is not None:
                return need if allowed else None
            await asyncio.sleep(WAIT_SECONDS)

    def release(self, need: Reservation) -> None:
        self.driver.notify("release", need)

    def exceeded_error(self, need: Reservation, left: int, stage: str) -> ModelError:
        error: ModelError = self.driver.call("exceeded", need, left, stage)
        return error
