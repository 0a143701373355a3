"""Calls about batches: one at a time, tried again while that is worth it, and long files read line by line."""

from __future__ import annotations

import asyncio
import json
import random
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

import aiohttp

from selfsown.models.endpoint.credentials import join_url
from selfsown.models.endpoint.dispatcher import FIRST_WAIT, LONGEST_WAIT, PATIENCE
from selfsown.models.endpoint.error_bodies import html_title
from selfsown.models.endpoint.errors import RequestError, error_of_response, connection_error, retry_after_seconds
from selfsown.models.endpoint.http_client import CONNECT_SECONDS, HttpClient
from selfsown.models.endpoint.request import Connection

PIECE_BYTES = 1 << 18  # bytes


@dataclass(frozen=True)
class HttpAnswer:
    """What a server answered, and the seconds that it asks to wait before the next question."""

    body: dict[str, Any]
    retry_after: float


class RetryPolicy:
    """How often in a row a call may go wrong; a server that is only busy has longer."""

    def __init__(self, retries: int) -> None:
        self.retries, self.tries, self.refusals, self.busy_at = retries, 0, 0, 0.0

    def wait(self, fault: RequestError) -> float:
        """The seconds until the next try; the fault itself where there is none."""
        now = time.monotonic()
        self.tries += not fault.busy
        self.refusals, self.busy_at = (self.refusals + 1, self.busy_at or now) if fault.busy else (0, 0.0)
        in_vain = now - self.busy_at > PATIENCE if fault.busy else self.tries >= self.retries
        if fault.fatal or fault.declined or in_vain or fault.retry_after > PATIENCE:
            raise fault
        if fault.retry_after:
            return fault.retry_after * random.uniform(1, 1.2)
        times = min(self.refusals if fault.busy else self.tries, 10)
        return min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** (times - 1)) * random.uniform(0.5, 1)


class BatchHttp:
    """To the address where the API's own paths begin."""

    def __init__(self, client: HttpClient, line: Connection) -> None:
        self.client, self.connection = client, line
        self.headers = {name: value for name, value in line.headers.items() if name != "Content-Type"}
        self.timeouts = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=line.timeout)

    async def get(self, path: str, **params: str) -> HttpAnswer:
        patience = RetryPolicy(self.connection.retries)
        while True:
            try:
                return await self.request_once("GET", path, params=params)
            except RequestError as fault:
                await asyncio.sleep(patience.wait(fault))

    async def upload(self, path: str, name: str, texts: Callable[[], Iterator[str]]) -> HttpAnswer:
        """A file of requests, in a form."""
        mark = secrets.token_hex(16)
        part = f"--{mark}\r\nContent-Disposition: form-data; name="
        head = f'{part}"purpose"\r\n\r\nbatch\r\n{part}"file"; filename="{name}"\r\n'
        head += "Content-Type: application/jsonl\r\n\r\n"

        def form() -> Iterator[str]:
            return chain([head], texts(), [f"\r\n--{mark}--\r\n"])

        patience = RetryPolicy(self.connection.retries)
        while True:
            try:
                return await self.post(path, form, f"multipart/form-data; boundary={mark}")
            except RequestError as fault:
                await asyncio.sleep(patience.wait(fault))

    async def post(self, path: str, texts: Callable[[], Iterator[str]], kind: str = "application/json") -> HttpAnswer:
        """A long text, in one try: who does not hear the answer cannot know whether it was taken."""
        length = sum(len(text.encode()) for text in texts())
        headers = {"Content-Type": kind, "Content-Length": str(length)}
        return await self.request_once("POST", path, data=_pieces(texts()), headers=headers)

    async def request_once(self, method: str, path: str, **more: Any) -> HttpAnswer:
        headers = self.headers | more.pop("headers", {})
        try:
            async with (
                asyncio.timeout(self.connection.timeout),
                self.client.session.request(
                    method, join_url(self.connection.base_url, path), headers=headers, allow_redirects=False, **more
                ) as response,
            ):
                text = self.connection.mask_secrets((await response.read()).decode("utf-8", "replace"))
                if response.status // 100 == 2:
                    return HttpAnswer(parse_object(text), retry_after_seconds(response.headers))
                raise error_of_response(response.status, response.headers, text)
        except (aiohttp.ClientError, OSError) as error:
            fault = self._connection_error(error)
        raise fault  # here, so that it carries nothing of the error, in whose words the key may stand

    async def stream_lines(self, path: str) -> AsyncGenerator[str, None]:
        """The lines of a file as they come; a Fault where it breaks off."""
        kept = b""
        try:
            async with self.client.session.get(
                join_url(self.connection.base_url, path), headers=self.headers, allow_redirects=False, timeout=self.timeouts
            ) as response:
                if response.status // 100 != 2:
                    text = (await response.read()).decode("utf-8", "replace")
                    raise error_of_response(response.status, response.headers, self.connection.mask_secrets(text))
                async for piece in response.content.iter_any():
                    first, *more = piece.split(b"\n")
                    kept += first
                    for next_ in more:
                        yield self.connection.mask_secrets(kept.decode("utf-8", "replace"))
                        kept = next_
        except (aiohttp.ClientError, OSError) as error:
            fault: RequestError | None = self._connection_error(error)
        else:
            fault = None
        if fault:
            raise fault
        if kept.strip():
            parse_object(kept.decode("utf-8", "replace"))
            yield self.connection.mask_secrets(kept.decode("utf-8", "replace"))

    def _connection_error(self, error: Exception) -> RequestError:
        return connection_error(error, self.connection.timeout, self.connection.mask_secrets(str(error)))


async def _pieces(texts: Iterator[str]) -> AsyncGenerator[bytes, None]:
    """A few large ones instead of many small ones, and never all of it in memory."""
    kept = bytearray()
    for text in texts:
        kept += text.encode()
        if len(kept) >= PIECE_BYTES:
            yield bytes(kept)
            kept.clear()
    if kept:
        yield bytes(kept)


def parse_object(text: str) -> dict[str, Any]:
    """A JSON object, or a Fault."""
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError) as error:
        why = html_title(text) or str(error)
        raise RequestError(f"what the server said of the batch cannot be read: {why}") from error
    if not isinstance(tree, dict):
        raise RequestError("what the server said of the batch is no JSON object")
    return tree
