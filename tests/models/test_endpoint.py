"""Models behind a server: each fault both ways, no reply lost, none paid twice, no key anywhere."""

from __future__ import annotations

import asyncio
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from selfsown.models import Reply, SamplingParams
from selfsown.models.anthropic import create as anthropic
from selfsown.models.endpoint import dispatcher, health_check
from selfsown.models.endpoint.endpoint import Endpoint, load
from selfsown.models.endpoint.endpoint import create as endpoint
from selfsown.models.endpoint.http_client import shared_client
from selfsown.models.endpoint.rate_limiter import START_CONCURRENCY, RateLimiter
from selfsown.records import Row, SelfsownError
from selfsown.usage.journal import Journal
from testing.mock_server import Server

SECRET = "sk-very/secret-0123456789"
STOPPED = """
import signal, sys, threading
from pathlib import Path
from selfsown.usage.journal import Journal
from selfsown.models.endpoint import create

def pass_on():
    for line in sys.stdin:  # a system may deliver a signal to any thread
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)

threading.Thread(target=pass_on, daemon=True).start()
journal = Journal(Path(sys.argv[1]))
try:
    create([], 0, journal, url=sys.argv[2], model="m", max_in_flight=8).complete([str(at) for at in range(10000)])
finally:
    journal.close()
"""
MANY = [f"prompt {at}" for at in range(200)]
Make = Callable[..., Endpoint]


