"""The results of a batch, read as they come: each reply on disk before it is read, whatever else the file holds."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing

from selfsown.models.endpoint.batch.formats import Bodies
from selfsown.models.endpoint.batch.http import RetryPolicy
from selfsown.models.endpoint.batch.provider import BatchProvider
from selfsown.models.endpoint.errors import RequestError
from selfsown.usage.journal import KEYS_PER_QUERY, Batch

Keep = Callable[[dict[str, str]], Awaitable[dict[str, RequestError]]]
_say = logging.getLogger(__name__)


class BatchResults:
    """kept: the keys whose reply is on disk; faults: what went wrong with others. keep says which cannot be read;
    asked: the body of a request."""

    def __init__(self, provider: BatchProvider, record: Batch, keep: Keep, asked: Bodies) -> None:
        self.provider, self.store, self.body_of = provider, keep, asked
        self.expected = set(record.keys)
        self.stored, self.errors = set[str](), dict[str, RequestError]()
        self.duplicates, self.unexpected = set[str](), set[str]()

    async def download(self, place: str) -> None:
        """A file that breaks off is read again from its beginning."""
        patience = RetryPolicy(self.provider.connection.retries)
        while True:
            try:
                return await self._download_once(place)
            except RequestError as fault:
                await asyncio.sleep(patience.wait(fault))

    async def _download_once(self, place: str) -> None:
        some, lines = dict[str, str](), set[str]()
        try:
            async with aclosing(self.provider.http.stream_lines(place)) as texts:
                async for text in texts:
                    self._add_line(text, some, lines)
                    if len(some) == KEYS_PER_QUERY:
                        await self._store(some)
        finally:
            await self._store(some)

    async def _store(self, some: dict[str, str]) -> None:
        self.errors |= await self.store(some)
        self.stored |= some.keys()
        some.clear()

    def _add_line(self, text: str, some: dict[str, str], lines: set[str]) -> None:
        try:
            entry = self.provider.parse_result(text, self.body_of)
        except RequestError:
            self.unexpected.add(text[:50])
            return
        if entry.key not in self.expected:
            self.unexpected.add(entry.key)
        elif entry.key in lines:
            self.duplicates.add(entry.key)
        elif entry.key not in self.stored:
            if entry.error:
                self.errors[entry.key] = entry.error
            else:
                some[entry.key] = entry.reply
        lines.add(entry.key)

    def missing(self) -> dict[str, RequestError]:
        """What is still without a reply, and why."""
        missing = RequestError("the batch ended without a word of it")
        unheard = {key: self.errors.get(key, missing) for key in self.expected - self.stored}
        return unheard | {key: fault for key, fault in self.errors.items() if key in self.stored}

    def log(self, name: str) -> None:
        kept, of = f"{len(self.stored):,}", f"{len(self.expected):,}"
        _say.info("batch %s: over, %s of %s answered", name, kept, of)
        if self.duplicates or self.unexpected:
            words = "batch %s: left aside %d lines that came twice and %d that nobody asked for or that cannot be read"
            _say.warning(words, name, len(self.duplicates), len(self.unexpected))
