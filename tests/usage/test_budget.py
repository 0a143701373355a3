"""A budget: never passed by more than what was in flight, and a larger one goes on where the smaller one stopped."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfsown.models.endpoint.endpoint import Endpoint, create
from selfsown.records import SelfsownError
from selfsown.usage.budget import DEFAULT_REPLY_TOKENS, Budget, Meter, Reservation
from selfsown.usage.journal import Journal
from selfsown.usage.ledger import folder_budget, total, usage_entries
from testing.mock_server import Server

MANY = [f"prompt {at}" for at in range(400)]
MOST = 40  # words of a reply at the most
IN_FLIGHT = 64


def say(prompt: str, body: dict[str, Any]) -> str:
    """As many words as a prompt's number gives, 20 in the mean."""
    return "word " * (1 + 7 * int(prompt.split()[1]) % MOST)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "replies.sqlite"


@contextmanager
def capped_at(path: Path, **caps: float) -> Iterator[Journal]:
    """The journal as a process finds it: what the folder has spent before counts."""
    journal = Journal(path)
    journal.budget = folder_budget(journal, {"budget": caps})
    yield journal
    journal.close()


def model(server: Server, journal: Journal | None, **knobs: Any) -> Endpoint:
    plain = {"url": server.url, "model": "m", "max_in_flight": IN_FLIGHT, "price": {"input": 1, "output": 1_000_000}}
    return create([], 0, journal, "teacher", **{**plain, **knobs}).for_step("generate.sample")


def stopped(asked: Endpoint, prompts: list[str] = MANY) -> str:
    with pytest.raises(SelfsownError, match="the budget does not cover") as caught:
        asked.complete(prompts)
    assert caught.value.code == 3
    return str(caught.value)


@pytest.mark.parametrize("faults", [{}, {"busy": 0.1, "malformed": 0.1, "reset": 0.05}])
def test_requests_are_never_more_than_the_budget_and_retries_are_some_of_them(
    faults: dict[str, float], path: Path
) -> None:
    with Server(faults=faults, latency=0.02, say=say, wait="0.01") as server:
        for most in (1, 100, 250):
            with capped_at(path, requests=most) as journal:
                stopped(model(server, journal))
            assert sum(server.asked.values()) == most == total(usage_entries(path)).requests


@pytest.mark.parametrize("what", ["tokens", "usd"])
def test_tokens_and_money_pass_the_budget_by_no_more_than_was_in_flight_and_a_larger_one_goes_on(
    what: str, path: Path
) -> None:
    with Server(latency=0.02, say=say) as server:
        wanted = model(server, None).complete(MANY)
        whole = sum(server.told.values()) if what == "tokens" else server.told["completion_tokens"]
        server.bodies.clear()
        for share in (0.3, 0.6):
            with capped_at(path, **{what: share * whole}) as journal:
                words = stopped(model(server, journal))
            spent = total(usage_entries(path))
            found = spent.input_tokens + spent.output_tokens if what == "tokens" else spent.usd or 0.0
            assert 0.8 * share * whole <= found <= share * whole + IN_FLIGHT * MOST
            assert f"generate.sample still needs {len(MANY) - len(server.bodies):,} replies" in words
            assert f"--set 'budget={{{what}: " in words
        with capped_at(path, **{what: 2 * whole}) as journal:
            assert model(server, journal).complete(MANY) == wanted
        assert len(server.bodies) == len(MANY), "no request was sent twice"


def test_a_budget_that_is_just_enough_is_enough(path: Path) -> None:
    with Server(latency=0.01, say=say) as server, capped_at(path, requests=len(MANY), tokens=1e9) as journal:
        assert not [reply for (reply,) in model(server, journal).complete(MANY) if reply.failure]
        assert model(server, journal).complete(MANY), "what is in the journal costs nothing"
        stopped(model(server, journal), ["prompt 1000"])


def test_near_the_end_fewer_are_out(path: Path) -> None:
    with Server(latency=0.05, say=lambda prompt, body: "word " * 100) as server:
        with capped_at(path, tokens=DEFAULT_REPLY_TOKENS * 2.5) as journal:
            stopped(model(server, journal, extra={"max_tokens": DEFAULT_REPLY_TOKENS}))
        assert server.most == 2
        took = sum(server.told.values())
        assert DEFAULT_REPLY_TOKENS * 1.4 <= took <= DEFAULT_REPLY_TOKENS * 2.5, "102 each, and the last reserves 1,000"