@pytest.fixture(params=["chat", "completions", "messages"])
def make(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Make:
    """A model that asks this server in each of the three ways."""
    monkeypatch.setenv("TEST_KEY", SECRET)

    def made(server: Server, **knobs: Any) -> Endpoint:
        knobs = {"url": server.url, "model": "m", **knobs}
        if request.param == "messages":
            return anthropic([], 0, **{"api_key": "TEST_KEY", **knobs})
        return endpoint([], 0, style=request.param, **knobs)

    return made


def simple(server: Server, **knobs: Any) -> Endpoint:
    return endpoint([], 0, **{"url": server.url, "model": "m", **knobs})


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    found = Journal(tmp_path / "replies.sqlite")
    yield found
    found.close()


def texts(replies: list[list[Reply]]) -> list[str]:
    return [reply.text for each in replies for reply in each]


def failures(replies: list[list[Reply]]) -> list[str]:
    return [reply.failure for each in replies for reply in each if reply.failure]


def refused(model: Endpoint, prompts: list[str] = MANY) -> str:
    with pytest.raises(SelfsownError) as caught:
        model.complete(prompts)
    return str(caught.value)


def test_each_prompt_gets_its_answers_in_order_with_the_server_s_count_of_tokens(make: Make) -> None:
    with Server() as server:
        replies = make(server).complete(["one", "two three"], SamplingParams(n=2))
        assert replies == [[Reply("one", "answer to one", 3)] * 2, [Reply("two three", "answer to two three", 4)] * 2]
        assert make(server).complete([]) == []


def test_what_is_sent_says_model_prompt_system_and_settings(make: Make) -> None:
    with Server() as server:
        make(server, system="Be short. ").complete(["one"], SamplingParams(temperature=0.5, seed=3, max_tokens=9))
        (body,) = server.bodies
    assert (body["model"], body["temperature"], body["max_tokens"]) == ("m", 0.5, 9)
    user = {"role": "user", "content": "one"}
    if "prompt" in body:
        assert body["prompt"] == "Be short. one"
    elif "system" in body:
        assert (body["system"], body["messages"]) == ("Be short. ", [user])
    else:
        assert body["messages"] == [{"role": "system", "content": "Be short. "}, user]


def test_extra_fields_are_passed_on_and_null_leaves_a_field_out() -> None:
    with Server() as server:
        simple(server, extra={"top_p": 0.9, "seed": None}).complete(["one"], SamplingParams(n=2))
        assert all(body["top_p"] == 0.9 and "seed" not in body for body in server.bodies)
        assert server.asked["one"] == 2


def test_draws_have_seeds_of_their_own_and_at_temperature_0_they_are_one_request(journal: Journal) -> None:
    with Server(say=lambda prompt, body: str(body["seed"])) as server:
        model = simple(server, journal=journal)
        assert len(set(texts(model.complete(["one", "one"], SamplingParams(n=3, seed=1))))) == 6
        assert len(set(texts(model.complete(["one", "one"], SamplingParams(n=3, seed=2))))) == 6
        assert server.asked["one"] == 12
        assert len(set(texts(model.complete(["two", "two"], SamplingParams(n=3, temperature=0))))) == 1
        assert server.asked["two"] == 1


def test_what_is_in_the_journal_is_not_asked_again_and_without_a_journal_it_is(make: Make, journal: Journal) -> None:
    with Server() as server:
        first = make(server, journal=journal).complete(MANY[:20], SamplingParams(n=2, seed=1))
        assert make(server, journal=journal).complete(MANY[:20], SamplingParams(n=2, seed=1)) == first
        assert set(server.asked.values()) == {2}
        make(server).complete(MANY[:20], SamplingParams(n=2, seed=1))
        assert set(server.asked.values()) == {4}
    assert make(server, journal=journal).complete(MANY[:20], SamplingParams(n=2, seed=1)) == first, "the server is gone"


@pytest.mark.parametrize(
    ("change", "call"),
    [
        ({"system": "Be kind."}, {}),
        ({"extra": {"top_p": 0.5}}, {}),
        ({"model": "n"}, {}),
        ({}, {"seed": 1}),
        ({}, {"temperature": 0.5}),
        ({}, {"max_tokens": 5}),
    ],
)
def test_whatever_shapes_a_request_makes_it_another(
    change: dict[str, Any], call: dict[str, Any], journal: Journal
) -> None:
    with Server(models=("m", "n")) as server:
        simple(server, journal=journal).complete(["one"])
        simple(server, journal=journal, **change).complete(["one"], SamplingParams(**call))
        assert server.asked["one"] == 2


FAULTS = {"busy": 0.1, "error": 0.05, "reset": 0.03, "cut": 0.03, "malformed": 0.03}


def test_faults_that_pass_lose_no_row_and_pay_for_none_twice(make: Make, journal: Journal) -> None:
    with Server(faults=FAULTS) as server:
        replies = make(server, journal=journal).complete(MANY)
        assert texts(replies) == [f"answer to {prompt}" for prompt in MANY]
        assert not failures(replies)
        assert sum(server.asked.values()) > len(MANY) * 1.1
        before = server.asked.copy()
        assert make(server, journal=journal).complete(MANY) == replies
        assert server.asked == before


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("error", "the server returned 500: out of order, 2 times"),
        ("reset", "the connection broke"),
        ("cut", "the connection broke"),
        ("malformed", "the reply cannot be read"),
        ("hang", "no answer within 0.3 seconds"),
    ],
)
def test_a_row_that_goes_wrong_each_time_fails_alone_and_is_asked_for_again_by_the_next_run(
    fault: str, words: str, journal: Journal
) -> None:
    class Spoiled(Server):
        spoiled = True

        async def _answered(self, request: Any, body: Any, prompt: str) -> Any:
            self.faults = {fault: 1.0} if prompt == "prompt 7" and self.spoiled else {}
            return await super()._answered(request, body, prompt)

    with Spoiled() as server:
        model = simple(server, journal=journal, retries=2, timeout=0.3)
        model.complete(["warm up"])
        replies = model.complete(MANY[:20])
        assert [reply.failure[: len(words)] for (reply,) in replies] == [""] * 7 + [words] + [""] * 12
        assert server.asked["prompt 7"] == 2
        server.spoiled = False
        assert not failures(model.complete(MANY[:20]))
        assert server.asked["prompt 7"] == 3
        assert {server.asked[prompt] for prompt in MANY[:20]} == {1, 3}


