"""A server that repeats the key wherever it can: it is on no disk, in no log and in no error afterwards."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from aiohttp import web
from command import written
from hypothesis import given
from hypothesis import strategies as st

from selfsown.models import SamplingParams
from selfsown.models.endpoint.endpoint import create
from selfsown.models.endpoint.http_client import shared_client
from selfsown.models.endpoint.masking import PREFIX_CHARS, mask_secret
from selfsown.records import SelfsownError
from selfsown.usage.journal import Journal
from testing.mock_server import Server

SECRET = "sk-proj+very/secret=0123456789abcdef"
MANY = [f"prompt {at}" for at in range(40)]
PASSING = ("body", "declined", "escaped", "cut body", "half", "busy", "error", "strange head", "strange start", "reset")
ENDING = (
    "always declined",
    "stranger",
    "redirect",
    "no quota",
    "always error",
    "always strange head",
    "always strange start",
)


class Leaky(Server):
    """It says the key in each of these ways; some that pass only where a prompt is asked for the first time."""

    kinds: tuple[str, ...] = ()

    async def _answered(self, request: web.Request, body: Any, prompt: str) -> web.StreamResponse:
        key = request.headers["Authorization"].removeprefix("Bearer ")
        kind = self.kinds[sum(prompt.encode()) % len(self.kinds)]
        once = self.asked[prompt] == 1 or kind.startswith("always")
        kind = kind.removeprefix("always ")
        if kind == "declined":
            return web.json_response({"error": {"message": f"not with {key}"}}, status=400, headers={"X-Key": key})
        if kind == "stranger":
            return web.Response(status=401, text=f"Incorrect API key: {key}", reason=key)
        if kind == "redirect":
            return web.Response(status=302, text=f"go to /?key={key}", headers={"Location": f"/v1/x?key={quote(key)}"})
        if kind == "no quota":
            return web.json_response({"error": {"code": "insufficient_quota", "message": key}}, status=429)
        if kind == "busy" and once:
            return web.Response(status=429, text=key, headers={"Retry-After": key})
        if kind == "error" and once:
            return web.Response(status=500, text=f"<b>{key}</b>" * 20, reason=key)
        self.say = lambda prompt, body: f"my key is {key}"
        if kind in ("cut body", "half") and once:
            text = '{"choices": [{"message": {"content": "' + key[:-6]
            long = len(text) + 9 * (kind == "cut body")
            return await self._raw(request, f"HTTP/1.1 200 OK\r\nContent-Length: {long}\r\n\r\n{text}")
        if kind == "strange head" and once:
            return await self._raw(request, f"HTTP/1.1 200 OK\r\nX-Key{key}\x00: \x01{key}\r\n\r\n")
        if kind == "strange start" and once:
            return await self._raw(request, f"{key} 200 OK\r\n\r\n")
        if kind == "reset" and once:
            return await self._raw(request, "")
        if kind == "escaped":
            said = "".join(each if each.isalnum() else f"\\u{ord(each):04X}" for each in key)
            return web.Response(text='{"choices": [{"message": {"content": "' + said + '"}}]}')
        return await super()._answered(request, body, prompt)

    async def _raw(self, request: web.Request, text: str) -> web.StreamResponse:
        assert request.transport
        request.transport.write(text.encode())
        request.transport.close()
        return web.Response()


def everything(error: BaseException | None) -> Iterator[str]:
    """All that an error, its causes and what they carry can be made to say."""
    seen = set[int]()
    while error and id(error) not in seen:
        seen.add(id(error))
        yield from (str(error), repr(error), repr(error.args), repr(vars(error)))
        yield "".join(traceback.format_exception(error))
        if error.__cause__ is not error.__context__:
            yield from everything(error.__cause__)
        error = error.__context__


def told(text: str) -> bool:
    """Whether a good part of the key stands in the text, however written."""
    return any(
        part in text for part in (SECRET[:PREFIX_CHARS], quote(SECRET, safe="")[:PREFIX_CHARS], SECRET[-PREFIX_CHARS:])
    )


@pytest.fixture
def debugging(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """The one event loop says all that it does."""
    loop = shared_client().loop
    slow, loop.slow_callback_duration = loop.slow_callback_duration, 0.0
    loop.call_soon_threadsafe(loop.set_debug, True)
    with caplog.at_level(logging.DEBUG):
        yield caplog
    loop.call_soon_threadsafe(loop.set_debug, False)
    loop.slow_callback_duration = slow


@pytest.mark.parametrize("kind", PASSING + ENDING)
def test_the_key_is_in_no_reply_no_journal_no_log_and_no_error(
    kind: str, debugging: pytest.LogCaptureFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEAKY_KEY", SECRET)
    journal = Journal(tmp_path / "replies.sqlite")
    heard: list[str] = []
    with Leaky() as server:
        server.kinds = (kind, "body") if kind == "declined" else (kind,)  # were all declined, that would be the end
        model = create([], 0, journal, url=server.url, model="m", api_key="LEAKY_KEY", retries=2, max_in_flight=4)
        try:
            heard += [repr(model), repr(model.complete(MANY[:8], SamplingParams(seed=1)))]
            assert kind in PASSING
        except SelfsownError as error:
            assert kind in ENDING
            heard += [*everything(error), traceback.format_exc()]
        assert server.asked
    journal.close()
    assert debugging.text, "the loop says what it does"
    assert not told(debugging.text)
    assert not [each for each in heard if told(each)]
    for path in tmp_path.rglob("*"):
        assert not told(path.read_bytes().decode("utf-8", "replace"))


@given(st.text("sk-proj+very/0 \\", max_size=30), st.integers(PREFIX_CHARS, len(SECRET)), st.text("sk-p x", max_size=9))
def test_the_key_is_masked_whole_or_cut_and_all_else_stands(before: str, length: int, after: str) -> None:
    for key in (SECRET, SECRET.replace("/", "\\/"), quote(SECRET, safe="")):
        said = mask_secret(f"{before}{key[: max(length, PREFIX_CHARS * 2)]}| {after}", SECRET)
        assert not told(said)
        assert said.endswith(f"| {after}")
    assert mask_secret(before, SECRET) == before


def test_what_is_shorter_than_a_key_stands() -> None:
    assert mask_secret("a word", "word") == "a word"


@pytest.mark.slow
def test_the_key_is_nowhere_in_a_run_s_folder_nor_in_what_it_prints_in_debug_mode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEAKY_KEY", SECRET)
    written(tmp_path, generate=[{"sample": {"n": 2}}], grade=["judge"], generations=1)
    begin = "import logging; logging.basicConfig(level=0); from selfsown.cli import main; main()"
    with Leaky() as server:
        server.kinds = PASSING
        named = f"{{endpoint: {{url: '{server.url}', model: m, api_key: LEAKY_KEY, retries: 2}}}}"
        order = [sys.executable, "-X", "dev", "-c", begin, "run", "mine.yaml", "run"]
        order += ["--set", f"teacher={named}", "--set", f"judge={named}"]
        done = subprocess.run(order, cwd=tmp_path, env=dict(os.environ), capture_output=True, text=True, timeout=120)
        assert done.returncode == 4, done.stderr[-2000:]  # no judge could be read, so no row was kept
        assert server.asked
    assert "DEBUG:" in done.stderr
    assert not told(done.stdout + done.stderr)
    assert (tmp_path / "run" / "report.html").exists()
    for path in (tmp_path / "run").rglob("*"):
        assert path.is_dir() or not told(path.read_bytes().decode("utf-8", "replace")), path
