"""The requests of a call in batches, at the provider's lower price: sent, waited for, and collected, killed or not."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace

from selfsown.errors import ModelError
from selfsown.models.endpoint.api_formats import ParsedReply
from selfsown.models.endpoint.batch.formats import BatchStatus, is_queue_limit, is_size_limit
from selfsown.models.endpoint.batch.provider import BatchProvider, BatchRefused
from selfsown.models.endpoint.batch.results import BatchResults
from selfsown.models.endpoint.coalescing import Claims, Shared
from selfsown.models.endpoint.errors import FATAL_STATUSES, RequestError
from selfsown.models.endpoint.health_check import check_health
from selfsown.models.endpoint.http_client import HttpClient
from selfsown.models.endpoint.refusals import RefusalTracker
from selfsown.models.endpoint.request import Connection, Request
from selfsown.models.endpoint.retry import failed_reply
from selfsown.usage.budget import Reservation
from selfsown.usage.journal import Batch, Call

_log = logging.getLogger(__name__)


class BatchRunner:
    """max_requests: of one batch; answers: how many replies of this call the journal has already."""

    def __init__(
        self, client: HttpClient, connection: Connection, max_requests: int, requests: Sequence[Request], answers: int
    ) -> None:
        self.client, self.connection, self.answers = client, connection, answers
        self.budget = connection.journal.budget if connection.journal else None
        self.requests = {request.key: request for request in requests}
        self.model = json.loads(requests[0].body).get("model")
        self.provider = BatchProvider(client, connection)
        self.max_requests = min(max_requests, self.provider.format.max_requests)
        self.replies: dict[str, ParsedReply] = {}
        self.claims = Claims(client.pending, connection.journal)
        self.borrowed: dict[str, Shared] = {}  # identical requests that other calls have in flight
        self.refusals = RefusalTracker(client, connection, len(requests))

    async def run(self) -> dict[str, ParsedReply]:
        """The reply or the failure of each request, by its key. Raises ModelError where the endpoint is given up."""
        if error := await check_health(self.client, self.provider.base_url):
            raise self._give_up_error(error)
        try:
            while len(self.replies) < len(self.requests):
                self._claim()
                if self.claims.own:
                    await self._run_round([self.requests[key] for key in self.requests if key in self.claims.own])
                else:
                    await self._borrow()
        except RequestError as error:
            raise self._give_up_error(error) from error
        finally:
            self.claims.release_all()
        return self.replies

    def _claim(self) -> None:
        """From now on, other calls with the same requests wait for ours, and we for theirs."""
        for key in self.requests:
            if key in self.replies or key in self.claims.own or key in self.borrowed:
                continue
            if other := self.claims.other(key):
                self.borrowed[key] = other
            else:
                self.claims.claim(key)

    async def _borrow(self) -> None:
        while self.borrowed:
            key, other = self.borrowed.popitem()
            if reply := await self.claims.borrow(key, other):
                self.replies[key] = reply

    def _settle(self, key: str, reply: ParsedReply) -> None:
        if key in self.requests:
            self.replies[key] = reply
            self.claims.release(key, reply)

    async def _run_round(self, requests: Sequence[Request]) -> None:
        """Continue open batches, and send what is in none. What neither answers is left for the next round."""
        left = {request.key for request in requests}
        records = [record for record in await self.provider.records() if not left.isdisjoint(record.keys)]
        covered = {key for record in records for key in record.keys}
        tasks = [asyncio.create_task(self._resume(record)) for record in records]
        for group in self._groups(request for request in requests if request.key not in covered):
            tasks.append(asyncio.create_task(self._send_within_budget(group)))
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _groups(self, requests: Iterable[Request]) -> Iterator[list[Request]]:
        """The requests of each batch: as many as the recipe allows, and as the provider accepts."""
        format_ = self.provider.format
        group, size = list[Request](), 0
        for request in requests:
            length = len(format_.request_line(request.key, request.body).encode()) + max(map(len, format_.frame))
            if group and (len(group) == self.max_requests or size + length > format_.max_bytes):
                yield group
                group, size = [], 0
            group.append(request)
            size += length
        if group:
            yield group

    async def _send_within_budget(self, requests: Sequence[Request]) -> None:
        """A batch of these, or of as many as the budget allows; the others are left for the next round."""
        if not self.budget:
            return await self._send(requests)
        reserved = await self.budget.reserve(lambda: self._reservation(requests))
        if not reserved and len(requests) > 1:
            return await self._send_within_budget(requests[: len(requests) // 2])
        if not reserved:
            left = len(self.requests) - len(self.replies)
            raise self.budget.exceeded_error(self._reservation(requests), left, self.connection.account.stage)
        try:
            await self._send(requests)
        finally:
            self.budget.release(reserved)

    def _reservation(self, requests: Sequence[Request]) -> Reservation:
        assert self.budget
        account, budget = self.connection.account, self.budget
        needs = [
            account.reservation(request.input_tokens, request.max_reply_tokens, budget, batch=True)
            for request in requests
        ]
        return Reservation(sum(need.usd for need in needs), sum(need.tokens for need in needs), len(needs))

    async def _send(self, requests: Sequence[Request]) -> None:
        record = await self.provider.plan(requests)
        before = self.client.batches_collected[self.provider.base_url]
        try:
            with self._in_flight(record):
                await self._follow(await self.provider.send(record, requests))
        except BatchRefused as refused:
            await self._reduce_size(refused.reason, record, before)

    async def _resume(self, record: Batch) -> None:
        """A batch of an earlier run, of a call that was stopped, or of another call that waits for it right now."""
        if other := self.client.batches_in_flight.get(self._batch_id(record)):
            await asyncio.shield(other)
            return await self._read_collected(record.keys)
        before = self.client.batches_collected[self.provider.base_url]
        try:
            with self._in_flight(record):
                if sent := await self.provider.find(record):
                    await self._follow(sent)
        except BatchRefused as refused:
            await self._reduce_size(refused.reason, record, before)

    def _batch_id(self, record: Batch) -> tuple[str, object, str]:
        return self.provider.base_url, self.connection.journal, record.name

    @contextmanager
    def _in_flight(self, record: Batch) -> Iterator[None]:
        over = self.client.batches_in_flight[self._batch_id(record)] = asyncio.get_running_loop().create_future()
        try:
            yield
            self.client.batches_collected[self.provider.base_url] += 1
        finally:
            del self.client.batches_in_flight[self._batch_id(record)]
            over.set_result(None)

    async def _read_collected(self, keys: Sequence[str]) -> None:
        """What another call has collected."""
        if journal := self.connection.journal:
            ours = [key for key in keys if key in self.claims.own]
            self._parse_replies(await asyncio.to_thread(journal.read, ours))

    async def _reduce_size(self, reason: str, record: Batch, before: int) -> None:
        """The next round sends smaller batches, or the same once a batch ahead of it in the queue has ended."""
        if not is_size_limit(reason):
            raise ModelError(f"{self.connection.url} rejects the batch: {reason}")
        _log.info("%s requests are too many for one batch: %s", f"{len(record.keys):,}", reason)
        base_url = self.provider.base_url
        while is_queue_limit(reason):
            if self.client.batches_collected[base_url] > before:
                return
            others = [over for (url, *_), over in self.client.batches_in_flight.items() if url == base_url]
            if not others:
                break
            await asyncio.wait(others, return_when=asyncio.FIRST_COMPLETED)
        if len(record.keys) > 1:
            self.max_requests = max(1, min(self.max_requests, len(record.keys) // 2))
        else:
            for key in self.claims.own.keys() & set(record.keys):
                self._handle_error(self.requests[key], RequestError(reason, declined=True))

    async def _follow(self, record: Batch) -> None:
        try:
            status = await self.provider.wait_until_ended(record.id)
            if status.failure:
                await self.provider.store(replace(record, state="over"))
                raise BatchRefused(status.failure)
            await self._collect(record, status)
        except RequestError as error:
            if FATAL_STATUSES[404] in error.fatal_reason and self.connection.journal:
                command = f"sqlite3 {self.connection.journal.path} \"DELETE FROM batches WHERE id = '{record.id}'\""
                error.fatal_reason += f"; batch {record.id} is gone, or belongs to another key. "
                error.fatal_reason += f"To send and pay for it again: {command}"
            raise

    async def _collect(self, record: Batch, status: BatchStatus) -> None:
        """Store all replies of the batch, and handle the requests without one."""
        results = BatchResults(self.provider, record, self.store, self._body)
        for path in status.result_paths:
            await results.download(path)
        if len(results.stored) < status.answered:  # a truncated file may look like a complete one
            for path in status.result_paths:
                await results.download(path)
        await self.provider.store(replace(record, state="over"))
        results.log(status.id)
        left = {key: error for key, error in results.missing().items() if key in self.claims.own}
        for key in sorted(left, key=lambda key: left[key].fatal):
            self._handle_error(self.requests[key], left[key])
        if status.cancelled and left:
            what = f"batch {status.id} was cancelled at the server; its replies are kept"
            raise ModelError(f"{self.connection.url}: {what}, and the same command sends the rest again")

    def _body(self, key: str) -> str:
        return self.requests[key].body if key in self.requests else ""

    async def store(self, replies: dict[str, str]) -> dict[str, RequestError]:
        """Store replies on disk, then parse them; returns the errors of those that cannot be parsed.

        The one place where a batch's reply is stored.
        """
        if journal := self.connection.journal:
            written = set[Future[None]]()
            for key, text in replies.items():
                request = self._body(key) or json.dumps({"model": self.model})
                written.add(journal.store_reply(key, request, text, self._call(key, text)))
            for future in written:
                await asyncio.wrap_future(future)
        return self._parse_replies(replies)

    def _call(self, key: str, text: str) -> Call:
        """An entry of the journal. The seconds of one reply of a batch are unknown, and stored as 0."""
        try:
            usage, outcome = self.connection.parse_reply(text, self._body(key)).usage, "answered"
        except RequestError as error:
            usage, outcome = error.usage, error.outcome
        call = self.connection.account.journal_call(key, outcome, usage, 0.0, batch=True)
        if self.budget and outcome == "answered":
            self.budget.record_reply((call.host, call.model), call.output_tokens, call.usd)
        return call

    def _parse_replies(self, replies: dict[str, str]) -> dict[str, RequestError]:
        errors: dict[str, RequestError] = {}
        for key, text in replies.items():
            try:
                self._settle(key, self.connection.parse_reply(text, self._body(key)))
                self.answers += 1
            except RequestError as error:
                errors[key] = error
        return errors

    def _handle_error(self, request: Request, error: RequestError) -> None:
        """The failure of the row, or the request stays for the next batch. Raises the error where it ends the run."""
        is_first = error.fatal_reason and not self.answers
        if error.fatal or (is_first and not self.refusals.was_answered_before(request.body)):
            raise error
        if error.declined:
            return self._settle(request.key, self.refusals.row_failure(request.body, error, self.answers))
        request.attempts += 1
        if request.attempts < self.connection.retries:
            return None
        if not self.answers:
            raise error
        return self._settle(request.key, failed_reply(error, request.attempts))

    def _give_up_error(self, error: RequestError) -> ModelError:
        if error.fatal or error.declined:
            return self.connection.stop_error(error.fatal_reason or error.reason, self.answers)
        return self.connection.give_up_error(error, self.answers)
