"""A batch at its provider: sent, found again where the answer to the sending was lost, and waited for."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar
from urllib.parse import quote

from selfsown.models import JsonObject
from selfsown.models.endpoint.api_formats import PATHS
from selfsown.models.endpoint.batch.formats import (
    AnthropicBatchFormat,
    BatchStatus,
    Bodies,
    OpenAIBatchFormat,
    ResultLine,
)
from selfsown.models.endpoint.batch.http import BatchHttp, HttpAnswer, parse_object
from selfsown.models.endpoint.errors import RequestError
from selfsown.models.endpoint.http_client import HttpClient
from selfsown.models.endpoint.request import Connection, Request
from selfsown.models.endpoint.retry import RetryPolicy
from selfsown.usage.journal import Batch

FIRST_POLL_SECONDS, MAX_POLL_SECONDS, POLL_GROWTH = 1.0, 60.0, 1.5  # between two status calls, and how they grow
SETTLE_SECONDS = 30.0  # until a batch whose sender was killed must be in the server's list
Result = TypeVar("Result")
_log = logging.getLogger(__name__)


class BatchRefused(Exception):
    """The server rejects this batch. Nothing of it is paid."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class BatchProvider:
    """Every step of a batch is stored in the journal before the next one."""

    def __init__(self, client: HttpClient, connection: Connection) -> None:
        self.connection, self.base_url = connection, connection.base_url
        self.format = (
            AnthropicBatchFormat()
            if connection.style == "messages"
            else OpenAIBatchFormat("/v1" + PATHS[connection.style])
        )
        self.http = BatchHttp(client, connection)

    async def records(self) -> list[Batch]:
        journal = self.connection.journal
        return await asyncio.to_thread(journal.batches, self.base_url) if journal else []

    async def store(self, record: Batch) -> Batch:
        if self.connection.journal:
            await asyncio.to_thread(self.connection.journal.store_batch, record)
        return record

    async def plan(self, requests: Sequence[Request]) -> Batch:
        """The batch on disk before anything is sent, with what is needed to find it again."""
        newest = (await self.http.get(self.format.path, limit="1")).body.get("data") or [{}]
        before = str(newest[0].get("id", ""))
        return await self.store(
            Batch(secrets.token_hex(16), self.base_url, before, keys=tuple(request.key for request in requests))
        )

    async def send(self, record: Batch, requests: Sequence[Request]) -> Batch:
        try:
            if self.format.uploads:
                answer = await self.http.upload("/files", f"{record.name}.jsonl", lambda: self._lines(requests))
                record = await self.store(replace(record, file=_read(lambda tree: str(tree["id"]), answer.body)))
            status = await self._create(record, requests)
        except RequestError as error:
            if not _may_have_arrived(error):
                await self.store(replace(record, state="over"))
            if error.declined and not error.fatal_reason:
                raise BatchRefused(error.reason) from error
            raise
        _log.info("batch %s: %s requests sent", status.id, f"{len(requests):,}")
        return await self.store(replace(record, id=status.id, state="sent"))

    def _lines(self, requests: Sequence[Request]) -> Iterator[str]:
        begin, between, end = self.format.frame
        for index, request in enumerate(requests):
            yield (between if index else begin) + self.format.request_line(request.key, request.body)
        yield end

    async def _create(self, record: Batch, requests: Sequence[Request]) -> BatchStatus:
        """Create the batch once: where it is uncertain whether the last attempt created it, read the server's list."""
        policy = RetryPolicy(self.connection.retries)
        while True:
            try:
                if isinstance(self.format, OpenAIBatchFormat):
                    body = self.format.create_body(record.name, record.file)
                    answer = await self.http.request_once("POST", self.format.path, json=body)
                else:
                    answer = await self.http.post(self.format.path, lambda: self._lines(requests))
                return _read(self.format.parse_status, answer.body)
            except RequestError as error:
                wait = policy.next_wait(error)
                if _may_have_arrived(error) and (listed := await self._find_listed(record)):
                    return listed
                await asyncio.sleep(wait)

    async def find(self, record: Batch) -> Batch | None:
        """A batch of an earlier run, with the server's id; None where it was never sent."""
        if record.id:
            return record
        if self.format.uploads and not record.file:  # killed before it was created
            status = None
        else:
            _log.info("looking for a batch that was being sent when the run was stopped")
            status = await self._find_listed(record)
        if status:
            return await self.store(replace(record, id=status.id, state="sent"))
        await self.store(replace(record, state="over"))
        return None

    async def _find_listed(self, record: Batch) -> BatchStatus | None:
        """The batch in the server's list, looked for until it must be there; None where it is not."""
        now = asyncio.get_running_loop().time
        until, wait = now() + SETTLE_SECONDS, FIRST_POLL_SECONDS
        while True:
            known = {stored.id for stored in await self.records()}
            async for status in self._newer_than(record.before):
                if await self._is_same(record, status, known):
                    return status
            if now() >= until:
                return None
            await asyncio.sleep(min(wait, until - now()))
            wait *= POLL_GROWTH

    async def _newer_than(self, before: str) -> AsyncIterator[BatchStatus]:
        """All batches after this one, the newest first."""
        params = {"limit": "100"}
        while True:
            tree = (await self.http.get(self.format.path, **params)).body
            for item in tree.get("data") or []:
                status = _read(self.format.parse_status, item)
                if status.id == before:
                    return
                yield status
                params[self.format.cursor_param] = status.id
            if not (tree.get("has_more") and tree.get("data")):
                return

    async def _is_same(self, record: Batch, status: BatchStatus, known: set[str]) -> bool:
        if self.format.uploads:
            return record.name in status.names or record.file in status.names
        if status.id in known or status.total != len(record.keys):
            return False
        _log.info("batch %s may be ours; its results will show", status.id)
        for place in (await self.wait_until_ended(status.id)).result_paths:
            if line := await self.http.first_line(place):
                return self.parse_result(line, lambda key: "").key in record.keys
        return False

    async def wait_until_ended(self, name: str) -> BatchStatus:
        """Poll the status until the batch has ended, and log its progress."""
        policy, wait, answered = RetryPolicy(self.connection.retries), FIRST_POLL_SECONDS, 0
        while True:
            try:
                answer = await self.fetch_status(name)
                policy, pause = RetryPolicy(self.connection.retries), answer.retry_after
                status = _read(self.format.parse_status, answer.body)
                if status.is_ended:
                    return status
                if status.answered != answered:
                    answered = status.answered
                    _log.info("batch %s: %s of %s answered", name, f"{answered:,}", f"{status.total:,}")
            except RequestError as error:
                pause = policy.next_wait(error)
            await asyncio.sleep(max(wait, pause))
            wait = min(MAX_POLL_SECONDS, wait * POLL_GROWTH)

    async def fetch_status(self, name: str) -> HttpAnswer:
        return await self.http.request_once("GET", f"{self.format.path}/{quote(name, safe='')}")

    def parse_result(self, text: str, body_of: Bodies) -> ResultLine:
        """A line of the results."""
        return _read(lambda tree: self.format.parse_result(tree, body_of), parse_object(text))


def _may_have_arrived(error: RequestError) -> bool:
    """Whether the server may have accepted what was sent, although there was an error."""
    return not (error.busy or error.unreachable or error.declined or error.fatal)


def _read(parse: Callable[[JsonObject], Result], tree: JsonObject) -> Result:
    try:
        return parse(tree)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise RequestError(f"the batch answer has an unexpected form ({type(error).__name__}: {error})") from error