def test_where_not_even_one_request_fits_nothing_is_sent(path: Path) -> None:
    with Server(say=say) as server:
        for caps in ({"tokens": DEFAULT_REPLY_TOKENS / 2}, {"usd": 1.0}):
            with capped_at(path, **caps) as journal:
                assert "generate.sample still needs 400 replies" in stopped(model(server, journal))
        assert not server.asked
        with capped_at(path, tokens=DEFAULT_REPLY_TOKENS / 2) as journal:
            assert model(server, journal, extra={"max_tokens": MOST}).complete(MANY[:2])


def test_what_replies_usually_take_is_known_from_the_run_before(path: Path) -> None:
    with Server(say=say) as server:
        with capped_at(path) as journal:
            model(server, journal).complete(MANY)
        spent = total(usage_entries(path))
        with capped_at(path, tokens=spent.input_tokens + spent.output_tokens + 100) as journal:
            assert model(server, journal).complete(["prompt 1000", "prompt 1001"])


def test_two_models_share_the_budget(path: Path) -> None:
    with Server(latency=0.02, say=say, models=("m", "n")) as server:
        with capped_at(path, requests=100) as journal:
            calls = [threading.Thread(target=stopped, args=(model(server, journal, model=name),)) for name in "mn"]
            for call in calls:
                call.start()
            for call in calls:
                call.join()
        assert sum(server.asked.values()) == 100
        assert {line.model for line in usage_entries(path)} == {"m", "n"}


@pytest.mark.parametrize("caps", [{"tokens": 1e6}, {"usd": 1e6}])
def test_a_budget_that_nobody_can_keep_is_refused(caps: dict[str, float], path: Path) -> None:
    class Silent(Server):
        """It does not say what a reply took."""

        async def _answered(self, request: Any, body: Any, prompt: str) -> Any:
            response = await super()._answered(request, body, prompt)
            response.text = response.text.replace('"usage"', '"abusage"')
            return response

    with Silent(say=say) as server:
        with capped_at(path, **caps) as journal, pytest.raises(SelfsownError, match="cap requests instead"):
            model(server, journal).complete(MANY)
        assert sum(server.asked.values()) <= 8
        with capped_at(path, requests=1000) as journal:
            assert len(model(server, journal).complete(MANY)) == len(MANY)
        assert sum(server.asked.values()) <= len(MANY) + 8, "what was answered before is kept"
        if "usd" in caps:
            with pytest.raises(SelfsownError, match="so far is unknown"), capped_at(path, **caps):
                pass


@given(
    caps=st.fixed_dictionaries({"requests": st.integers(1, 30), "tokens": st.integers(1, 3000)}),
    takes=st.lists(st.tuples(st.integers(1, 200), st.integers(0, 300)), min_size=1, max_size=40),
)
def test_whatever_is_reserved_and_taken_the_cap_holds(caps: dict[str, float], takes: list[tuple[int, int]]) -> None:
    """Each request reserves some tokens and takes others, and all want in at once."""
    meter = Meter()
    budget = Budget(caps, Meter(), meter, {})
    excess, stops = 0, 0

    async def one(reserves: int, takes: int) -> None:
        nonlocal excess, stops
        need = Reservation(0.0, reserves)
        if not await budget.reserve(lambda: need):
            stops += 1
            assert budget.in_flight == 0
            return
        await asyncio.sleep(0)
        meter.requests += 1
        meter.output_tokens += takes
        excess += max(0, takes - reserves)
        budget.release(need)

    async def all_of_them() -> None:
        await asyncio.gather(*(one(*each) for each in takes))

    asyncio.run(all_of_them())
    assert meter.requests + stops == len(takes), "nobody waits for ever"
    assert meter.requests <= caps["requests"]
    assert meter.tokens <= caps["tokens"] + excess
    assert (budget.in_flight, set(budget.reserved.values())) == (0, {0.0})


def test_the_words_say_what_is_spent_and_which_budget_goes_on() -> None:
    spent = Meter(requests=10, input_tokens=500, output_tokens=500, usd=0.98)
    budget = Budget({"usd": 1.0, "requests": 100}, spent, Meter(), {})
    words = str(budget.exceeded_error(Reservation(0.05, 100), 60, "grade.self_consistency"))
    assert "$0.98 of $1.00 and 10 requests of 100 requests spent" in words
    assert "grade.self_consistency still needs 60 replies, about $3.00" in words
    assert words.endswith("--set 'budget={usd: 3.98, requests: 100}'")
    tiny = str(Budget({"usd": 0.00001}, Meter(), Meter(), {}).exceeded_error(Reservation(0.00002, 1), 1, ""))
    assert "$0 of $0.00001000 spent; this step" in tiny.replace("$0.00 ", "$0 ")
    assert "budget={usd: 0.00002}" in tiny
