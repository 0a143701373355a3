"""The requests of a call in batches, at the provider's lower price: sent, waited for, and collected, killed or not."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace

from selfsown.models.endpoint.api_formats import ParsedReply
from selfsown.models.endpoint.batch.formats import BatchStatus, is_size_limit, is_queue_limit
from selfsown.models.endpoint.batch.provider import BatchProvider, BatchRefused
from selfsown.models.endpoint.batch.results import Harvest
from selfsown.models.endpoint.errors import STOP, Fault
from selfsown.models.endpoint.health_check import check_health
from selfsown.models.endpoint.http_client import HttpClient
from selfsown.models.endpoint.refusals import RefusalTracker
from selfsown.models.endpoint.request import Request, Connection
from selfsown.records import SelfsownError
from selfsown.usage.budget import Reservation
from selfsown.usage.journal import Batch, Call

_say = logging.getLogger(__name__)


class BatchRunner:
    """most: requests of one batch; answers: how many replies of this call are there already."""

    def __init__(self, client: HttpClient, line: Connection, most: int, asks: Sequence[Request], answers: int) -> None:
        self.client, self.line, self.answers = client, line, answers
        self.budget = line.journal.budget if line.journal else None
        self.asks = {ask.key: ask for ask in asks}
        self.model = json.loads(asks[0].body).get("model")
        self.provider = BatchProvider(client, line)
        self.most = min(most, self.provider.way.most)
        self.found: dict[str, ParsedReply] = {}
        self.mine: dict[str, asyncio.Future[ParsedReply | None]] = {}  # what other calls may wait for
        self.theirs: dict[str, asyncio.Future[ParsedReply | None]] = {}
        self.verdict = RefusalTracker(client, line, len(asks))

    async def all(self) -> dict[str, ParsedReply]:
        """What became of each request, by its key; SelfsownError where going on is in vain."""
        if silent := await check_health(self.client, self.provider.base):
            raise self._given_up(silent)
        try:
            while len(self.found) < len(self.asks):
                self._claim()
                if self.mine:
                    await self._round([self.asks[key] for key in self.asks if key in self.mine])
                else:
                    await self._borrow()
        except Fault as fault:
            raise self._given_up(fault) from fault
        finally:
            for key in list(self.mine):
                self._let_go(key, None)
        return self.found

    def _claim(self) -> None:
        """From now on, other calls that would send the same wait for ours, and we for theirs."""
        for key in self.asks:
            if key in self.found or key in self.mine or key in self.theirs:
                continue
            if other := self.client.flying.get((self.line.journal, key)):
                self.theirs[key] = other
            else:
                promise: asyncio.Future[ParsedReply | None] = asyncio.get_running_loop().create_future()
                self.mine[key] = self.client.flying[self.line.journal, key] = promise

    def _let_go(self, key: str, said: ParsedReply | None) -> None:
        if promise := self.mine.pop(key, None):
            del self.client.flying[self.line.journal, key]
            promise.set_result(said)

    async def _borrow(self) -> None:
        while self.theirs:
            key, other = self.theirs.popitem()
            if said := await asyncio.shield(other):
                self.found[key] = said

    def _settle(self, key: str, said: ParsedReply) -> None:
        if key in self.asks:
            self.found[key] = said
            self._let_go(key, said)

    async def _round(self, asks: Sequence[Request]) -> None:
        """Open batches are gone on with, and what is in none is sent. What neither answers is left for the next."""
        left = {ask.key for ask in asks}
        records = [record for record in await self.provider.records() if not left.isdisjoint(record.keys)]
        covered = {key for record in records for key in record.keys}
        tasks = [asyncio.create_task(self._resumed(record)) for record in records]
        for group in self._groups(ask for ask in asks if ask.key not in covered):
            tasks.append(asyncio.create_task(self._new(group)))
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _groups(self, asks: Iterable[Request]) -> Iterator[list[Request]]:
        """As many at once as the recipe says, and as the provider takes."""
        group, size, way = list[Request](), 0, self.provider.way
        for ask in asks:
            length = len(way.request_line(ask.key, ask.body).encode()) + max(map(len, way.frame))
            if group and (len(group) == self.most or size + length > way.room):
                yield group
                group, size = [], 0
            group.append(ask)
            size += length
        if group:
            yield group

    async def _new(self, asks: Sequence[Request]) -> None:
        """A batch of these, or of as many as the budget has room for; the others are left for the next round."""
        if not self.budget:
            return await self._sent(asks)
        need = await self.budget.reserve(lambda: self._need(asks))
        if not need and len(asks) > 1:
            return await self._new(asks[: len(asks) // 2])
        if not need:
            left = len(self.asks) - len(self.found)
            raise self.budget.exceeded_error(self._need(asks), left, self.line.account.stage)
        try:
            await self._sent(asks)
        finally:
            self.budget.release(need)

    def _need(self, asks: Sequence[Request]) -> Reservation:
        assert self.budget
        needs = [self.line.account.reservation(ask.input_tokens, ask.max_reply_tokens, self.budget, batch=True) for ask in asks]
        return Reservation(sum(each.usd for each in needs), sum(each.tokens for each in needs), len(needs))

    async def _sent(self, asks: Sequence[Request]) -> None:
        record = await self.provider.plan(asks)
        before = self.client.collected[self.provider.base]
        try:
            with self._out(record):
                await self._followed(await self.provider.send(record, asks))
        except BatchRefused as refused:
            await self._smaller(refused.words, record, before)

    async def _resumed(self, record: Batch) -> None:
        """A batch of an earlier run, or of a call that was broken off, or of another call that is at it just now."""
        if other := self.client.batches.get(self._where(record)):
            await asyncio.shield(other)
            return await self._reread(record.keys)
        before = self.client.collected[self.provider.base]
        try:
            with self._out(record):
                if found := await self.provider.find(record):
                    await self._followed(found)
        except BatchRefused as refused:
            await self._smaller(refused.words, record, before)

    def _where(self, record: Batch) -> tuple[str, object, str]:
        return self.provider.base, self.line.journal, record.name

    @contextmanager
    def _out(self, record: Batch) -> Iterator[None]:
        over = self.client.batches[self._where(record)] = asyncio.get_running_loop().create_future()
        try:
            yield
            self.client.collected[self.provider.base] += 1
        finally:
            del self.client.batches[self._where(record)]
            over.set_result(None)

    async def _reread(self, keys: Sequence[str]) -> None:
        """What another call has collected."""
        if journal := self.line.journal:
            ours = [key for key in keys if key in self.mine]
            self._hear(await asyncio.to_thread(journal.read, ours))

    async def _smaller(self, words: str, record: Batch, before: int) -> None:
        """The next round sends smaller ones, or the same once one of those that were in its way is over."""
        if not is_size_limit(words):
            raise SelfsownError(f"{self.line.url} refuses the batch: {words}")
        _say.info("%s requests are too many for one batch: %s", f"{len(record.keys):,}", words)
        base = self.provider.base
        while is_queue_limit(words):
            if self.client.collected[base] > before:
                return
            others = [over for (where, *_), over in self.client.batches.items() if where == base]
            if not others:
                break
            await asyncio.wait(others, return_when=asyncio.FIRST_COMPLETED)
        if len(record.keys) > 1:
            self.most = max(1, min(self.most, len(record.keys) // 2))
        else:
            for key in self.mine.keys() & set(record.keys):
                self._after(self.asks[key], Fault(words, declined=True))

    async def _followed(self, record: Batch) -> None:
        try:
            seen = await self.provider.wait_until_ended(record.id)
            if seen.failure:
                await self.provider.store(replace(record, state="over"))
                raise BatchRefused(seen.failure)
            await self._collected(record, seen)
        except Fault as fault:
            if STOP[404] in fault.stops and self.line.journal:
                order = f"sqlite3 {self.line.journal.path} \"DELETE FROM batches WHERE id = '{record.id}'\""
                fault.stops += f"; batch {record.id} is gone, or another key's. To pay for it anew: {order}"
            raise

    async def _collected(self, record: Batch, seen: BatchStatus) -> None:
        """All that the batch was answered, and what becomes of the rest."""
        harvest = Harvest(self.provider, record, self.keep, self._body)
        for place in seen.result_paths:
            await harvest.download(place)
        if len(harvest.kept) < seen.answered:  # a file that ends early may look like a whole one
            for place in seen.result_paths:
                await harvest.download(place)
        await self.provider.store(replace(record, state="over"))
        harvest.say(seen.id)
        left = {key: fault for key, fault in harvest.left().items() if key in self.mine}
        for key in sorted(left, key=lambda key: left[key].fatal):
            self._after(self.asks[key], left[key])
        if seen.cancelled and left:
            words = f"batch {seen.id} was cancelled at the server; what it answered is kept"
            raise SelfsownError(f"{self.line.url}: {words}, and the same command sends the rest again")

    def _body(self, key: str) -> str:
        return self.asks[key].body if key in self.asks else ""

    async def keep(self, replies: dict[str, str]) -> dict[str, Fault]:
        """On disk, then read; what cannot be read is a fault. The one place where a batch's reply is kept."""
        if journal := self.line.journal:
            promises = set[Future[None]]()
            for key, reply in replies.items():
                request = self._body(key) or json.dumps({"model": self.model})
                promises.add(journal.store_reply(key, request, reply, self._call(key, reply)))
            for promise in promises:
                await asyncio.wrap_future(promise)
        return self._hear(replies)

    def _call(self, key: str, reply: str) -> Call:
        """A line of the ledger. How long one reply of a batch took, nobody knows."""
        try:
            used, outcome = self.line.parse_reply(reply, self._body(key)).usage, "answered"
        except Fault as fault:
            used, outcome = fault.used, fault.outcome
        call = self.line.account.journal_call(key, outcome, used, 0.0, batch=True)
        if self.budget and outcome == "answered":
            self.budget.record_reply((call.host, call.model), call.output_tokens, call.usd)
        return call

    def _hear(self, replies: dict[str, str]) -> dict[str, Fault]:
        faults: dict[str, Fault] = {}
        for key, reply in replies.items():
            try:
                self._settle(key, self.line.parse_reply(reply, self._body(key)))
                self.answers += 1
            except Fault as fault:
                faults[key] = fault
        return faults

    def _after(self, ask: Request, fault: Fault) -> None:
        """After a fault: the failure of the row, or it stays for the next batch, or the end of it all."""
        if fault.fatal or (fault.stops and not self.answers and not self.verdict.was_answered_before(ask.body)):
            raise fault
        if fault.declined:
            return self._settle(ask.key, self.verdict.row_failure(ask.body, fault, self.answers))
        ask.attempts += 1
        if ask.attempts < self.line.retries:
            return None
        if not self.answers:
            raise fault
        return self._settle(ask.key, ParsedReply("", failure=f"{fault.words}, {ask.attempts} times"))

    def _given_up(self, fault: Fault) -> SelfsownError:
        if fault.fatal or fault.declined:
            return self.line.stop_error(fault.stops or fault.words, self.answers)
        kept = "what it answered is kept, and " if self.line.journal else ""
        wait = f", and to wait {fault.wait:.0f} seconds" if fault.wait else ""
        words = f"{fault.words}{wait}; {kept}the same command goes on once the server is well"
        return SelfsownError(f"{self.line.url}: {words}")
