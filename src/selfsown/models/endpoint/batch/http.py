"""HTTP calls of the batch APIs: one at a time, with retries, and long result files read line by line."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from itertools import chain
from typing import Any, TypeVar

import aiohttp

from selfsown.models.endpoint.credentials import join_url
from selfsown.models.endpoint.error_bodies import html_title
from selfsown.models.endpoint.errors import RequestError, connection_error, error_of_response, retry_after_seconds
from selfsown.models.endpoint.http_client import CONNECT_SECONDS, HttpClient
from selfsown.models.endpoint.request import Connection
from selfsown.models.endpoint.retry import RetryPolicy
from selfsown.records import JsonObject

PIECE_BYTES = 1 << 18  # of an upload
Result = TypeVar("Result")


@dataclass(frozen=True)
class HttpAnswer:
    """The body of an answer, and the seconds that the server asks to wait before the next call."""

    body: JsonObject
    retry_after: float


class BatchHttp:
    """HTTP calls below the base URL of a connection."""

    def __init__(self, client: HttpClient, connection: Connection) -> None:
        self.client, self.connection = client, connection
        self.headers = {name: value for name, value in connection.headers.items() if name != "Content-Type"}
        self.timeouts = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=connection.timeout)

    async def retry(self, attempt: Callable[[], Awaitable[Result]]) -> Result:
        """What the first attempt without an error returns. Raises the last RequestError."""
        policy = RetryPolicy(self.connection.retries)
        while True:
            try:
                return await attempt()
            except RequestError as error:
                await asyncio.sleep(policy.next_wait(error))

    async def get(self, path: str, **params: str) -> HttpAnswer:
        return await self.retry(lambda: self.request_once("GET", path, params=params))

    async def upload(self, path: str, name: str, texts: Callable[[], Iterator[str]]) -> HttpAnswer:
        """Upload a file of requests as a multipart form."""
        mark = secrets.token_hex(16)
        part = f"--{mark}\r\nContent-Disposition: form-data; name="
        head = f'{part}"purpose"\r\n\r\nbatch\r\n{part}"file"; filename="{name}"\r\n'
        head += "Content-Type: application/jsonl\r\n\r\n"

        def form() -> Iterator[str]:
            return chain([head], texts(), [f"\r\n--{mark}--\r\n"])

        return await self.retry(lambda: self.post(path, form, f"multipart/form-data; boundary={mark}"))

    async def post(self, path: str, texts: Callable[[], Iterator[str]], kind: str = "application/json") -> HttpAnswer:
        """Post a long text, in one attempt: without an answer, it is unknown whether the server has accepted it."""
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
        except (aiohttp.ClientError, OSError) as failure:
            error = self._connection_error(failure)
        raise error  # here, so that it carries nothing of the failure, whose message may contain the key

    async def first_line(self, path: str) -> str | None:
        """The first line of a file; None where it is empty."""

        async def attempt() -> str | None:
            async with aclosing(self.stream_lines(path)) as lines:
                return await anext(lines, None)

        return await self.retry(attempt)

    async def stream_lines(self, path: str) -> AsyncGenerator[str, None]:
        """The lines of a file as they arrive. Raises RequestError where the connection breaks."""
        rest = b""
        try:
            async with self.client.session.get(
                join_url(self.connection.base_url, path),
                headers=self.headers,
                allow_redirects=False,
                timeout=self.timeouts,
            ) as response:
                if response.status // 100 != 2:
                    text = (await response.read()).decode("utf-8", "replace")
                    raise error_of_response(response.status, response.headers, self.connection.mask_secrets(text))
                async for piece in response.content.iter_any():
                    first, *more = piece.split(b"\n")
                    rest += first
                    for line in more:
                        yield self.connection.mask_secrets(rest.decode("utf-8", "replace"))
                        rest = line
        except (aiohttp.ClientError, OSError) as failure:
            error: RequestError | None = self._connection_error(failure)
        else:
            error = None
        if error:
            raise error
        if rest.strip():
            parse_object(rest.decode("utf-8", "replace"))
            yield self.connection.mask_secrets(rest.decode("utf-8", "replace"))

    def _connection_error(self, failure: Exception) -> RequestError:
        return connection_error(failure, self.connection.timeout, self.connection.mask_secrets(str(failure)))


async def _pieces(texts: Iterator[str]) -> AsyncGenerator[bytes, None]:
    """The text in large pieces, never all of it in memory."""
    kept = bytearray()
    for text in texts:
        kept += text.encode()
        if len(kept) >= PIECE_BYTES:
            yield bytes(kept)
            kept.clear()
    if kept:
        yield bytes(kept)


def parse_object(text: str) -> JsonObject:
    """The JSON object in this text. Raises RequestError where there is none."""
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError) as error:
        why = html_title(text) or str(error)
        raise RequestError(f"the batch answer is not JSON: {why}") from error
    if not isinstance(tree, dict):
        raise RequestError("the batch answer is not a JSON object")
    return tree
