"""The ledger: every request that a server got is on it, as the server counts, whatever became of it."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from selfsown.models import SamplingParams
from selfsown.models.anthropic import create as anthropic
from selfsown.models.endpoint import dispatcher, health_check
from selfsown.models.endpoint.endpoint import create as endpoint
from selfsown.records import SelfsownError
from selfsown.usage.journal import Call, Journal
from selfsown.usage.ledger import UsageEntry, recipe_prices, total, usage_entries
from selfsown.usage.prices import Price
from testing.mock_server import Server

MANY = [f"prompt {at}" for at in range(200)]
FAULTS = {"busy": 0.1, "error": 0.05, "reset": 0.05, "cut": 0.05, "malformed": 0.05, "hang": 0.01, "long": 0.1}
IN_FLIGHT = 8
ASKED = """
import sys
from pathlib import Path
from selfsown.usage.journal import Journal
from selfsown.models.endpoint import create

model = create([], 0, Journal(Path(sys.argv[1])), "teacher", url=sys.argv[2], model="m", max_in_flight=8, retries=50)
model.for_step("generate.sample").complete([f"prompt {at}" for at in range(300)])
"""


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    found = Journal(tmp_path / "replies.sqlite")
    yield found
    found.close()


def calls(path: Path) -> list[Call]:
    with closing(sqlite3.connect(path)) as connection:
        return [Call(*row) for row in connection.execute("SELECT * FROM calls")]


@pytest.mark.parametrize("make", [endpoint, anthropic])
def test_the_ledger_says_what_the_server_counted_request_for_request(
    make: Any, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-very-secret")
    with Server(faults=FAULTS, forbidden="7", wait="0.01") as server:
        model = make([], 0, journal, "judge", url=server.url, model="m", retries=50, timeout=1.0)
        model.for_step("grade.self_consistency").complete(MANY, SamplingParams(n=2))
        model.for_step("grade.again").complete(
            MANY[:100], SamplingParams(n=2)
        )  # from the journal, but for what was declined
        journal.close()
        found = calls(journal.path)
        assert Counter(call.outcome for call in found) == server.did
        assert set(server.did) == {"answered", "declined", "busy", "status", "reset", "unreadable", "timeout"}
        first, again = usage_entries(journal.path)
        assert (first.stage, first.role, first.model) == ("grade.self_consistency", "judge", "m")
        assert (again.stage, again.requests, again.declined) == ("grade.again", 38, 38)
        assert first.requests + again.requests == sum(server.asked.values()) == journal.meter.requests
        style = "messages" if make is anthropic else "chat"
        read, written = (
            ("input_tokens", "output_tokens") if style == "messages" else ("prompt_tokens", "completion_tokens")
        )
        hits = first.answered * (style == "messages")  # one for each reply, which is no part of input_tokens
        assert (first.input_tokens, first.output_tokens) == (server.told[read] + hits, server.told[written])
        assert first.cached_tokens == first.answered
        assert first.reasoning_tokens == (None if style == "messages" else 2 * first.answered)
        vain = ("busy", "status", "reset", "unreadable", "timeout")
        assert first.retries == sum(server.did[outcome] for outcome in vain)
        assert first.unmetered == sum(server.did[outcome] for outcome in vain[2:])
        assert first.usd is None, "the price of this server is unknown"
        assert {call.seconds > 0.35 for call in found if call.outcome == "timeout"} == {True}
        assert all(call.key and abs(call.time - time.time()) < 60 for call in found)


def test_abandoned_requests_are_on_the_ledger_and_unsent_ones_are_not(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health_check, "MAX_UNREACHABLE_SECONDS", 0.3)
    monkeypatch.setattr(dispatcher, "MAX_UNREACHABLE_SECONDS", 0.3)
    with Server(key="sk-the-right-one", latency=0.2) as server:
        with pytest.raises(SelfsownError, match="does not accept the API key"):
            endpoint([], 0, journal, url=server.url, model="m").complete(MANY)
        journal.close()
        assert Counter(call.outcome for call in calls(journal.path))["stopped"] >= 1
        assert len(calls(journal.path)) == sum(server.asked.values()) <= IN_FLIGHT
    with pytest.raises(SelfsownError, match="cannot be reached"):
        endpoint([], 0, journal, url=server.url, model="m").complete(["one"])
    journal.close()
    assert len(calls(journal.path)) == sum(server.asked.values())


def test_replies_that_are_read_from_the_journal_are_no_calls_and_step_and_role_are_no_part_of_the_key(
    journal: Journal,
) -> None:
    with Server() as server:
        model = endpoint([], 0, journal, "teacher", url=server.url, model="m")
        said = model.for_step("generate.sample").complete(MANY)
        assert (
            endpoint([], 0, journal, "judge", url=server.url, model="m")
            .for_step("grade.self_consistency")
            .complete(MANY)
            == said
        )
        assert sum(server.asked.values()) == len(MANY)
        assert [(line.role, line.requests) for line in usage_entries(journal.path)] == [("teacher", len(MANY))]


@pytest.mark.slow
def test_killed_at_any_moment_only_what_was_in_flight_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "replies.sqlite"
    with Server(latency=0.02, faults={"busy": 0.1, "malformed": 0.1, "reset": 0.05}, wait="0.01") as server:
        order = [sys.executable, "-c", ASKED, str(path), server.url]
        for kill in range(1, 4):
            process = subprocess.Popen(order)
            while sum(server.asked.values()) < kill * 90:
                time.sleep(0.005)
            process.send_signal(signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL
            time.sleep(0.1)  # what the server has begun, it counts
            missing = server.did - Counter(call.outcome for call in calls(path))
            assert sum(server.did.values()) - len(calls(path)) == sum(missing.values()) <= kill * IN_FLIGHT
        before = server.did - Counter(call.outcome for call in calls(path))
        subprocess.run(order, check=True)
        found = calls(path)
        assert server.did - Counter(call.outcome for call in found) == before, "the last run loses nothing"
        assert sum(server.did.values()) - len(found) == sum(before.values())
    answered = [call for call in found if call.outcome == "answered"]
    assert len({call.key for call in answered}) == len(answered) == 300
    replies = Journal(path).read([call.key for call in answered])
    for call in answered:
        usage = json.loads(replies[call.key])["usage"]
        assert (call.input_tokens, call.output_tokens) == (usage["prompt_tokens"], usage["completion_tokens"])


@pytest.mark.parametrize("text", ["no database at all " * 100, None])
def test_a_damaged_journal_is_an_error_and_a_missing_one_is_empty(text: str | None, tmp_path: Path) -> None:
    path = tmp_path / "replies.sqlite"
    assert usage_entries(path) == []
    assert not list(tmp_path.iterdir())
    if text:
        path.write_text(text, encoding="utf-8")
        with pytest.raises(SelfsownError, match="cannot be read"):
            usage_entries(path)
    else:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE replies (key TEXT PRIMARY KEY, request TEXT, reply TEXT)")
        assert usage_entries(path) == []


numbers = st.none() | st.integers(0, 10**6)
drawn_calls = st.builds(
    Call,
    time=st.just(1.0),
    key=st.just("k"),
    role=st.sampled_from(["teacher", "judge"]),
    stage=st.sampled_from(["generate.sample", "grade.self_consistency"]),
    model=st.sampled_from(["priced", "unpriced"]),
    host=st.just("h"),
    outcome=st.sampled_from(["answered", "busy", "declined", "unreadable", "dropped"]),
    input_tokens=numbers,
    output_tokens=numbers,
    reasoning_tokens=numbers,
    cached_tokens=st.just(None),
    cache_write_tokens=st.just(None),
    usd=st.none() | st.floats(0, 100),
    seconds=st.floats(0, 100),
    batch=st.booleans(),
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(some=st.lists(drawn_calls, max_size=20))
def test_the_whole_is_the_sum_of_its_lines_and_of_its_calls(some: list[Call], tmp_path: Path) -> None:
    path = tmp_path / "replies.sqlite"
    path.unlink(missing_ok=True)
    journal = Journal(path)
    for call in some:
        journal.store_call(call)
    journal.close()
    price = Price(1.0, 2.0, batch=0.5)
    found = usage_entries(path, lambda host, model: price if model == "priced" else None)
    whole = total(found)
    assert len(found) == len({(call.stage, call.role, call.model) for call in some})
    assert whole.requests == len(some) == whole.answered + whole.declined + whole.retries
    paid = [call for call in some if call.outcome in ("answered", "unreadable", "dropped")]
    assert whole.unmetered == sum(None in (call.input_tokens, call.output_tokens) for call in paid)
    for name in ("input_tokens", "output_tokens"):
        known = sum(getattr(call, name) or 0 for call in some)
        assert getattr(whole, name) in ({known, None} if whole.unmetered and not known else {known})
    assert whole.seconds == pytest.approx(sum(call.seconds for call in some))
    counted = [call.reasoning_tokens for call in some if call.reasoning_tokens is not None]
    assert whole.reasoning_tokens == (sum(counted) if counted else None)
    assert whole.usd == worth(some, price)
    for line in found:
        mine = [call for call in some if (call.stage, call.role, call.model) == (line.stage, line.role, line.model)]
        assert line.usd == worth(mine, price)
    known = [line.usd for line in found]
    assert whole.usd == (None if None in known else pytest.approx(sum(usd or 0 for usd in known)))


def worth(some: list[Call], price: Price) -> Any:
    """What calls cost, counted one by one."""
    usd = 0.0
    for call in some:
        if call.usd is not None:
            usd += call.usd
        elif call.outcome == "answered":
            if call.model != "priced" or call.input_tokens is None or call.output_tokens is None:
                return None
            usd += (call.input_tokens + 2 * call.output_tokens) / 1e6 * (0.5 if call.batch else 1)
    return pytest.approx(usd)


def test_a_price_that_the_recipe_says_later_is_found_for_its_model_alone() -> None:
    options = {"url": "http://localhost:1/v1", "model": "m", "price": {"input": 1, "output": 2}}
    prices = recipe_prices({"teacher": {"endpoint": options}, "judge": {"anthropic": {"model": "claude-haiku-4-5"}}})
    assert prices("localhost:1", "m") == Price(1, 2, 1, 1)
    assert prices("localhost:2", "m") is None
    assert prices("localhost:1", "n") is None
    assert prices("api.anthropic.com", "claude-haiku-4-5")
    assert recipe_prices({"teacher": None})("localhost:1", "m") is None


def test_nothing_and_something_is_something() -> None:
    assert total([]) == UsageEntry()
    one = UsageEntry("a", "teacher", "m", "h", requests=2, answered=1, usd=0.5, cached_tokens=3)
    assert total([one]) == UsageEntry(requests=2, answered=1, usd=0.5, cached_tokens=3)
    assert total([one, UsageEntry(usd=None)]).usd is None
