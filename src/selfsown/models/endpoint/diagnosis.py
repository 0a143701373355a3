"""What to correct where a server knows no such path or model: it is asked for what it has, before any reply is paid."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import aiohttp

from selfsown.errors import closest
from selfsown.models.endpoint.credentials import join_url
from selfsown.models.endpoint.http_client import HttpClient
from selfsown.models.endpoint.request import Connection

SECONDS = 5.0  # for each answer
MAX_MODELS = 12  # listed
NO_SUCH_PATH = (404, 405)
NOT_FOUND = (400, *NO_SUCH_PATH)  # some servers say of an unknown model that the request is bad
KEY_REQUIRED = (401, 403)


async def diagnosis(client: HttpClient, connection: Connection, status: int, summary: str) -> str:
    """What is wrong with the model or the URL, after a refusal; "" where nothing shows it.

    status, summary: of the refusal, with the server's message.
    """
    if status not in NOT_FOUND:
        return ""
    url, name = connection.base_url, connection.account.model
    option = f"{connection.account.role or 'teacher'}.{'anthropic' if connection.style == 'messages' else 'endpoint'}"
    _, models = await _list_models(client, connection, url)
    if models:
        if name in models:
            return ""
        listed = ", ".join(models[:MAX_MODELS])
        more = f" and {len(models) - MAX_MODELS} more" if len(models) > MAX_MODELS else ""
        example = closest(name, models) or models[0]
        return f"{url} has no model {name!r} ({summary}), but {listed}{more}: --set {option}.model={example}"
    if status in NO_SUCH_PATH:
        for other in _other_urls(url):
            answer, models = await _list_models(client, connection, other)
            if models or answer in KEY_REQUIRED:
                return f"{url} is not where this server's API begins ({summary}); write --set {option}.url={other}"
    return ""


def _other_urls(url: str) -> Iterator[str]:
    """Where the API may be instead."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    for other in dict.fromkeys((f"{path}/v1", "/v1", "/api/v1")):
        if other != path and not other.endswith("/v1/v1"):
            yield urlunsplit((parts.scheme, parts.netloc, other, parts.query, ""))


async def _list_models(client: HttpClient, connection: Connection, url: str) -> tuple[int, list[str]]:
    """The status of the answer, 0 without one, and the names of the models that the server lists."""
    try:
        async with (
            asyncio.timeout(SECONDS),
            client.session.get(join_url(url, "/models"), headers=connection.headers, allow_redirects=False) as answer,
        ):
            status, text = answer.status, (await answer.read()).decode("utf-8", "replace")
    except (aiohttp.ClientError, OSError):
        return 0, []
    return status, _names(connection.mask_secrets(text)) if status == 200 else []


def _names(text: str) -> list[str]:
    """Of OpenAI's or Anthropic's list of models."""
    try:
        data = json.loads(text)["data"]
        return [str(model["id"]) for model in data]
    except (ValueError, KeyError, TypeError, RecursionError):
        return []
