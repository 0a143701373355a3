"""The results of a batch, read as they arrive: each reply is stored before it is parsed."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing

from selfsown.models.endpoint.batch.formats import Bodies
from selfsown.models.endpoint.batch.provider import BatchProvider
from selfsown.models.endpoint.errors import RequestError
from selfsown.usage.journal import KEYS_PER_QUERY, Batch

Store = Callable[[dict[str, str]], Awaitable[dict[str, RequestError]]]
MAX_KEY_CHARS_SHOWN = 50
_log = logging.getLogger(__name__)


class BatchResults:
    """stored: the keys whose reply is on disk; errors: those of other keys, and of replies that cannot be parsed.

    store: stores replies by key, and returns the errors of those that cannot be parsed. body_of: the body of a request.
    """

    def __init__(self, provider: BatchProvider, record: Batch, store: Store, body_of: Bodies) -> None:
        self.provider, self.store, self.body_of = provider, store, body_of
        self.expected = set(record.keys)
        self.stored, self.errors = set[str](), dict[str, RequestError]()
        self.duplicates, self.unexpected = set[str](), set[str]()

    async def download(self, path: str) -> None:
        """Read a result file; one that breaks off is read again from its beginning."""
        await self.provider.http.retry(lambda: self._download_once(path))

    async def _download_once(self, path: str) -> None:
        replies, seen_keys = dict[str, str](), set[str]()
        try:
            async with aclosing(self.provider.http.stream_lines(path)) as lines:
                async for line in lines:
                    self._add_line(line, replies, seen_keys)
                    if len(replies) == KEYS_PER_QUERY:
                        await self._store(replies)
        finally:
            await self._store(replies)

    async def _store(self, replies: dict[str, str]) -> None:
        self.errors |= await self.store(replies)
        self.stored |= replies.keys()
        replies.clear()

    def _add_line(self, line: str, replies: dict[str, str], seen_keys: set[str]) -> None:
        try:
            result = self.provider.parse_result(line, self.body_of)
        except RequestError:
            self.unexpected.add(line[:MAX_KEY_CHARS_SHOWN])
            return
        if result.key not in self.expected:
            self.unexpected.add(result.key)
        elif result.key in seen_keys:
            self.duplicates.add(result.key)
        elif result.key not in self.stored:
            if result.error:
                self.errors[result.key] = result.error
            else:
                replies[result.key] = result.reply
        seen_keys.add(result.key)

    def missing(self) -> dict[str, RequestError]:
        """The keys without a usable reply, each with the reason."""
        absent = RequestError("the batch ended without a result for it")
        unanswered = {key: self.errors.get(key, absent) for key in self.expected - self.stored}
        return unanswered | {key: error for key, error in self.errors.items() if key in self.stored}

    def log(self, name: str) -> None:
        _log.info("batch %s: ended, %s of %s answered", name, f"{len(self.stored):,}", f"{len(self.expected):,}")
        if self.duplicates or self.unexpected:
            message = "batch %s: ignored %d duplicate result lines and %d unexpected or unreadable ones"
            _log.warning(message, name, len(self.duplicates), len(self.unexpected))
