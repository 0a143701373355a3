"""The results of a batch, read as they come: each reply on disk before it is read, whatever else the file holds."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing

from selfsown.models.endpoint.batch.formats import Bodies
from selfsown.models.endpoint.batch.http import Patience
from selfsown.models.endpoint.batch.provider import BatchProvider
from selfsown.models.endpoint.errors import Fault
from selfsown.usage.journal import KEYS_PER_QUERY, Batch

Keep = Callable[[dict[str, str]], Awaitable[dict[str, Fault]]]
_say = logging.getLogger(__name__)


class Harvest:
    """kept: the keys whose reply is on disk; faults: what went wrong with others. keep says which cannot be read;
    asked: the body of a request."""

    def __init__(self, provider: BatchProvider, record: Batch, keep: Keep, asked: Bodies) -> None:
        self.provider, self.keep, self.asked = provider, keep, asked
        self.wanted = set(record.keys)
        self.kept, self.faults = set[str](), dict[str, Fault]()
        self.twice, self.strange = set[str](), set[str]()

    async def download(self, place: str) -> None:
        """A file that breaks off is read again from its beginning."""
        patience = Patience(self.provider.line.retries)
        while True:
            try:
                return await self._once(place)
            except Fault as fault:
                await asyncio.sleep(patience.wait(fault))

    async def _once(self, place: str) -> None:
        some, lines = dict[str, str](), set[str]()
        try:
            async with aclosing(self.provider.calls.lines(place)) as texts:
                async for text in texts:
                    self._take(text, some, lines)
                    if len(some) == KEYS_PER_QUERY:
                        await self._keep(some)
        finally:
            await self._keep(some)

    async def _keep(self, some: dict[str, str]) -> None:
        self.faults |= await self.keep(some)
        self.kept |= some.keys()
        some.clear()

    def _take(self, text: str, some: dict[str, str], lines: set[str]) -> None:
        try:
            entry = self.provider.parse_result(text, self.asked)
        except Fault:
            self.strange.add(text[:50])
            return
        if entry.key not in self.wanted:
            self.strange.add(entry.key)
        elif entry.key in lines:
            self.twice.add(entry.key)
        elif entry.key not in self.kept:
            if entry.error:
                self.faults[entry.key] = entry.error
            else:
                some[entry.key] = entry.reply
        lines.add(entry.key)

    def left(self) -> dict[str, Fault]:
        """What is still without a reply, and why."""
        missing = Fault("the batch ended without a word of it")
        unheard = {key: self.faults.get(key, missing) for key in self.wanted - self.kept}
        return unheard | {key: fault for key, fault in self.faults.items() if key in self.kept}

    def say(self, name: str) -> None:
        kept, of = f"{len(self.kept):,}", f"{len(self.wanted):,}"
        _say.info("batch %s: over, %s of %s answered", name, kept, of)
        if self.twice or self.strange:
            words = "batch %s: left aside %d lines that came twice and %d that nobody asked for or that cannot be read"
            _say.warning(words, name, len(self.twice), len(self.strange))
