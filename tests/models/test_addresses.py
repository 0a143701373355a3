"""A URL or a model that the server does not know: the error names the right one, and nothing is paid."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfsown.models.endpoint.endpoint import create
from selfsown.records import SelfsownError
from selfsown.usage.journal import Journal
from testing.mock_server import Server


def refused(url: str, model: str = "m") -> str:
    with pytest.raises(SelfsownError) as caught:
        create([], 0, url=url, model=model).complete(["a", "b"])
    return str(caught.value)


@pytest.mark.parametrize("suffix", ["", "/", "/api", "/v2/"])
def test_where_the_api_begins_elsewhere_the_url_to_set_is_named(suffix: str) -> None:
    with Server() as server:
        host = server.url.removesuffix("/v1")
        message = refused(host + suffix)
        assert message.endswith(f"; write --set teacher.endpoint.url={server.url}")
        assert "404" in message
        assert not server.asked


@pytest.mark.parametrize("path", ["/chat/completions", "/chat/completions/", "/completions", "/models", "/messages"])
def test_a_url_that_ends_with_a_path_of_the_api_is_refused_before_anything_is_sent(path: str) -> None:
    with Server() as server:
        assert refused(server.url + path).endswith(f"write {server.url}")
        assert not server.knocks


def test_a_trailing_slash_changes_no_key_of_a_url_without_one(tmp_path: Path) -> None:
    with Server() as server:
        journal = Journal(tmp_path / "replies.sqlite")
        for url in (server.url, server.url + "/", server.url):
            create([], 0, journal, "teacher", url=url, model="m").complete(["a"])
        journal.close()
        assert server.paid["a"] == 2, "each spelling is paid once, as before"


def test_a_model_that_the_server_does_not_have_lists_those_that_it_has() -> None:
    with Server(models=("small", "large")) as server:
        message = refused(server.url, "lage")
        assert f"{server.url} has no model 'lage' (404: The model lage does not exist), but small, large" in message
        assert message.endswith("--set teacher.endpoint.model=large")
        no_path = refused(server.url.removesuffix("/v1"), "small")
        assert "where this server's API begins (404: Not Found); write" in no_path, "the status is said once"
    with Server(models=tuple(f"m{at}" for at in range(30))) as server:
        assert "and 18 more" in refused(server.url, "other")


@pytest.mark.parametrize(
    ("url", "right"),
    [
        ("localhost:8000/v1", "http://localhost:8000/v1"),
        ("127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1"),
        ("gpu-7:8000/v1", "http://gpu-7:8000/v1"),
        ("api.openai.com/v1", "https://api.openai.com/v1"),
    ],
)
def test_a_url_without_its_scheme_is_given_back_with_it(url: str, right: str) -> None:
    assert refused(url) == f"url is not an address; write {right}"


@pytest.mark.parametrize(
    "url", ["sk-abcdef0123456789abcdef", "me:secret@host/v1", "", "host/v1?key=secret", "//host/v1"]
)
def test_what_may_be_a_secret_is_not_repeated(url: str) -> None:
    message = refused(url)
    assert "secret" not in message.replace("contains a secret", "")
    assert "sk-" not in message


def test_https_to_a_server_without_it_and_a_host_that_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("selfsown.models.endpoint.health_check.MAX_UNREACHABLE_SECONDS", 0.1)
    with Server() as server:
        assert "write http:// where the server has none" in refused(server.url.replace("http:", "https:"))
    assert "no such host; check the spelling of url" in refused("http://nosuch.invalid/v1")
