"""Before the first request to a URL, one request checks whether a server is there."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web

from selfsown.models.endpoint import health_check
from selfsown.models.endpoint.endpoint import create
from selfsown.models.endpoint.http_client import shared_client
from selfsown.models.endpoint.rate_limiter import START_CONCURRENCY
from selfsown.records import SelfsownError
from testing.mock_server import Server

MANY = [f"prompt {at}" for at in range(200)]


def refused(url: str, **options: Any) -> tuple[str, float]:
    """The words of the error, and after how many seconds they came."""
    began = time.monotonic()
    shared_client().healthy_urls.discard(url)  # the port may have been another test's
    with pytest.raises(SelfsownError) as caught:
        create([], 0, url=url, model="m", **options).complete(MANY)
    return str(caught.value), time.monotonic() - began


@pytest.fixture
def silent() -> Iterator[str]:
    """The URL of a server that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/v1"


@pytest.mark.parametrize("batch", [0, 100])
def test_a_server_that_accepts_connections_but_answers_nothing_is_reported_in_time(
    silent: str, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert health_check.MAX_SILENCE_SECONDS <= 10
    monkeypatch.setattr(health_check, "MAX_SILENCE_SECONDS", 1.0)
    words, seconds = refused(silent, batch=batch)
    assert "accepts connections but answers nothing within 1 seconds" in words
    assert seconds < 3


def test_a_port_without_a_server_is_reported_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    assert health_check.MAX_UNREACHABLE_SECONDS <= 10
    monkeypatch.setattr(health_check, "MAX_UNREACHABLE_SECONDS", 0.8)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    words, seconds = refused(url)
    assert "cannot be reached" in words
    assert 0.8 < seconds < 3


def test_an_address_is_asked_once_however_many_calls_and_models_there_are() -> None:
    with Server(models=("m", "n"), latency=0.01) as server:
        shared_client().healthy_urls.discard(server.url)
        models = [create([], 0, url=server.url, model=name) for name in ("m", "n", "m")]
        calls = [threading.Thread(target=model.complete, args=(MANY[:20],)) for model in models]
        for call in calls:
            call.start()
        for call in calls:
            call.join()
        models[0].complete(["another"])
        assert server.knocks == 1
        models[0].complete([])
    with Server() as server:
        create([], 0, url=server.url, model="m").complete([])
        assert server.knocks == 0, "nothing to ask"


@pytest.mark.parametrize("status", [401, 404, 500, 302])
def test_whatever_it_says_it_lives(status: int) -> None:
    class Grumpy(Server):
        async def list(self, request: web.Request) -> web.Response:
            self.knocks += 1
            self.given = request.headers.get("Authorization")
            return web.Response(status=status, headers={"Location": "http://127.0.0.1:9/"} if status == 302 else {})

    with Grumpy() as server:
        shared_client().healthy_urls.discard(server.url)  # the port may have been another test's
        ((reply,),) = create([], 0, url=server.url, model="m").complete(["one"])
        assert reply.text == "answer to one"
        assert server.knocks == 1
        assert server.given is None


def test_a_wrong_key_is_reported_soon_and_costs_a_handful_of_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WRONG_KEY", "sk-wrong-0123456789")
    with Server(key="sk-right-0123456789") as server:
        words, seconds = refused(server.url, api_key="WRONG_KEY")
        assert "does not accept the API key" in words
        assert seconds < 2
        assert server.knocks == 1
        assert 0 < sum(server.asked.values()) <= START_CONCURRENCY


def test_a_server_that_comes_up_a_little_later_is_waited_for() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    late = Server(port=port)
    opening = threading.Timer(0.4, late.__enter__)
    opening.start()
    try:
        ((reply,),) = create([], 0, url=f"http://127.0.0.1:{port}/v1", model="m").complete(["one"])
        assert reply.text == "answer to one"
    finally:
        opening.join()
        late.__exit__()
