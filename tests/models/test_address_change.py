"""A server that moves: its replies are found under its identity, and pointed out where nobody named one."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command import selfsown

from selfsown.folder_recipe import without_transport
from selfsown.models.anthropic import create as anthropic
from selfsown.models.endpoint.endpoint import create as endpoint
from selfsown.usage.journal import Journal
from testing.mock_server import Server

MANY = [f"prompt {at}" for at in range(12)]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    found = Journal(tmp_path / "replies.sqlite")
    yield found
    found.close()


def moved(server: Server, how: str) -> str:
    return {
        "localhost": server.url.replace("127.0.0.1", "localhost"),
        "slash": server.url + "/",
        "same": server.url,
    }[how]


@pytest.mark.parametrize("make", [endpoint, anthropic])
@pytest.mark.parametrize("how", ["localhost", "slash", "port"])
def test_replies_of_a_former_address_are_pointed_out_with_the_words_that_use_them(
    make: Any, how: str, journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    with Server() as server, Server() as other:
        make([], 0, journal, "teacher", url=server.url, model="m", api_key="").complete(MANY)
        assert not caplog.records, "nothing has moved yet"
        url = other.url if how == "port" else moved(server, how)
        make([], 0, journal, "teacher", url=url, model="m", api_key="").complete(MANY)
        make([], 0, journal, "teacher", url=url, model="m", api_key="").complete(["another"])
        method = "anthropic" if make is anthropic else "endpoint"
        (record,) = caplog.records
        assert record.levelno == logging.WARNING
        words = (
            "12 replies of the same model at another address would match, but will be requested again; to use them: "
        )
        assert record.getMessage() == f"{words}--set 'teacher.{method}.identity={server.url}'"


@pytest.mark.parametrize("make", [endpoint, anthropic])
@pytest.mark.parametrize("name", ["my model", "http://node7:8000/v1", "ü", "a" * 200])
def test_under_its_identity_nothing_is_asked_again_wherever_it_is(make: Any, name: str, journal: Journal) -> None:
    with Server() as server, Server() as other:
        first = make([], 0, journal, url=server.url, model="m", api_key="", identity=name).complete(MANY)
        assert make([], 0, journal, url=other.url, model="m", api_key="", identity=name).complete(MANY) == first
        make([], 0, journal, url=moved(server, "localhost"), model="m", api_key="", identity=name).complete(MANY)
        assert (sum(server.asked.values()), sum(other.asked.values())) == (12, 0)
        make([], 0, journal, url=server.url, model="m", api_key="", identity=name + "2").complete(MANY)
        assert sum(server.asked.values()) == 24, "another identity is another model"


def test_a_former_address_as_identity_finds_what_was_kept_without_one(
    journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    with Server() as server, Server() as other:
        first = endpoint([], 0, journal, url=server.url, model="m").complete(MANY)
        model = endpoint([], 0, journal, url=other.url, model="m", identity=server.url)
        assert model.complete(MANY) == first
        assert not other.asked
        model.complete(["new"])
        assert other.asked == {"new": 1}, "what is new is asked for at the new address"
        assert endpoint([], 0, journal, url=server.url, model="m").complete(["new"])
        assert not server.asked["new"]
    assert not caplog.records


def test_another_model_or_other_settings_are_no_reason_to_say_anything(
    journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    with Server(models=("m", "n")) as server, Server(models=("m", "n")) as other:
        endpoint([], 0, journal, url=server.url, model="m").complete(MANY)
        endpoint([], 0, journal, url=other.url, model="n").complete(MANY)
        endpoint([], 0, journal, url=other.url, model="m", extra={"top_p": 0.5}).complete(MANY)
        endpoint([], 0, url=other.url, model="m").complete(MANY)
    assert not caplog.records


def test_an_identity_stands_for_the_address_in_what_makes_a_run_the_same_run() -> None:
    before = {"endpoint": {"url": "http://a/v1", "model": "m"}}
    assert without_transport(
        {"endpoint": {"url": "http://b/v1", "model": "m", "identity": "http://a/v1"}}
    ) == without_transport(before)
    assert without_transport({"endpoint": {"url": "http://b/v1", "model": "m"}}) != without_transport(before)
    assert without_transport(
        {"endpoint": {"url": "http://a/v1", "model": "m", "headers": {"X": "y"}}}
    ) == without_transport(before)


@pytest.mark.slow
def test_the_command_says_it_and_keeps_to_it(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"prompt": "one", "answer": "two"}\n', encoding="utf-8")
    (tmp_path / "mine.yaml").write_text("real: rows.jsonl\ngenerate:\n  - sample: {n: 3}\n", encoding="utf-8")
    with Server() as server, Server() as other:

        def make(url: str, *more: str) -> str:
            teacher = f"teacher={{endpoint: {{url: '{url}', model: m}}}}"
            done = selfsown(tmp_path, "make", "mine.yaml", "out", "--set", teacher, *more)
            assert done.returncode == 0, done.stderr
            return done.stderr

        assert make(server.url) == ""
        assert make(other.url, "--set", f"teacher.endpoint.identity={server.url}") == ""
        assert not other.asked
        assert "3 replies of the same model at another address" in make(other.url)
        assert sum(other.asked.values()) == 3
