"""Before the first request to an address, one question tells whether anybody is there."""

from __future__ import annotations

import asyncio
import time

import aiohttp

from selfsown.models.endpoint.credentials import join_url
from selfsown.models.endpoint.errors import RequestError, connection_error
from selfsown.models.endpoint.http_client import HttpClient

MAX_SILENCE_SECONDS = 10.0  # seconds that a server may take to say anything at all
MAX_UNREACHABLE_SECONDS = 8.0  # seconds without any connection
PAUSE_SECONDS = 0.25  # seconds between two tries


async def check_health(client: HttpClient, url: str) -> RequestError | None:
    """Once for each address and process, the list of its models is asked for, without the key. Whatever is said to
    that, somebody lives there; a fault where there is no connection, or no word."""
    async with client.health_locks.setdefault(url, asyncio.Lock()):
        fault = None if url in client.healthy_urls else await _fault(client, url)
        if not fault:
            client.healthy_urls.add(url)
        return fault


async def _fault(client: HttpClient, url: str) -> RequestError | None:
    began = time.monotonic()
    while True:
        try:
            async with asyncio.timeout(MAX_SILENCE_SECONDS), client.session.get(join_url(url, "/models"), allow_redirects=False):
                return None
        except (aiohttp.ClientError, OSError) as error:
            fault = connection_error(error, MAX_SILENCE_SECONDS, str(error))
            if isinstance(error, TimeoutError) and not fault.unreachable:
                return RequestError(f"it takes connections but answers nothing within {MAX_SILENCE_SECONDS:g} seconds")
        if not fault.unreachable:
            return None  # it broke off: somebody is there, and the requests will tell
        if time.monotonic() - began > MAX_UNREACHABLE_SECONDS:
            return fault
        await asyncio.sleep(PAUSE_SECONDS)
