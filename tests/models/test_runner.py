"""Batches at both providers: the same replies under the same keys, each fault both ways, none lost, none paid twice."""

from __future__ import annotations

import logging
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from selfsown.models import SamplingParams
from selfsown.models.anthropic import create as anthropic
from selfsown.models.endpoint import retry
from selfsown.models.endpoint.batch import provider
from selfsown.models.endpoint.batch.formats import AnthropicBatchFormat, OpenAIBatchFormat
from selfsown.models.endpoint.endpoint import Endpoint
from selfsown.models.endpoint.endpoint import create as endpoint
from selfsown.models.endpoint.http_client import shared_client
from selfsown.records import SelfsownError
from selfsown.usage.journal import Journal
from testing.mock_batches import BatchServer

SECRET = "sk-very/secret-0123456789"
MANY = [f"prompt {at}" for at in range(100)]
Make = Callable[..., Endpoint]
KILLED = """
import sys
from pathlib import Path
from selfsown.usage.journal import Journal
from selfsown.models import anthropic, endpoint
from selfsown.models.endpoint import retry
from selfsown.models.endpoint.batch import provider

provider.FIRST_POLL_SECONDS, provider.SETTLE_SECONDS = 0.05, 0.3
style, url, path = sys.argv[1:]
knobs = {"url": url, "model": "m", "batch": 40}
journal = Journal(Path(path))
model = anthropic.create([], 0, journal, api_key="", **knobs) if style == "messages" else endpoint.create(
    [], 0, journal, style=style, **knobs
)
print([reply.text for each in model.complete([f"prompt {at}" for at in range(100)]) for reply in each])
journal.close()
"""


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server on the same machine needs no seconds."""
    monkeypatch.setattr(provider, "FIRST_POLL_SECONDS", 0.02)
    monkeypatch.setattr(provider, "SETTLE_SECONDS", 0.2)


@pytest.fixture(params=["chat", "completions", "messages"])
def make(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Make:
    """A model that sends batches in each of the three ways."""
    monkeypatch.setenv("TEST_KEY", SECRET)

    def made(server: BatchServer, journal: Journal | None = None, **knobs: Any) -> Endpoint:
        knobs = {"url": server.url, "model": "m", "batch": 40, "api_key": "TEST_KEY", **knobs}
        if request.param == "messages":
            return anthropic([], 0, journal, **knobs)
        return endpoint([], 0, journal, style=request.param, **knobs)

    return made


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    found = Journal(tmp_path / "replies.sqlite")
    yield found
    found.close()


def texts(model: Endpoint, prompts: list[str] = MANY) -> list[str]:
    return [reply.text for each in model.complete(prompts) for reply in each]


def failures(model: Endpoint, prompts: list[str] = MANY) -> list[str]:
    return [reply.failure for each in model.complete(prompts) for reply in each]


def refused(model: Endpoint, prompts: list[str] = MANY) -> str:
    with pytest.raises(SelfsownError) as caught:
        model.complete(prompts)
    return str(caught.value)


ANSWERS = [f"answer to {prompt}" for prompt in MANY]


def test_what_a_batch_bought_is_found_without_batch_and_the_other_way_round(make: Make, journal: Journal) -> None:
    with BatchServer(key=SECRET) as server:
        assert texts(make(server, journal)) == ANSWERS
        assert sorted(map(len, server.sent)) == [20, 40, 40]
        assert texts(make(server, journal, batch=0)) == ANSWERS
        assert set(server.asked.values()) == {1}
        make(server, journal, batch=0).complete(["another"])
        assert texts(make(server, journal), ["another"]) == ["answer to another"]
        assert server.asked["another"] == 1
        assert len(server.sent) == 3
    assert {record.state for record in journal.batches(server.url)} == {"over"}


def test_the_same_requests_are_sent_as_without_batch(make: Make) -> None:
    with BatchServer() as server:
        for batch in (0, 7):
            make(server, batch=batch, system="Be brief.", extra={"top_p": 0.5}).complete(
                MANY[:5], SamplingParams(n=2, seed=3)
            )
    bodies = sorted(server.bodies, key=repr)
    assert bodies[::2] == bodies[1::2]
    assert len(bodies) == 20


def test_the_engine_is_told_how_many_rows_go_at_once(make: Make) -> None:
    with BatchServer() as server:
        model = make(server, batch=7, max_in_flight=3)
    assert (model.preferred_batch, model.max_in_flight) == (7, 3)


def test_without_a_journal_batches_work_too(make: Make) -> None:
    with BatchServer(slow=3, calls={"lost": 0.1}) as server:
        assert texts(make(server)) == ANSWERS


FAULTS = {"expired": 0.1, "error": 0.1, "busy": 0.1, "missing": 0.05, "double": 0.1}


@pytest.mark.parametrize("seed", range(3))
def test_entries_that_went_wrong_are_sent_again_and_the_others_are_not(
    seed: int, make: Make, journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO), BatchServer(entries=FAULTS, seed=seed, slow=2) as server:
        model = make(server, journal)
        assert texts(model) == ANSWERS
        assert sum(server.asked.values()) > 120
        assert set(server.paid.values()) == {1}
        before = server.asked.copy()
        assert texts(model) == ANSWERS
        assert server.asked == before
    assert "duplicate result lines" in caplog.text
    assert "40 requests sent" in caplog.text


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ({"expired": 1.0}, "the batch has no answer to it"),
        ({"error": 1.0}, "the server returned 500: out of order"),
        ({"busy": 1.0}, "the server returned 429: too many"),
        ({"missing": 1.0}, "the batch ended without a result for it"),
    ],
)
def test_a_row_that_always_goes_wrong_fails_with_its_reason_after_as_many_batches_as_retries(
    entries: dict[str, float], words: str, make: Make, journal: Journal
) -> None:
    class Spoiled(BatchServer):
        def _work(self, made: Any, key: str, body: Any, path: str) -> None:
            self.entries = entries if "prompt 7'" in repr(body) else {}
            super()._work(made, key, body, path)

    with Spoiled() as server:
        found = failures(make(server, journal, retries=3), MANY[:20])
        assert [at for at, failure in enumerate(found) if failure] == [7]
        assert found[7].startswith(words)
        assert found[7].endswith(", 3 times")
        assert [len(each) for each in server.sent] == [20, 1, 1]


def test_a_declined_entry_fails_its_row_in_the_server_s_words(make: Make, journal: Journal) -> None:
    with BatchServer(forbidden="7") as server:
        found = failures(make(server, journal), MANY[:20])
        assert [at for at, failure in enumerate(found) if failure] == [7, 17]
        assert found[7] == "the server declined it, 400: may not be asked"
        assert len(server.sent) == 1


def test_a_server_that_declines_or_fails_every_entry_stops_the_run(make: Make, journal: Journal) -> None:
    with BatchServer(forbidden="prompt") as server:
        assert "extra: {FIELD: null}" in refused(make(server, journal))
    with BatchServer(entries={"error": 1.0}) as server:
        assert "the same command continues" in refused(make(server, journal, retries=2))
    with BatchServer(models=("n",)) as server:
        assert "has no such model" in refused(make(server, journal))


@pytest.mark.parametrize("seed", range(3))
def test_calls_that_go_wrong_pay_for_nothing_twice(seed: int, make: Make, journal: Journal) -> None:
    calls = {"busy": 0.15, "error": 0.1, "lost": 0.1, "half": 0.1}
    with BatchServer(calls=calls, seed=seed, slow=2, wait="0.02") as server:
        assert texts(make(server, journal, retries=10)) == ANSWERS, "none of 30 calls goes wrong ten times in a row"
        assert set(server.paid.values()) == {1}
        assert set(server.asked.values()) == {1}


def test_results_that_end_early_and_look_whole_are_read_again(make: Make, journal: Journal) -> None:
    class Short(BatchServer):
        async def content(self, request: Any) -> Any:
            response = await super().content(request)
            if self.called.count(f"GET {request.path}") == 1:
                response.text = "".join(response.text.splitlines(keepends=True)[:-3])
            return response

    with Short() as server:
        assert texts(make(server, journal)) == ANSWERS
        assert set(server.asked.values()) == {1}


def test_a_server_that_is_busy_when_a_lost_batch_is_looked_for_is_asked_again(make: Make, journal: Journal) -> None:
    class Busy(BatchServer):
        """Nobody hears that the first batch was made, and results cannot be read at first."""

        async def create(self, request: Any) -> Any:
            response = await super().create(request)
            if len(self.made) == 1:
                request.transport.abort()
            return response

        async def content(self, request: Any) -> Any:
            if self.called.count(f"GET {request.path}") == 1:
                return web.Response(status=429, headers={"Retry-After": "0.01"})
            return await super().content(request)

    with Busy() as server:
        assert texts(make(server, journal, retries=2), MANY[:30]) == ANSWERS[:30]
        assert set(server.paid.values()) == {1}


def test_a_batch_whose_receipt_was_lost_is_found_in_the_list_even_if_it_is_there_late(
    make: Make, journal: Journal
) -> None:
    class Deaf(BatchServer):
        """Nobody hears that the first batch was made, and its list knows of it a little later."""

        async def create(self, request: Any) -> Any:
            response = await super().create(request)
            if len(self.made) == 3:
                request.transport.abort()
            return response

    with Deaf(hide=2, slow=1) as server:
        for at in (0, 50):  # what the list must be read past
            make(server, batch=25).complete([f"other {at + each}" for each in range(25)])
        assert texts(make(server, journal), MANY[:30]) == ANSWERS[:30]
        assert len(server.sent) == 3
        assert set(server.paid.values()) == {1}


def test_polls_that_are_never_answered_stop_the_run_and_the_next_one_goes_on(
    make: Make, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "FIRST_WAIT_SECONDS", 0.25)  # so that all three batches are sent before the run stops

    class Mute(BatchServer):
        mute = True

        async def poll(self, request: Any) -> Any:
            if self.mute:
                request.transport.abort()
            return await super().poll(request)

    with Mute() as server:
        assert "the connection broke" in refused(make(server, journal, retries=2))
        assert {record.state for record in journal.batches(server.url)} == {"sent"}
        server.mute = False
        assert texts(make(server, journal)) == ANSWERS
        assert len(server.sent) == 3
        assert {record.state for record in journal.batches(server.url)} == {"over"}


def test_retry_after_is_kept_to_and_a_wait_too_long_stops_the_run(make: Make) -> None:
    with BatchServer(calls={"busy": 0.7}, wait="0.1") as server:
        began = time.monotonic()
        assert texts(make(server, retries=1), MANY[:5]) == ANSWERS[:5]
        assert time.monotonic() - began > 0.1
    with BatchServer(calls={"busy": 1.0}, wait="86400") as server:
        assert "wait 86400 seconds" in refused(make(server))


def test_a_wrong_key_stops_at_once_and_is_nowhere(
    make: Make, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    with BatchServer(key=SECRET, say=lambda prompt, body: f"my key is {SECRET}") as server:
        monkeypatch.setenv("TEST_KEY", "sk-wrong-0123456789")
        said = refused(make(server, journal))
        assert "does not accept the API key (401: Incorrect API key provided: [key])" in said
        assert len(server.called) <= 3, "one question for each batch"
        monkeypatch.setenv("TEST_KEY", SECRET)
        assert texts(make(server, journal), MANY[:3]) == ["my key is [key]"] * 3
    journal.close()
    for path in journal.path.parent.iterdir():
        assert SECRET.encode() not in path.read_bytes()


def test_a_batch_that_is_gone_stops_the_run_and_says_the_way_out(make: Make, journal: Journal) -> None:
    with BatchServer(slow=10**9) as server:
        thread = threading.Thread(target=lambda: refused(make(server, journal, retries=1), MANY[:40]))
        thread.start()
        while not server.polls:
            time.sleep(0.01)
        server.made.clear()
        thread.join()
        said = refused(make(server, journal), MANY[:40])
    assert "to send and pay for it again: sqlite3" in said.lower()


def test_a_cancelled_batch_stops_the_run_and_the_next_one_sends_the_rest(make: Make, journal: Journal) -> None:
    with BatchServer(entries={"canceled": 0.3}) as server:
        assert "was cancelled at the server" in refused(make(server, journal), MANY[:40])
        server.entries = {}
        assert texts(make(server, journal), MANY[:40]) == ANSWERS[:40]
        assert len(server.sent) == 2
        assert set(server.paid.values()) == {1}


def test_a_batch_that_is_refused_as_a_whole_stops_the_run_in_the_server_s_words(journal: Journal) -> None:
    with BatchServer(refuse=lambda bodies: "invalid_json_line: This line is not valid") as server:
        model = endpoint([], 0, journal, url=server.url, model="m", batch=100)
        assert "rejects the batch: invalid_json_line: This line is not valid (line 1)" in refused(model)
        assert len(server.sent) == 1
        server.refuse = lambda bodies: ""
        assert texts(model) == ANSWERS


def test_what_is_too_much_for_one_batch_is_sent_in_smaller_ones(make: Make, journal: Journal) -> None:
    words = "maximum_requests_exceeded: too many requests"
    with BatchServer(refuse=lambda bodies: words * (len(bodies) > 15)) as server:
        assert texts(make(server, journal)) == ANSWERS
        assert set(server.paid.values()) == {1}
    with BatchServer(refuse=lambda bodies: words * ("prompt 7'" in repr(bodies))) as server:
        found = failures(make(server, journal), MANY[:20])
        assert [at for at, failure in enumerate(found) if failure] == [7], "one that is too long by itself"


def test_a_full_queue_is_waited_for_and_batches_stay_as_large(journal: Journal) -> None:
    class Full(BatchServer):
        def __init__(self, **more: Any) -> None:
            super().__init__(refuse=self.full, **more)

        def full(self, bodies: Any) -> str:
            busy = [name for name, polls in self.polls.items() if polls <= self.slow and not self.made[name]["why"]]
            return "token_limit_exceeded: Enqueued token limit reached" if busy else ""

    with Full(slow=3) as server:
        models = [endpoint([], 0, journal, url=server.url, model="m", batch=20) for _ in range(3)]
        found = dict[int, list[str]]()

        def call(at: int) -> None:
            found[at] = texts(models[at], MANY[at * 20 : at * 20 + 20])

        threads = [threading.Thread(target=call, args=(at,)) for at in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [found[at] for at in range(3)] == [ANSWERS[:20], ANSWERS[20:40], ANSWERS[40:60]]
        assert {len(each) for each in server.sent} == {20}
        assert set(server.paid.values()) == {1}


def test_the_provider_s_limits_in_requests_and_bytes_are_kept_to(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    for way in (OpenAIBatchFormat, AnthropicBatchFormat):
        monkeypatch.setattr(way, "max_requests", 30)
        monkeypatch.setattr(way, "max_bytes", 5000)
    with BatchServer() as server:
        assert texts(make(server, batch=50)) == ANSWERS
        sizes = [len(each) for each in server.sent]
        assert 10 < max(sizes) <= 30
        long = [prompt + " word" * 200 for prompt in MANY[:10]]
        assert len(texts(make(server, batch=50), long)) == 10
        assert {len(each) for each in server.sent[len(sizes) :]} <= {1, 2, 3, 4}
        assert max(server.lengths) <= 5000 + 500, "and what frames a file in the form that carries it"


def test_the_same_requests_from_two_calls_at_once_are_sent_once(make: Make, journal: Journal) -> None:
    with BatchServer(slow=3) as server:
        found = list[list[str]]()
        calls = [threading.Thread(target=lambda: found.append(texts(make(server, journal)))) for _ in range(3)]
        for call in calls:
            call.start()
        for call in calls:
            call.join()
        assert found == [ANSWERS] * 3
        assert set(server.asked.values()) == {1}
    assert not shared_client().pending
    assert not shared_client().batches_in_flight


def test_a_batch_that_was_sent_is_shared_by_the_smaller_calls_of_the_next_run(make: Make, journal: Journal) -> None:
    with BatchServer(slow=10**9) as server:
        thread = threading.Thread(target=lambda: refused(make(server, journal, retries=1), MANY[:40]))
        thread.start()
        while not server.polls:
            time.sleep(0.01)
        server.calls = {"error": 1.0}
        thread.join()
        server.calls, server.slow = {}, 2
        found = dict[int, list[str]]()

        def call(at: int) -> None:
            found[at] = texts(make(server, journal, batch=10), MANY[at * 10 : at * 10 + 10])

        calls = [threading.Thread(target=call, args=(at,)) for at in range(4)]
        for each in calls:
            each.start()
        for each in calls:
            each.join()
        assert [found[at] for at in range(4)] == [ANSWERS[at * 10 : at * 10 + 10] for at in range(4)]
        assert len(server.sent) == 1


@pytest.mark.slow
@pytest.mark.parametrize("style", ["chat", "messages"])
def test_killed_at_any_moment_the_same_command_goes_on_and_nothing_is_paid_twice(style: str, tmp_path: Path) -> None:
    draw = random.Random(style)
    path = tmp_path / "replies.sqlite"
    order = [sys.executable, "-c", KILLED, style]
    with BatchServer(latency=0.05, slow=4, entries=FAULTS, seed=1) as server:
        for _ in range(4):
            process = subprocess.Popen([*order, server.url, str(path)], stdout=subprocess.DEVNULL)
            begun = len(server.called)
            while len(server.called) == begun and process.poll() is None:
                time.sleep(0.005)
            time.sleep(draw.uniform(0, 0.6))
            process.send_signal(signal.SIGKILL)
            process.wait()
        said = subprocess.run([*order, server.url, str(path)], capture_output=True, text=True, check=True)
        assert said.stdout.strip() == str(ANSWERS)
        assert set(server.paid.values()) == {1}
        assert len(server.paid) == len(MANY)
