"""Before the first request to an address, one question tells whether anybody is there."""

from __future__ import annotations

import asyncio
import time

import aiohttp

from selfsown.models.endpoint.client import Client
from selfsown.models.endpoint.faults import Fault, unheard

SILENCE = 10.0  # seconds that a server may take to say anything at all
UNREACHED = 8.0  # seconds without any connection
PAUSE = 0.25  # seconds between two tries


async def knock(client: Client, url: str) -> None:
    """Once for each address and process, the list of its models is asked for, without the key. Whatever it says to
    that, it lives; Fault where there is no connection, or no word."""
    async with client.knocks.setdefault(url, asyncio.Lock()):
        if url not in client.alive:
            await _answered(client, url)
            client.alive.add(url)


async def _answered(client: Client, url: str) -> None:
    began = time.monotonic()
    while True:
        try:
            async with asyncio.timeout(SILENCE), client.session.get(f"{url}/models", allow_redirects=False):
                return
        except (aiohttp.ClientError, OSError) as error:
            fault = unheard(error, SILENCE, str(error))
            silent = isinstance(error, TimeoutError) and not fault.unreached
        if silent:
            raise Fault(f"it takes connections but answers nothing within {SILENCE:g} seconds")
        if not fault.unreached:
            return  # it broke off: somebody is there, and the requests will tell
        if time.monotonic() - began > UNREACHED:
            raise fault
        await asyncio.sleep(PAUSE)