def test_a_row_that_is_lost_before_anything_was_answered_fails_alone(journal: Journal) -> None:
    class Spoiled(Server):
        async def _answered(self, request: Any, body: Any, prompt: str) -> Any:
            if prompt != MANY[0]:
                while not self.asked[MANY[0]]:
                    await asyncio.sleep(0.01)
                await asyncio.sleep(0.3)
            self.faults = {"error": 1.0} if prompt == MANY[0] else {}
            return await super()._answered(request, body, prompt)

    with Spoiled() as server:
        replies = simple(server, journal=journal, retries=1).complete(MANY[:20])
    assert [reply.failure for (reply,) in replies] == ["the server returned 500: out of order, once", *[""] * 19]


@pytest.mark.parametrize(("max_in_flight", "sent"), [(1, 1), (3, 3), (100, START_CONCURRENCY)])
def test_a_server_that_answers_nothing_is_given_up_once_as_many_rows_are_lost_as_are_asked_at_once(
    max_in_flight: int, sent: int
) -> None:
    with Server(faults={"error": 1.0}) as server:
        assert "500: out of order" in refused(simple(server, retries=1, max_in_flight=max_in_flight))
    assert sum(server.asked.values()) <= 2 * sent, "some more may be on their way"


@pytest.mark.parametrize(
    ("kind", "words", "text"),
    [
        ("empty", "an empty answer", ""),
        ("refused", "refused", ""),
        ("long", "truncated at max_tokens", "answer to one"),
    ],
)
def test_what_is_no_answer_is_a_failure_that_says_so_and_stays_paid(
    kind: str, words: str, text: str, make: Make, journal: Journal
) -> None:
    with Server(faults={kind: 1.0}) as server:
        ((reply,),) = make(server, journal=journal).complete(["one"])
        plain = kind == "refused" and "prompt" in server.bodies[0]  # of a completion nobody can say that it refuses
        assert reply.failure.startswith("an empty answer" if plain else words)
        assert reply.text == text
        assert make(server, journal=journal).complete(["one"]) == [[reply]]
        assert server.asked["one"] == 1


def test_more_choices_than_asked_for_are_no_more_rows() -> None:
    with Server(faults={"twice": 1.0}) as server:
        assert [len(each) for each in simple(server).complete(MANY[:5], SamplingParams(n=2))] == [2] * 5


def test_a_declined_prompt_fails_with_the_server_s_words_and_its_neighbours_do_not(
    make: Make, journal: Journal
) -> None:
    with Server(forbidden="7") as server:
        replies = make(server, journal=journal, api_key="TEST_KEY").complete(MANY[:20])
        declined = [reply.prompt for (reply,) in replies if reply.failure]
        assert declined == ["prompt 7", "prompt 17"]
        assert failures(replies)[0] == "the server declined it, 400: may not be asked (your key is [key])"
        assert set(server.asked.values()) == {1}


