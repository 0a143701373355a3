"""Health check: before the first request to a URL, one request checks whether a server answers there."""

from __future__ import annotations

import asyncio
import time

import aiohttp

from selfsown.models.endpoint.credentials import join_url
from selfsown.models.endpoint.errors import RequestError, connection_error
from selfsown.models.endpoint.http_client import HttpClient

MAX_SILENCE_SECONDS = 10.0  # until the first byte of any answer
MAX_UNREACHABLE_SECONDS = 8.0  # without any connection
PAUSE_SECONDS = 0.25  # between two attempts


async def check_health(client: HttpClient, url: str) -> RequestError | None:
    """Once for each URL and process, request the list of models, without the key. Any answer means that the server is
    up; the error where there is no connection, or no answer."""
    async with client.health_locks.setdefault(url, asyncio.Lock()):
        error = None if url in client.healthy_urls else await _probe(client, url)
        if not error:
            client.healthy_urls.add(url)
        return error


async def _probe(client: HttpClient, url: str) -> RequestError | None:
    began = time.monotonic()
    while True:
        try:
            async with (
                asyncio.timeout(MAX_SILENCE_SECONDS),
                client.session.get(join_url(url, "/models"), allow_redirects=False),
            ):
                return None
        except (aiohttp.ClientError, OSError) as failure:
            error = connection_error(failure, MAX_SILENCE_SECONDS, str(failure))
            if isinstance(failure, TimeoutError) and not error.unreachable:
                return RequestError(
                    f"it accepts connections but answers nothing within {MAX_SILENCE_SECONDS:g} seconds"
                )
        if not error.unreachable:
            return None  # the connection broke: there is a server, and the requests will show whether it works
        if time.monotonic() - began > MAX_UNREACHABLE_SECONDS:
            return error
        await asyncio.sleep(PAUSE_SECONDS)
