"""All the requests of one call, sent until each has its reply, or its failure, or the endpoint is given up."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future

import aiohttp

from selfsown.errors import SelfsownError
from selfsown.models.endpoint.api_formats import ParsedReply
from selfsown.models.endpoint.coalescing import Claims, Shared
from selfsown.models.endpoint.errors import (
    GIVE_UP_SECONDS,
    RequestError,
    connection_error,
    error_of_response,
    retry_after_seconds,
)
from selfsown.models.endpoint.health_check import MAX_UNREACHABLE_SECONDS, check_health
from selfsown.models.endpoint.http_client import HttpClient
from selfsown.models.endpoint.rate_limiter import START_CONCURRENCY, RateLimiter
from selfsown.models.endpoint.refusals import RefusalTracker, max_in_a_row
from selfsown.models.endpoint.request import Connection, Request
from selfsown.models.endpoint.retry import backoff_seconds
from selfsown.models.endpoint.stream import reply_body
from selfsown.usage.budget import Reservation
from selfsown.usage.journal import Call
from selfsown.usage.prices import UNKNOWN_USAGE, TokenUsage

GRACE_SECONDS = 10.0  # for requests in flight, where all else is given up


class RequestDispatcher:
    """Sends the requests of one call. known: replies of this call from the journal; a server that gave some works."""

    def __init__(
        self, client: HttpClient, limiter: RateLimiter, connection: Connection, requests: Sequence[Request], known: int
    ) -> None:
        self.client = client
        self.limiter = limiter
        self.connection = connection
        self.requests = requests
        self.known = known
        self.budget = connection.journal.budget if connection.journal else None
        self.replies: dict[str, ParsedReply] = {}
        self.claims = Claims(client.pending, connection.journal)
        self.in_flight = set[asyncio.Task[None]]()
        self.new, self.retries = deque[Request](), deque[Request]()
        self.ready = asyncio.Semaphore(0)  # as many as there are in the two queues
        self.refused = 0, ""
        self.refusals = RefusalTracker(client, connection, len(requests), max_in_a_row(self.answers + len(requests)))
        self.undecided: list[tuple[Request, RequestError]] = []  # refused or lost before anything was answered
        self.finished_one = asyncio.Event()  # set whenever a request in flight ends
        self.unreachable_since = self.busy_since = 0.0  # 0: it was reached, or answered, last
        self.mean_output_tokens = 0.0

    @property
    def answers(self) -> int:
        """How many replies there are, including those that other calls got from this model."""
        return self.known + self.limiter.replies

    async def run(self) -> dict[str, ParsedReply]:
        """The reply or the failure of each request, by its key. Raises ModelError where the endpoint is given up."""
        if error := await check_health(self.client, self.connection.base_url):
            raise self.connection.give_up_error(error, self.known)
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        work = [self._borrow(request, other) for request in self.requests if (other := self.claims.other(request.key))]
        for request in self.requests:
            if not self.claims.other(request.key):
                self._claim(request)
        work += [self._work() for _ in range(min(len(self.requests), self.limiter.max_in_flight))]
        tasks = [asyncio.create_task(coroutine) for coroutine in work]
        try:
            await self.over
        finally:
            self.over.cancel()
            await self._shut_down(tasks)
        return self.replies

    async def _shut_down(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        """Requests in flight are paid for, so they are waited for a while; nothing else is sent."""
        for task in tasks:
            if task not in self.in_flight:
                task.cancel()
        if self.in_flight:
            await asyncio.wait(set(self.in_flight), timeout=GRACE_SECONDS)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.claims.release_all()

    def _claim(self, request: Request) -> None:
        self.claims.claim(request.key)
        self.new.append(request)
        self.ready.release()

    async def _borrow(self, request: Request, other: Shared) -> None:
        """Take the reply to another call's identical request; where that call was stopped, send ours."""
        if reply := await self.claims.borrow(request.key, other):
            self._settle(request, reply)
            return self._review_undecided()
        return self._claim(request)

    def _settle(self, request: Request, reply: ParsedReply) -> None:
        self.replies[request.key] = reply
        self.claims.release(request.key, reply)
        if len(self.replies) == len(self.requests) and not self.over.done():
            self.over.set_result(None)

    async def _work(self) -> None:
        try:
            while not self.over.done():
                await self.ready.acquire()
                await self.limiter.acquire()
                request = (self.retries or self.new).popleft()
                error: RequestError | None = None
                try:
                    reply: ParsedReply | None = await self._send(request)
                except RequestError as raised:
                    error = raised
                if error:  # not within the except: what is raised carries nothing that the server sent unmasked
                    reply = self._handle_error(request, error)
                if reply:
                    self._settle(request, reply)
                self._review_undecided()
        except Exception as failure:
            if not self.over.done():
                self.over.set_exception(failure)

    async def _send(self, request: Request) -> ParsedReply:
        """The reply, once it is on disk. No more are in flight than the rate limiter and the budget allow."""
        estimate, reserved = request.input_tokens + round(self.mean_output_tokens), None
        try:
            reserved = await self._reserve(request)
            await self.limiter.wait_for_rate(estimate)
            while self.undecided and len(self.undecided) + len(self.in_flight) >= START_CONCURRENCY:
                self.finished_one.clear()
                await self.finished_one.wait()
            if self.over.done():
                raise asyncio.CancelledError
            if self.connection.schema_key in self.client.rejected_schemas:
                request.body = request.body_without_schema
            self.in_flight.add(_current_task())
            reply, seconds = await self._exchange(request)
        finally:
            self.in_flight.discard(_current_task())
            self.finished_one.set()
            if reserved and self.budget:
                self.budget.release(reserved)
            self.limiter.release()  # not before it is on disk: no more can be lost than may be in flight
        excess = reply.input_tokens + reply.output_tokens - estimate if reply.output_tokens else 0
        self.limiter.record_reply(request.sent_at, seconds, excess)
        self.mean_output_tokens += (reply.output_tokens - self.mean_output_tokens) / 20
        self.busy_since, self.refusals.in_a_row, self.refusals.lost = 0.0, 0, 0
        if request.schema_rejected:
            self.client.rejected_schemas.add(self.connection.schema_key)
        return reply

    async def _reserve(self, request: Request) -> Reservation | None:
        """What the budget sets aside for the request. Raises ModelError where it is exceeded."""
        budget, account = self.budget, self.connection.account
        if not budget:
            return None

        def need() -> Reservation:
            return account.reservation(request.input_tokens, request.max_reply_tokens, budget)

        if reserved := await budget.reserve(need):
            return reserved
        raise budget.exceeded_error(need(), len(self.requests) - len(self.replies), account.stage)

    async def _exchange(self, request: Request) -> tuple[ParsedReply, float]:
        """The reply and its seconds. Whatever the outcome, the request is recorded in the journal."""
        text, request.sent_at, retry_after = "", time.monotonic(), 0.0
        try:
            text, retry_after = await self._post(request.body)
            reply = self.connection.parse_reply(text, request.body)
        except RequestError as error:
            error.retry_after = error.retry_after or retry_after
            if error.outcome:
                await self._store(request, text, self._call(request, error.outcome, error.usage))
            raise
        except asyncio.CancelledError:
            self._journal(request, text, self._call(request, "dropped"))
            raise
        call = self._call(request, "answered", reply.usage)
        await self._store(request, text, call)
        if self.budget:
            self.budget.record_reply((call.host, call.model), call.output_tokens, call.usd)
        return reply, call.seconds

    def _call(self, request: Request, outcome: str, usage: TokenUsage = UNKNOWN_USAGE) -> Call:
        return self.connection.account.journal_call(request.key, outcome, usage, time.monotonic() - request.sent_at)

    async def _store(self, request: Request, text: str, call: Call) -> None:
        """Once this returns, the call and the reply, if there is one, are on disk."""
        if written := self._journal(request, text, call):
            await self.client.wait_for_disk(written)

    def _journal(self, request: Request, text: str, call: Call) -> Future[None] | None:
        journal = self.connection.journal
        if not journal:
            return None
        return journal.store_reply(request.key, request.body, text, call) if text else journal.store_call(call)

    async def _post(self, body: str) -> tuple[str, float]:
        """The text of the reply, and the seconds that the server asks to wait."""
        connection = self.connection
        try:
            async with (
                asyncio.timeout(connection.timeout),
                self.client.session.post(
                    connection.url, data=body.encode(), headers=connection.headers, allow_redirects=False
                ) as response,
            ):
                self.unreachable_since = 0.0
                text = connection.mask_secrets((await response.read()).decode("utf-8", "replace"))
                if response.status // 100 == 2:
                    reply = reply_body(connection.style, response.content_type, text)
                    return reply, retry_after_seconds(response.headers)
                raise error_of_response(response.status, response.headers, text, body)
        except (aiohttp.ClientError, OSError) as failure:
            error = connection_error(failure, connection.timeout, connection.mask_secrets(str(failure)))
        raise error

    def _handle_error(self, request: Request, error: RequestError) -> ParsedReply | None:
        """The failure of the row; None: it is sent again later. Raises ModelError where the endpoint is given up."""
        self.refused = (error.status, error.summary) if error.status == 405 or not error.fatal else (0, "")
        if error.fatal:
            raise self.connection.stop_error(error.reason, self.answers)
        if error.may_be_schema and request.body != request.body_without_schema:
            request.body, request.schema_rejected = request.body_without_schema, True
            self._requeue(request)
            return None
        if error.fatal_reason and not self.answers and not self.refusals.was_answered_before(request.body):
            self.undecided.append((request, error))
            return None
        if error.declined:
            return self.refusals.row_failure(request.body, error, self.answers)
        if self._waited_too_long(error):
            raise self.connection.give_up_error(error, self.answers)
        request.busy_replies += error.busy
        request.attempts += not error.busy
        if request.attempts >= self.connection.retries:
            return self._lose(request, error)
        wait = backoff_seconds(request.busy_replies if error.busy else request.attempts, error.retry_after)
        if error.overloaded:
            self.limiter.record_refusal(request.sent_at, wait)
        asyncio.get_running_loop().call_later(wait, self._requeue, request)
        return None

    def _lose(self, request: Request, error: RequestError) -> ParsedReply | None:
        """The failure of a row that was tried often enough; None: not before something else was answered."""
        if self.answers:
            return self.refusals.lost_row(request, error, self.answers)
        self.undecided.append((request, error))
        return None

    def _review_undecided(self) -> None:
        """Undecided failures are those of their rows once something was answered, and end the run once enough are."""
        if self.over.done() or not (undecided := self.undecided):
            return
        enough = min(START_CONCURRENCY, len(self.requests) - len(self.replies))
        lost = sum(request.attempts >= self.connection.retries for request, _ in undecided)
        try:
            if self.answers:
                self.undecided = []
                for request, error in undecided:
                    decide = self._lose if request.attempts >= self.connection.retries else self._handle_error
                    if reply := decide(request, error):
                        self._settle(request, reply)
            elif len(undecided) >= enough or lost >= min(enough, self.limiter.max_in_flight):
                raise self.connection.first_error([error for _, error in undecided])
        except SelfsownError as failure:
            self.over.set_exception(failure)

    def _waited_too_long(self, error: RequestError) -> bool:
        """Whether the server has been unreachable, or busy, for longer than it is waited for."""
        now = time.monotonic()
        if error.unreachable:
            self.unreachable_since = self.unreachable_since or now
        if error.busy:
            self.busy_since = self.busy_since or now
        away = error.unreachable and now - self.unreachable_since > MAX_UNREACHABLE_SECONDS
        busy = error.busy and now - self.busy_since > GIVE_UP_SECONDS
        return away or busy or error.retry_after > GIVE_UP_SECONDS

    def _requeue(self, request: Request) -> None:
        self.retries.append(request)
        self.ready.release()


def _current_task() -> asyncio.Task[None]:
    task = asyncio.current_task()
    assert task
    return task
