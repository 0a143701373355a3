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
from selfsown.models.endpoint.batch.http import Calls, Patience, Told, tree_of
from selfsown.models.endpoint.errors import Fault
from selfsown.models.endpoint.http_client import HttpClient
from selfsown.models.endpoint.request import Request, Connection
from selfsown.usage.journal import Batch

FIRST_POLL, LONGEST_POLL, GROWTH = 1.0, 60.0, 1.5  # seconds between two questions, and how they grow
SETTLE_SECONDS = 30.0  # seconds until a batch whose sender was killed must be in the server's list
Result = TypeVar("Found")
_say = logging.getLogger(__name__)


class BatchRefused(Exception):
    """The server will not have this batch. Nothing of it is paid."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


class BatchProvider:
    """Whatever it learns of a batch is noted in the journal before it goes on."""

    def __init__(self, client: HttpClient, line: Connection) -> None:
        self.line, self.base = line, line.base_url
        self.way = AnthropicBatchFormat() if line.style == "messages" else OpenAIBatchFormat("/v1" + PATHS[line.style])
        self.calls = Calls(client, line)

    async def records(self) -> list[Batch]:
        journal = self.line.journal
        return await asyncio.to_thread(journal.batches, self.base) if journal else []

    async def store(self, record: Batch) -> Batch:
        if self.line.journal:
            await asyncio.to_thread(self.line.journal.store_batch, record)
        return record

    async def plan(self, asks: Sequence[Request]) -> Batch:
        """On disk before anything is sent, with what is needed to find it again."""
        newest = (await self.calls.ask(self.way.path, limit="1")).tree.get("data") or [{}]
        before = str(newest[0].get("id", ""))
        return await self.store(Batch(secrets.token_hex(16), self.base, before, keys=tuple(ask.key for ask in asks)))

    async def send(self, record: Batch, asks: Sequence[Request]) -> Batch:
        try:
            if self.way.uploads:
                told = await self.calls.upload("/files", f"{record.name}.jsonl", lambda: self._texts(asks))
                record = await self.store(replace(record, file=_read(lambda tree: str(tree["id"]), told.tree)))
            seen = await self._made(record, asks)
        except Fault as fault:
            if not _unsure(fault):
                await self.store(replace(record, state="over"))
            if fault.declined and not fault.stops:
                raise BatchRefused(fault.words) from fault
            raise
        _say.info("batch %s: %s requests sent", seen.id, f"{len(asks):,}")
        return await self.store(replace(record, id=seen.id, state="sent"))

    def _texts(self, asks: Sequence[Request]) -> Iterator[str]:
        begin, between, end = self.way.frame
        for at, ask in enumerate(asks):
            yield (between if at else begin) + self.way.request_line(ask.key, ask.body)
        yield end

    async def _made(self, record: Batch, asks: Sequence[Request]) -> BatchStatus:
        """Never made twice: where it is not sure whether the last try made it, the server's list is asked."""
        patience = Patience(self.line.retries)
        while True:
            try:
                if isinstance(self.way, OpenAIBatchFormat):
                    order = self.way.create_body(record.name, record.file)
                    told = await self.calls.once("POST", self.way.path, json=order)
                else:
                    told = await self.calls.post(self.way.path, lambda: self._texts(asks))
                return _read(self.way.parse_status, told.tree)
            except Fault as fault:
                wait = patience.wait(fault)
                if _unsure(fault) and (found := await self._listed(record)):
                    return found
                await asyncio.sleep(wait)

    async def find(self, record: Batch) -> Batch | None:
        """A batch of an earlier run, with the server's id; None where it was never sent."""
        if record.id:
            return record
        if self.way.uploads and not record.file:  # killed before it could be made
            seen = None
        else:
            _say.info("looking for a batch that was about to be sent when the run was stopped")
            seen = await self._listed(record)
        if seen:
            return await self.store(replace(record, id=seen.id, state="sent"))
        await self.store(replace(record, state="over"))
        return None

    async def _listed(self, record: Batch) -> BatchStatus | None:
        """The batch among those that the server has, looked for until it must be there."""
        now = asyncio.get_running_loop().time
        until, wait = now() + SETTLE_SECONDS, FIRST_POLL
        while True:
            known = {each.id for each in await self.records()}
            async for seen in self._later(record.before):
                if await self._is(record, seen, known):
                    return seen
            if now() >= until:
                return None
            await asyncio.sleep(min(wait, until - now()))
            wait *= GROWTH

    async def _later(self, before: str) -> AsyncIterator[BatchStatus]:
        """All that came after this one, the newest first."""
        params = {"limit": "100"}
        while True:
            tree = (await self.calls.ask(self.way.path, **params)).tree
            for each in tree.get("data") or []:
                seen = _read(self.way.parse_status, each)
                if seen.id == before:
                    return
                yield seen
                params[self.way.older] = seen.id
            if not (tree.get("has_more") and tree.get("data")):
                return

    async def _is(self, record: Batch, seen: BatchStatus, known: set[str]) -> bool:
        if self.way.uploads:
            return record.name in seen.names or record.file in seen.names
        if seen.id in known or seen.total != len(record.keys):
            return False
        _say.info("batch %s may be ours, which is seen once it is over", seen.id)
        for place in (await self.wait_until_ended(seen.id)).result_paths:
            async with aclosing(self.calls.lines(place)) as lines:
                async for text in lines:
                    return self.parse_result(text, lambda key: "").key in record.keys
        return False

    async def wait_until_ended(self, name: str) -> BatchStatus:
        """Asked now and then until it is over; what was answered so far is said whenever it changed."""
        patience, wait, answered = Patience(self.line.retries), FIRST_POLL, 0
        while True:
            try:
                told = await self.fetch_status(name)
                patience, pause = Patience(self.line.retries), told.wait
                seen = _read(self.way.parse_status, told.tree)
                if seen.over:
                    return seen
                if seen.answered != answered:
                    answered = seen.answered
                    _say.info("batch %s: %s of %s answered", name, f"{answered:,}", f"{seen.total:,}")
            except Fault as fault:
                pause = patience.wait(fault)
            await asyncio.sleep(max(wait, pause))
            wait = min(LONGEST_POLL, wait * GROWTH)

    async def fetch_status(self, name: str) -> Told:
        return await self.calls.once("GET", f"{self.way.path}/{quote(name, safe='')}")

    def parse_result(self, text: str, asked: Bodies) -> ResultLine:
        """A line of the results."""
        return _read(lambda tree: self.way.parse_result(tree, asked), tree_of(text))


def _unsure(fault: Fault) -> bool:
    """Whether what was sent may have come there all the same."""
    return not (fault.busy or fault.unreached or fault.declined or fault.fatal)


def _read(how: Callable[[dict[str, Any]], Result], tree: dict[str, Any]) -> Result:
    try:
        return how(tree)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise Fault(f"what the server said of the batch is none ({type(error).__name__}: {error})") from error
