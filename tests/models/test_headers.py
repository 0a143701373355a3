"""Addresses with a query and headers of the user's own; what is secret in them is named, never written or shown."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from command import refused, selfsown

from selfsown.models.anthropic import create as anthropic
from selfsown.models.endpoint.credentials import check_url, join_url
from selfsown.models.endpoint.endpoint import create as endpoint
from selfsown.records import SelfsownError
from selfsown.usage.journal import Journal
from testing.mock_server import Server

SECRET = "sk-very/secret-0123456789"
AZURE = "/openai/deployments/d?api-version=2024-10-21"


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_KEY", SECRET)
    monkeypatch.setenv("BEARER_KEY", f"Bearer {SECRET}")
    monkeypatch.setenv("TEAM_NAME", "lab")


def azure(server: Server) -> str:
    return server.url.removesuffix("/v1") + AZURE


def test_an_address_with_a_version_in_its_query_and_a_key_in_its_own_header_is_asked(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "replies.sqlite")
    with Server(say=lambda prompt, body: f"my key is {SECRET}") as server:
        model = endpoint([], 0, journal, url=azure(server), model="m", headers={"api-key": "AZURE_KEY"})
        ((reply,),) = model.complete(["one"])
        assert reply.text == "my key is [key]"
        assert server.queries == ["api-version=2024-10-21"]
        assert server.heads[0]["api-key"] == SECRET
        assert "Authorization" not in server.heads[0]
        assert SECRET not in repr(model)
    journal.close()
    assert all(SECRET.encode() not in path.read_bytes() for path in tmp_path.iterdir())


@pytest.mark.parametrize(
    ("headers", "sent"),
    [
        ({"X-Team": "research"}, {"X-Team": "research"}),
        ({"X-Version": 2, "X-Share": 0.5}, {"X-Version": "2", "X-Share": "0.5"}),
        ({"X-Team": "TEAM_NAME"}, {"X-Team": "lab"}),
        ({"HTTP-Referer": "https://example.org/", "X-Title": "HOME"}, {"X-Title": "HOME"}),
        ({"Authorization": "BEARER_KEY"}, {"Authorization": f"Bearer {SECRET}"}),
        ({"authorization": "BEARER_KEY"}, {"authorization": f"Bearer {SECRET}"}),
        ({"Ocp-Apim-Subscription-Key": "AZURE_KEY"}, {"Ocp-Apim-Subscription-Key": SECRET}),
        (
            {"CF-Access-Client-Id": "12.access", "CF-Access-Client-Secret": "AZURE_KEY"},
            {"CF-Access-Client-Id": "12.access"},
        ),
        ({"Cookie": "AZURE_KEY"}, {"Cookie": SECRET}),
        ({"X-Auth": "AZURE_KEY"}, {"X-Auth": SECRET}),
        ({"anthropic-beta": "long-output-2024"}, {"anthropic-beta": "long-output-2024"}),
    ],
)
@pytest.mark.parametrize("make", [endpoint, anthropic])
def test_headers_are_sent_as_written_or_as_the_variable_says(make: Any, headers: Any, sent: Any) -> None:
    with Server() as server:
        make([], 0, url=server.url, model="m", api_key="AZURE_KEY", headers=headers).complete(["one"])
        (head,) = server.heads
    lower = {name.lower(): value for name, value in head.items()}
    assert {name.lower(): value for name, value in sent.items()}.items() <= lower.items()
    assert len(lower) == len(head)


def test_a_variable_of_a_header_may_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(SECRET + "\n", encoding="utf-8")
    with Server() as server:
        endpoint([], 0, url=server.url, model="m", headers={"api-key": str(tmp_path / "key")}).complete(["one"])
        assert server.heads[0]["api-key"] == SECRET


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"api-key": SECRET}, "headers.api-key: its value names neither a set environment variable"),
        ({"api-key": "NO_SUCH_KEY"}, "headers.api-key: NO_SUCH_KEY names neither a set environment variable"),
        ({"X-Team": "NO_SUCH_TEAM"}, "headers.X-Team: NO_SUCH_TEAM names neither a set environment variable"),
        (
            {"Authorization": f"Bearer {SECRET}"},
            "headers.Authorization: its value names neither a set environment variable",
        ),
        ({"X-Custom": SECRET}, "headers.X-Custom: this looks like a secret"),
        ({"X-Custom": f"Bearer {SECRET}"}, "this looks like a secret"),
        ({"X-Custom": "eyJhbGciOiJIUzI1NiIs.x.y"}, "this looks like a secret"),
        ({"X Team": "a"}, "this header cannot be set"),
        ({"Content-Length": "3"}, "this header cannot be set"),
        ({"X-Team": "a\r\nX-Key: b"}, "must be one line of printable ASCII"),
        ({"X-Team": "é"}, "must be one line of printable ASCII"),
        ({"api-key": [SECRET]}, "headers.api-key: its value is not a string"),
        ({"X-Team": True, "api-key": SECRET}, "headers.X-Team: its value is not a string"),
        ({"X-Team": None}, "headers.X-Team: its value is not a string"),
        ({3: "x", "a b": SECRET}, "headers.a b: this header cannot be set"),
        (f"api-key: {SECRET}", "headers is not a mapping"),
        ([f"api-key: {SECRET}"], "headers is not a mapping"),
    ],
)
def test_a_header_that_cannot_be_is_refused_without_its_value(headers: Any, words: str) -> None:
    with pytest.raises(SelfsownError) as caught:
        endpoint([], 0, url="http://example.org/v1", model="m", headers=headers)
    assert words in str(caught.value)
    assert SECRET not in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    "query",
    [
        *("key=abc", "api_key=abc", "api-key=", "token=abc", "access_token=abc", "sig=abc", "code=abc", "auth=abc"),
        *(
            "x-goog-signature=abc",
            "client_secret=abc",
            "password=abc",
            "subscription-key=abc",
            "API_KEY=abc",
            "sas=abc",
        ),
        f"version={SECRET}",
    ],
)
def test_a_secret_in_the_address_is_refused_with_what_to_do_instead(query: str) -> None:
    with pytest.raises(SelfsownError, match="contains a secret") as caught:
        check_url(f"https://example.org/v1?api-version=1&{query}")
    assert "headers: {x-functions-key: MY_VARIABLE}" in str(caught.value)
    assert "abc" not in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "query", ["api-version=2024-10-21", "api-version=preview&deployment=d", "region=eu", "beta", "v="]
)
def test_other_queries_are_part_of_the_address(query: str) -> None:
    check_url(f"https://example.org/v1?{query}")
    assert join_url(f"https://example.org/v1/?{query}", "/models") == f"https://example.org/v1/models?{query}"
    assert join_url("https://example.org/v1/", "/models") == "https://example.org/v1/models"


def test_secrets_of_headers_are_in_no_error_and_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    said: list[str] = []
    for status in (400, 401, 403, 500):

        def instead(prompt: str, body: Any, status: int = status) -> web.Response:
            return web.Response(status=status, text=f"bad key {SECRET}", reason=SECRET)

        with Server(instead=instead) as server:
            knobs: dict[str, Any] = {"url": azure(server), "model": "m", "retries": 1}
            for headers in ({"api-key": "AZURE_KEY"}, {"Authorization": "BEARER_KEY"}):
                with pytest.raises(SelfsownError) as caught:
                    endpoint([], 0, headers=headers, **knobs).complete([f"{at}" for at in range(30)])
                said.append(str(caught.value))
    assert all("[key]" in each and SECRET not in each for each in said)
    assert SECRET not in caplog.text


@pytest.mark.slow
def test_on_the_command_line_nothing_but_the_names_is_written(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"prompt": "one", "answer": "two"}\n', encoding="utf-8")
    with Server() as server:
        sets = f"{{endpoint: {{url: '{azure(server)}', model: m, headers: {{api-key: AZURE_KEY, X-Team: 'a b'}}}}}}"
        order = ["make", "mine.yaml", "out", "--set", f"teacher={sets}"]
        (tmp_path / "mine.yaml").write_text("real: rows.jsonl\ngenerate:\n  - sample: {n: 1}\n", encoding="utf-8")
        done = selfsown(tmp_path, *order)
        assert done.returncode == 0, done.stderr
        assert server.heads[0]["X-Team"] == "a b"
    recipe = (tmp_path / "out" / "recipe.yaml").read_text(encoding="utf-8")
    assert "AZURE_KEY" in recipe
    assert all(SECRET.encode() not in path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file())
    order[-1] = order[-1].replace("AZURE_KEY", SECRET)
    assert SECRET not in refused(selfsown(tmp_path, *order))