def test_rows_that_always_go_wrong_do_not_keep_the_others_from_the_end(journal: Journal) -> None:
    bad = [f"bad {at}" for at in range(25)]

    def picky(prompt: str, body: Any) -> web.Response | None:
        return web.Response(status=500, text="out of order") if prompt.startswith("bad") else None

    with Server(forbidden="bad") as server:
        for _ in range(2):
            assert len(failures(simple(server, journal=journal).complete(bad + MANY))) == 25
        assert {server.asked[prompt] for prompt in MANY} == {1}
    among = MANY * 3
    for place, prompt in enumerate(bad):  # a busy machine tries those again together that began together
        among.insert(place * len(among) // len(bad), prompt)
    with Server(instead=picky) as server:
        for _ in range(2):
            model = simple(server, journal=journal, retries=2)
            assert len(failures(model.complete(among))) == 25, "the last of a call, and all of the next"
        with pytest.raises(SelfsownError, match="the same command continues"):
            model.complete(bad * 3 + MANY)


def test_a_server_that_declines_everything_stops_the_run() -> None:
    with Server(forbidden="prompt") as server:
        assert "extra: {FIELD: null}" in refused(simple(server), MANY * 3)
        assert sum(server.asked.values()) < 2 * len(MANY)


@pytest.mark.parametrize(
    ("set_up", "knobs", "words"),
    [
        (
            {"key": SECRET},
            {"api_key": "WRONG_KEY"},
            "does not accept the API key (401: Incorrect API key provided: [key])",
        ),
        ({}, {"model": "other"}, "404: The model other does not exist"),
    ],
)
def test_a_wrong_key_or_model_stops_at_once(
    set_up: dict[str, Any], knobs: dict[str, Any], words: str, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WRONG_KEY", "sk-wrong-0123456789")
    with Server(**set_up) as server:
        began = time.monotonic()
        assert words in refused(make(server, **knobs))
        assert time.monotonic() - began < 2
        assert sum(server.asked.values()) <= START_CONCURRENCY


def test_a_dead_endpoint_is_reported_and_its_former_replies_are_kept(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health_check, "MAX_UNREACHABLE_SECONDS", 0.8)
    monkeypatch.setattr(dispatcher, "MAX_UNREACHABLE_SECONDS", 0.8)
    with Server() as server:
        simple(server, journal=journal).complete(MANY[:10])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        dead = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    began = time.monotonic()
    assert "cannot be reached" in refused(endpoint([], 0, url=dead, model="m"))
    assert "its replies are stored" in refused(simple(server, journal=journal))
    assert time.monotonic() - began < 6
    assert not failures(simple(server, journal=journal).complete(MANY[:10]))


def test_a_server_that_is_only_out_of_order_stops_the_run_and_loses_no_row(journal: Journal) -> None:
    with Server(faults={"error": 1.0}, status=503) as server:
        assert "the server returned 503: out of order" in refused(simple(server, journal=journal, retries=3))
        server.faults = {}
        assert not failures(simple(server, journal=journal).complete(MANY))


def test_retry_after_is_kept_to_however_often_the_server_is_busy() -> None:
    with Server(faults={"busy": 0.8}, wait="0.06") as server:
        began = time.monotonic()
        replies = simple(server, retries=1).complete(MANY[:5])
        assert not failures(replies)
        most = max(server.asked.values())
        assert most > 2, "more often than other failures are retried"
        assert time.monotonic() - began > 0.06 * (most - 1)


def test_a_server_with_little_room_is_soon_asked_no_more_than_it_takes() -> None:
    with Server(room=10, latency=0.02) as server:
        assert not failures(simple(server, max_in_flight=100).complete(MANY * 2))
        assert sum(server.asked.values()) < 2 * 2 * len(MANY)


def test_a_wait_that_is_too_long_and_an_empty_purse_stop_the_run() -> None:
    with Server(faults={"busy": 1.0}, wait="86400") as server:
        assert "wait 86400 seconds" in refused(simple(server))


def test_a_server_that_only_ever_asks_for_time_stops_the_run_and_what_it_answered_is_kept(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatcher, "GIVE_UP_SECONDS", 0.4)
    with Server() as server:
        simple(server, journal=journal).complete(MANY[:10])
        server.faults = {"busy": 1.0}
        began = time.monotonic()
        assert "429: too many requests; its replies are stored" in refused(simple(server, journal=journal))
        assert 0.4 < time.monotonic() - began < 5
        monkeypatch.setattr(dispatcher, "GIVE_UP_SECONDS", 2.0)  # between two answers, on a busy machine, too
        server.faults, server.latency, began = {"busy": 0.5}, 0.05, time.monotonic()
        assert not failures(simple(server, journal=journal, max_in_flight=1).complete(MANY[:80]))
        assert time.monotonic() - began > 2, "one that answers now and then is waited for"
        assert {server.paid[prompt] for prompt in MANY[:80]} == {1}


def test_no_more_are_out_than_allowed_and_they_grow() -> None:
    with Server(latency=0.03) as server:
        simple(server, max_in_flight=20).complete(MANY)
        assert START_CONCURRENCY < server.most <= 20
    with Server(latency=0.03) as server:
        simple(server, max_in_flight=3).complete(MANY[:30])
        assert server.most == 3


@pytest.mark.parametrize("thread", ["the first", "another"])
def test_a_run_stopped_by_hand_ends_soon_and_keeps_what_it_heard(tmp_path: Path, thread: str) -> None:
    order = [sys.executable, "-c", STOPPED, str(tmp_path / "replies.sqlite")]
    with Server(latency=0.05) as server:
        pipe = subprocess.PIPE
        process = subprocess.Popen([*order, server.url], stdin=pipe, stderr=pipe, text=True)
        while sum(server.paid.values()) < 20:
            time.sleep(0.01)
        began = time.monotonic()
        if thread == "the first":
            process.send_signal(signal.SIGINT)
        _, said = process.communicate("" if thread == "the first" else "stop\n", timeout=20)
        assert time.monotonic() - began < 3
        assert said.rstrip().endswith("KeyboardInterrupt")
        assert said.count("Traceback") == 1
        paid = sum(server.paid.values())
    journal = Journal(tmp_path / "replies.sqlite")
    connection = sqlite3.connect(journal.path)
    assert paid - 8 <= connection.execute("SELECT count(*) FROM replies").fetchone()[0] <= paid
    connection.close()


def test_requests_a_minute_are_kept_to() -> None:
    with Server() as server:
        began = time.monotonic()
        simple(server, requests_per_minute=600).complete(MANY[:8])
        assert time.monotonic() - began >= 0.7


def test_tokens_a_minute_are_kept_to() -> None:
    with Server(say=lambda prompt, body: "word " * 100) as server:
        began = time.monotonic()
        simple(server, tokens_per_minute=30000, max_in_flight=1).complete(MANY[:6])
        assert time.monotonic() - began >= 0.8, "100 tokens each, 500 a second"


def test_the_same_request_from_two_calls_at_once_is_sent_once() -> None:
    with Server(latency=0.2) as server:
        found = list[list[list[Reply]]]()
        calls = [threading.Thread(target=lambda: found.append(simple(server).complete(MANY[:5]))) for _ in range(3)]
        for call in calls:
            call.start()
        for call in calls:
            call.join()
        assert found[0] == found[1] == found[2]
        assert set(server.asked.values()) == {1}


def test_the_last_line_answers_a_prompt_that_was_only_begun() -> None:
    said = {"1a": "1a:1234\n4321", "2b": ":99\n\n9", "3c": "nothing more"}
    with Server(say=lambda prompt, body: said[prompt]) as server:
        replies = simple(server).complete(list(said), SamplingParams(continue_prompt=True))
    assert replies[0] == [Reply("1a:1234", "4321", 2)]
    assert replies[1] == [Reply("2b:99", "9", 2)]
    assert replies[2][0].failure == "no answer below its prompt"


def test_without_a_prompt_the_system_s_words_are_what_is_asked() -> None:
    with Server() as server:
        assert texts(simple(server, system="Write a name.").complete(["", ""])) == ["answer to Write a name."] * 2
        assert server.asked["Write a name."] == 2
        assert "set system to" in refused(simple(server), [""])


def test_the_key_is_read_at_use_from_a_variable_or_a_file_and_is_nowhere_afterwards(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "key").write_text(SECRET + "\n", encoding="utf-8")
    journal = Journal(tmp_path / "run" / "replies.sqlite")
    journal.path.parent.mkdir()
    with Server(key=SECRET, say=lambda prompt, body: f"my key is {SECRET}") as server:
        for named in ("TEST_KEY", str(tmp_path / "key")):
            model = make(server, api_key=named, journal=journal)
            assert texts(model.complete(MANY[:3])) == ["my key is [key]"] * 3
            assert SECRET not in repr(model)
        monkeypatch.setenv("TEST_KEY", "sk-another-one-1234")
        said = refused(make(server, api_key="TEST_KEY"))
        assert "sk-another" not in said
    journal.close()
    for path in (tmp_path / "run").rglob("*"):
        assert SECRET.encode() not in path.read_bytes()


@pytest.mark.parametrize(
    ("knobs", "words"),
    [
        ({"url": "localhost:8000"}, "url is not an address"),
        ({"url": "http://[::1/v1"}, "url is not an address"),
        ({"url": "http://localhost:99999/v1"}, "url is not an address"),
        ({"url": "http://me:word@example.org/v1"}, "contains more than an address"),
        ({"url": "http://example.org/v1?key=abc"}, "contains a secret, key=…"),
        (
            {"url": "http://example.org/v1", "api_key": "NO_SUCH_VARIABLE"},
            "NO_SUCH_VARIABLE names neither a set environment variable",
        ),
        (
            {"url": "http://example.org/v1", "api_key": SECRET},
            "api_key: its value names neither a set environment variable",
        ),
    ],
)
def test_a_wrong_address_or_key_is_told_when_the_model_is_made(knobs: dict[str, Any], words: str) -> None:
    with pytest.raises(SelfsownError, match=r"url|key") as caught:
        endpoint([], 0, **{"model": "m", **knobs})
    assert words in str(caught.value)
    assert SECRET not in str(caught.value)
    assert "word@" not in str(caught.value)


def test_a_key_too_short_to_be_told_from_a_word_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_KEY", "EMPTY")
    with pytest.raises(SelfsownError, match="fewer than 8 characters") as caught:
        endpoint([], 0, url="http://example.org/v1", model="m", api_key="TEST_KEY")
    assert "EMPTY" not in str(caught.value)
    monkeypatch.setenv("TEST_KEY", "12345678")
    with Server(key="12345678", say=lambda prompt, body: "my key is 12345678") as server:
        assert texts(simple(server, api_key="TEST_KEY").complete(["one"])) == ["my key is [key]"]


def test_an_endpoint_is_not_measured_or_loaded() -> None:
    with pytest.raises(SelfsownError, match="not the student"):
        endpoint([], 0, url="http://example.org/v1", model="m").bits([Row("", "text")])
    with pytest.raises(SelfsownError, match="cannot be trained"):
        load(Path("model"))


def told(gate: RateLimiter, count: int, seconds: float = 0.1, refusals: float = 0.0) -> None:
    """So many outcomes, this share of them refusals, of requests sent just now."""
    for at in range(count):
        gate.in_flight = int(gate.limit)
        if (at + 1) * refusals % 1 < refusals:
            gate.record_refusal(time.monotonic(), 0.5)
        else:
            gate.record_reply(time.monotonic(), seconds, 0)


def test_a_gate_opens_fast_closes_when_many_are_refused_and_opens_again_slowly() -> None:
    gate = RateLimiter(64)
    told(gate, 200)
    assert gate.limit == 64
    told(gate, 128, refusals=0.1)
    assert gate.limit == 64, "some servers refuse a few whatever the number"
    told(gate, 64, refusals=0.5)
    limit = gate.limit
    assert 31 < limit < 40
    told(gate, 40)
    assert limit + 1 < gate.limit < limit + 2
    assert gate.paused_until == 0
    told(gate, 200, refusals=1.0)
    assert gate.limit == 1
    assert gate.paused_until > time.monotonic()


def test_a_gate_closes_when_answers_become_slow_and_what_was_sent_before_says_nothing() -> None:
    gate = RateLimiter(64)
    told(gate, 200)
    told(gate, 200, seconds=1.0)
    assert START_CONCURRENCY <= gate.limit < 60
    told(gate, 30, refusals=1.0)
    limit, before = gate.limit, gate.changed_at - 1
    for _ in range(100):
        gate.record_refusal(before, 0.5)
    assert gate.limit == limit


def test_after_all_that_the_one_loop_holds_nothing() -> None:
    with Server() as server:
        simple(server).complete(MANY)
    assert not shared_client().pending
    assert all(gate.in_flight == 0 for gate in shared_client().rate_limiters.values())
