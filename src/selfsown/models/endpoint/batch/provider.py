"""A batch at its provider: sent, found again where nobody heard that it was sent, and waited for."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import quote

from selfsown.models.endpoint.api_formats import PATHS
from selfsown.models.endpoint.batch.formats import Bodies, ResultLine, OpenAIBatchFormat, AnthropicBatchFormat, BatchStatus
from selfsown.models.endpoint.batch.http import BatchHttp, RetryPolicy, HttpAnswer, parse_object
from selfsown.models.endpoint.errors import RequestError
from selfsown.models.endpoint.http_client import HttpClient
from selfsown.models.endpoint.request import Request, Connection
from selfsown.usage.journal import Batch

FIRST_POLL_SECONDS, MAX_POLL_SECONDS, POLL_GROWTH = 1.0, 60.0, 1.5  # seconds between two questions, and how they grow
SETTLE_SECONDS = 30.0  # seconds until a batch whose sender was killed must be in the server's list
Found = TypeVar("Found")
_say = logging.getLogger(__name__)


class BatchRefused(Exception):
    """The server will not have this batch. Nothing of it is paid."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


class BatchProvider:
    """Whatever it learns of a batch is noted in the journal before it goes on."""

    def __init__(self, client: HttpClient, line: Connection) -> None:
        self.connection, self.base = line, line.base_url
        self.format = AnthropicBatchFormat() if line.style == "messages" else OpenAIBatchFormat("/v1" + PATHS[line.style])
        self.http = BatchHttp(client, line)

    async def records(self) -> list[Batch]:
        journal = self.connection.journal
        return await asyncio.to_thread(journal.batches, self.base) if journal else []

    async def store(self, record: Batch) -> Batch:
        if self.connection.journal:
            await asyncio.to_thread(self.connection.journal.store_batch, record)
        return record

    async def plan(self, asks: Sequence[Request]) -> Batch:
        """On disk before anything is sent, with what is needed to find it again."""
        newest = (await self.http.get(self.format.path, limit="1")).body.get("data") or [{}]
        before = str(newest[0].get("id", ""))
        return await self.store(Batch(secrets.token_hex(16), self.base, before, keys=tuple(ask.key for ask in asks)))

    async def send(self, record: Batch, asks: Sequence[Request]) -> Batch:
        try:
            if self.format.uploads:
                told = await self.http.upload("/files", f"{record.name}.jsonl", lambda: self._lines(asks))
                record = await self.store(replace(record, file=_read(lambda tree: str(tree["id"]), told.body)))
            seen = await self._create(record, asks)
        except RequestError as fault:
            if not _unsure(fault):
                await self.store(replace(record, state="over"))
            if fault.declined and not fault.fatal_reason:
                raise BatchRefused(fault.reason) from fault
            raise
        _say.info("batch %s: %s requests sent", seen.id, f"{len(asks):,}")
        return await self.store(replace(record, id=seen.id, state="sent"))

    def _lines(self, asks: Sequence[Request]) -> Iterator[str]:
        begin, between, end = self.format.frame
        for at, ask in enumerate(asks):
            yield (between if at else begin) + self.format.request_line(ask.key, ask.body)
        yield end

    async def _create(self, record: Batch, asks: Sequence[Request]) -> BatchStatus:
        """Never made twice: where it is not sure whether the last try made it, the server's list is asked."""
        patience = RetryPolicy(self.connection.retries)
        while True:
            try:
                if isinstance(self.format, OpenAIBatchFormat):
                    order = self.format.create_body(record.name, record.file)
                    told = await self.http.request_once("POST", self.format.path, json=order)
                else:
                    told = await self.http.post(self.format.path, lambda: self._lines(asks))
                return _read(self.format.parse_status, told.body)
            except RequestError as fault:
                wait = patience.wait(fault)
                if _unsure(fault) and (found := await self._find_listed(record)):
                    return found
                await asyncio.sleep(wait)

    async def find(self, record: Batch) -> Batch | None:
        """A batch of an earlier run, with the server's id; None where it was never sent."""
        if record.id:
            return record
        if self.format.uploads and not record.file:  # killed before it could be made
            seen = None
        else:
            _say.info("looking for a batch that was about to be sent when the run was stopped")
            seen = await self._find_listed(record)
        if seen:
            return await self.store(replace(record, id=seen.id, state="sent"))
        await self.store(replace(record, state="over"))
        return None

    async def _find_listed(self, record: Batch) -> BatchStatus | None:
        """The batch among those that the server has, looked for until it must be there."""
        now = asyncio.get_running_loop().time
        until, wait = now() + SETTLE_SECONDS, FIRST_POLL_SECONDS
        while True:
            known = {each.id for each in await self.records()}
            async for seen in self._newer_than(record.before):
                if await self._is_same(record, seen, known):
                    return seen
            if now() >= until:
                return None
            await asyncio.sleep(min(wait, until - now()))
            wait *= POLL_GROWTH

    async def _newer_than(self, before: str) -> AsyncIterator[BatchStatus]:
        """All that came after this one, the newest first."""
        params = {"limit": "100"}
        while True:
            tree = (await self.http.get(self.format.path, **params)).body
            for each in tree.get("data") or []:
                seen = _read(self.format.parse_status, each)
                if seen.id == before:
                    return
                yield seen
                params[self.format.older] = seen.id
            if not (tree.get("has_more") and tree.get("data")):
                return

    async def _is_same(self, record: Batch, seen: BatchStatus, known: set[str]) -> bool:
        if self.format.uploads:
            return record.name in seen.names or record.file in seen.names
        if seen.id in known or seen.total != len(record.keys):
            return False
        _say.info("batch %s may be ours, which is seen once it is over", seen.id)
        for place in (await self.wait_until_ended(seen.id)).result_paths:
            async with aclosing(self.http.stream_lines(place)) as lines:
                async for text in lines:
                    return self.parse_result(text, lambda key: "").key in record.keys
        return False

    async def wait_until_ended(self, name: str) -> BatchStatus:
        """Asked now and then until it is over; what was answered so far is said whenever it changed."""
        patience, wait, answered = RetryPolicy(self.connection.retries), FIRST_POLL_SECONDS, 0
        while True:
            try:
                told = await self.fetch_status(name)
                patience, pause = RetryPolicy(self.connection.retries), told.retry_after
                seen = _read(self.format.parse_status, told.body)
                if seen.is_ended:
                    return seen
                if seen.answered != answered:
                    answered = seen.answered
                    _say.info("batch %s: %s of %s answered", name, f"{answered:,}", f"{seen.total:,}")
            except RequestError as fault:
                pause = patience.wait(fault)
            await asyncio.sleep(max(wait, pause))
            wait = min(MAX_POLL_SECONDS, wait * POLL_GROWTH)

    async def fetch_status(self, name: str) -> HttpAnswer:
        return await self.http.request_once("GET", f"{self.format.path}/{quote(name, safe='')}")

    def parse_result(self, text: str, asked: Bodies) -> ResultLine:
        """A line of the results."""
        return _read(lambda tree: self.format.parse_result(tree, asked), parse_object(text))


def _unsure(fault: RequestError) -> bool:
    """Whether what was sent may have come there all the same."""
    return not (fault.busy or fault.unreachable or fault.declined or fault.fatal)


def _read(how: Callable[[dict[str, Any]], Found], tree: dict[str, Any]) -> Found:
    try:
        return how(tree)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise RequestError(f"what the server said of the batch is none ({type(error).__name__}: {error})") from error
