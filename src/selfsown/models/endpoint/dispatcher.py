"""All the requests of one call, sent until each has its answer, or its failure, or the endpoint is given up."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

import aiohttp

from selfsown.models.endpoint.api_formats import ParsedReply
from selfsown.models.endpoint.errors import Fault, refusal, unheard, wait_of
from selfsown.models.endpoint.health_check import MAX_UNREACHABLE_SECONDS, check_health
from selfsown.models.endpoint.http_client import HttpClient
from selfsown.models.endpoint.rate_limiter import START_CONCURRENCY, RateLimiter
from selfsown.models.endpoint.refusals import RefusalTracker
from selfsown.models.endpoint.request import Request, Connection
from selfsown.models.endpoint.stream import reply_body
from selfsown.records import SelfsownError
from selfsown.usage.budget import Reservation
from selfsown.usage.journal import Call
from selfsown.usage.prices import UNKNOWN_USAGE, TokenUsage

GRACE = 10.0  # seconds for what is out, where all else is given up
FIRST_WAIT, LONGEST_WAIT = 0.25, 60.0  # seconds before a request is tried again
PATIENCE = 600.0  # seconds that a server may ask to wait, or only ask to wait
LOST = (10, 0.05)  # rows in a row, or this share of all: where so many go wrong, the server is to blame


class Exchange:
    """known: how many replies of this call are there already; a server that gave some is not dead."""

    def __init__(self, client: HttpClient, gate: RateLimiter, line: Connection, asks: Sequence[Request], known: int) -> None:
        self.client, self.gate, self.line, self.asks, self.known = client, gate, line, asks, known
        self.budget = line.journal.budget if line.journal else None
        self.found: dict[str, ParsedReply] = {}
        self.mine: dict[str, asyncio.Future[ParsedReply | None]] = {}  # what other calls may wait for
        self.out = set[asyncio.Task[Any]]()
        self.fresh, self.again = deque[Request](), deque[Request]()
        self.ready = asyncio.Semaphore(0)  # as many as there are in the two
        self.lost = 0
        self.bearable = max(LOST[0], LOST[1] * (self.answers + len(asks)))
        self.verdict = RefusalTracker(client, line, len(asks), self.bearable)
        self.doubted: list[tuple[Request, Fault]] = []  # refused before anything was answered
        self.back = asyncio.Event()  # whenever something comes back
        self.unreached_at = self.busy_at = 0.0  # since when; 0: it was reached, or answered, last
        self.usual = 0.0  # tokens of a reply

    @property
    def answers(self) -> int:
        """How many replies there are, those included that other calls got from this model."""
        return self.known + self.gate.replies

    async def all(self) -> dict[str, ParsedReply]:
        """What became of each request, by its key; SelfsownError where going on is in vain."""
        if silent := await check_health(self.client, self.line.base_url):
            raise self._given_up(silent)
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        work = [self._borrow(ask, other) for ask in self.asks if (other := self.client.flying.get(self._where(ask)))]
        for ask in self.asks:
            if self._where(ask) not in self.client.flying:
                self._claim(ask)
        work += [self._work() for _ in range(min(len(self.asks), self.gate.most))]
        tasks = [asyncio.create_task(each) for each in work]
        try:
            await self.over
        finally:
            self.over.cancel()
            await self._end(tasks)
        return self.found

    async def _end(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        """What is out is paid for, and waited for a while; nothing else is sent."""
        for task in tasks:
            if task not in self.out:
                task.cancel()
        if self.out:
            await asyncio.wait(set(self.out), timeout=GRACE)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for ask in self.asks:
            self._let_go(ask, None)

    def _where(self, ask: Request) -> object:
        return self.line.journal, ask.key

    def _claim(self, ask: Request) -> None:
        """From now on, other calls that would send the same wait for ours."""
        self.mine[ask.key] = self.client.flying[self._where(ask)] = asyncio.get_running_loop().create_future()
        self.fresh.append(ask)
        self.ready.release()

    def _let_go(self, ask: Request, said: ParsedReply | None) -> None:
        if promise := self.mine.pop(ask.key, None):
            del self.client.flying[self._where(ask)]
            promise.set_result(said)

    async def _borrow(self, ask: Request, other: asyncio.Future[ParsedReply | None]) -> None:
        """What another call hears to the same request; where that is broken off, ours is sent."""
        current: asyncio.Future[ParsedReply | None] | None = other
        while current:
            if said := await asyncio.shield(current):
                self._settle(ask, said)
                return self._weigh()
            current = self.client.flying.get(self._where(ask))
        return self._claim(ask)

    def _settle(self, ask: Request, said: ParsedReply) -> None:
        self.found[ask.key] = said
        self._let_go(ask, said)
        if len(self.found) == len(self.asks) and not self.over.done():
            self.over.set_result(None)

    async def _work(self) -> None:
        try:
            while not self.over.done():
                await self.ready.acquire()
                await self.gate.acquire()
                ask = (self.again or self.fresh).popleft()
                fault: Fault | None = None
                try:
                    said: ParsedReply | None = await self._sent(ask)
                except Fault as found:
                    fault = found
                if fault:  # not within the except: what is raised carries nothing that the server said unmasked
                    said = self._after(ask, fault)
                if said:
                    self._settle(ask, said)
                self._weigh()
        except Exception as error:
            if not self.over.done():
                self.over.set_exception(error)

    async def _sent(self, ask: Request) -> ParsedReply:
        """The reply, once the disk has it. No more are out than the gate and the budget have room for."""
        guess, need = ask.input_tokens + round(self.usual), None
        try:
            need = await self._afforded(ask)
            await self.gate.wait_for_rate(guess)
            while self.doubted and len(self.doubted) + len(self.out) >= START_CONCURRENCY:
                self.back.clear()
                await self.back.wait()
            if self.over.done():
                raise asyncio.CancelledError
            if self.line.schema_key in self.client.formless:
                ask.body = ask.body_without_schema
            self.out.add(self._task())
            said, seconds = await self._heard(ask)
        finally:
            self.out.discard(self._task())
            self.back.set()
            if need and self.budget:
                self.budget.release(need)
            self.gate.release()  # not before the disk has it: no more can be lost than may be out
        self.gate.record_reply(ask.sent_at, seconds, said.input_tokens + said.output_tokens - guess if said.output_tokens else 0)
        self.usual += (said.output_tokens - self.usual) / 20
        self.lost, self.busy_at, self.verdict.in_a_row = 0, 0.0, 0
        if ask.schema_rejected:
            self.client.formless.add(self.line.schema_key)
        return said

    def _task(self) -> asyncio.Task[Any]:
        task = asyncio.current_task()
        assert task
        return task

    async def _afforded(self, ask: Request) -> Reservation | None:
        """What the budget sets aside for the request; SelfsownError where it has no room."""
        budget, account = self.budget, self.line.account
        if not budget:
            return None
        if need := await budget.reserve(lambda: account.reservation(ask.input_tokens, ask.max_reply_tokens, budget)):
            return need
        left = len(self.asks) - len(self.found)
        raise budget.exceeded_error(account.reservation(ask.input_tokens, ask.max_reply_tokens, budget), left, account.stage)

    async def _heard(self, ask: Request) -> tuple[ParsedReply, float]:
        """The reply and its seconds; whatever became of the request is on the ledger."""
        reply, ask.sent_at, wait = "", time.monotonic(), 0.0
        try:
            reply, wait = await self._posted(ask.body)
            said = self.line.parse_reply(reply, ask.body)
        except Fault as fault:
            fault.wait = fault.wait or wait
            if fault.outcome:
                await self._kept(ask, reply, self._call(ask, fault.outcome, fault.used))
            raise
        except asyncio.CancelledError:
            self._entered(ask, reply, self._call(ask, "dropped"))
            raise
        call = self._call(ask, "answered", said.usage)
        await self._kept(ask, reply, call)
        if self.budget:
            self.budget.record_reply((call.host, call.model), call.output_tokens, call.usd)
        return said, call.seconds

    def _call(self, ask: Request, outcome: str, used: TokenUsage = UNKNOWN_USAGE) -> Call:
        return self.line.account.journal_call(ask.key, outcome, used, time.monotonic() - ask.sent_at)

    async def _kept(self, ask: Request, reply: str, call: Call) -> None:
        """Once this returns the disk has it: the reply, if there is one, and that there was a request."""
        if promise := self._entered(ask, reply, call):
            await self.client.wait_for_disk(promise)

    def _entered(self, ask: Request, reply: str, call: Call) -> Future[None] | None:
        journal = self.line.journal
        if not journal:
            return None
        return journal.store_reply(ask.key, ask.body, reply, call) if reply else journal.store_call(call)

    async def _posted(self, body: str) -> tuple[str, float]:
        """The reply, and the seconds that the server asks to wait."""
        line = self.line
        try:
            async with (
                asyncio.timeout(line.timeout),
                self.client.session.post(
                    line.url, data=body.encode(), headers=line.headers, allow_redirects=False
                ) as response,
            ):
                self.unreached_at = 0.0
                reply = line.mask_secrets((await response.read()).decode("utf-8", "replace"))
                if response.status // 100 == 2:
                    return reply_body(line.style, response.content_type, reply), wait_of(response.headers)
                raise refusal(response.status, response.headers, reply, body)
        except (aiohttp.ClientError, OSError) as error:
            fault = unheard(error, line.timeout, line.mask_secrets(str(error)))
        raise fault

    def _after(self, ask: Request, fault: Fault) -> ParsedReply | None:
        """After a fault: the failure of the row, another try later (None), or SelfsownError: the end of it all."""
        if fault.fatal:
            raise self.line.stop_error(fault.words, self.answers)
        if fault.form and ask.body != ask.body_without_schema:
            ask.body, ask.schema_rejected = ask.body_without_schema, True
            self._return(ask)
            return None
        if fault.stops and not self.answers and not self.verdict.was_answered_before(ask.body):
            self.doubted.append((ask, fault))
            return None
        if fault.declined:
            return self.verdict.row_failure(ask.body, fault, self.answers)
        if self._in_vain(fault):
            raise self._given_up(fault)
        ask.busy_replies += fault.busy
        ask.attempts += not fault.busy
        if ask.attempts >= self.line.retries:
            self.lost += 1
            if self.lost >= self.bearable or not self.answers:
                raise self._given_up(fault)
            return ParsedReply("", failure=f"{fault.words}, {ask.attempts} times")
        times = min(ask.busy_replies if fault.busy else ask.attempts, 10)
        usual = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (times - 1)) * random.uniform(0.5, 1)
        wait = fault.wait * random.uniform(1, 1.2) if fault.wait else usual
        if fault.slower:
            self.gate.record_refusal(ask.sent_at, wait)
        asyncio.get_running_loop().call_later(wait, self._return, ask)
        return None

    def _weigh(self) -> None:
        """Once something was answered, those in doubt were refused for their own sake; once nothing else is left, or so
        many are refused, all would be."""
        if self.over.done() or not self.doubted:
            return
        doubted = self.doubted
        try:
            if self.answers:
                self.doubted = []
                for ask, fault in doubted:
                    if said := self._after(ask, fault):
                        self._settle(ask, said)
            elif len(doubted) >= min(START_CONCURRENCY, len(self.asks) - len(self.found)):
                raise self.line.stop_error(doubted[-1][1].stops)
        except SelfsownError as error:
            self.over.set_exception(error)

    def _in_vain(self, fault: Fault) -> bool:
        """Whether the server has been away, or busy, for longer than anybody waits."""
        now = time.monotonic()
        if fault.unreached:
            self.unreached_at = self.unreached_at or now
        if fault.busy:
            self.busy_at = self.busy_at or now
        away = fault.unreached and now - self.unreached_at > MAX_UNREACHABLE_SECONDS
        return away or fault.wait > PATIENCE or (fault.busy and now - self.busy_at > PATIENCE)

    def _return(self, ask: Request) -> None:
        self.again.append(ask)
        self.ready.release()

    def _given_up(self, fault: Fault) -> SelfsownError:
        kept = "what it answered is kept, and " if self.line.journal else ""
        wait = f", and to wait {fault.wait:.0f} seconds" if fault.wait > PATIENCE else ""
        words = f"{fault.words}{wait}; {kept}the same command goes on once the server is well"
        return SelfsownError(f"{self.line.url}: {words}")
