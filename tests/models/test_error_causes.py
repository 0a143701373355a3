"""Whether a refusal is the row's fault or the account's: its words decide, and what else was answered."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from selfsown.models import Reply
from selfsown.models.anthropic import create as anthropic
from selfsown.models.endpoint.batch import provider
from selfsown.models.endpoint.endpoint import Endpoint
from selfsown.models.endpoint.endpoint import create as endpoint
from selfsown.models.endpoint.errors import error_in_body, error_of_response
from selfsown.models.endpoint.http_client import shared_client
from selfsown.records import SelfsownError
from selfsown.usage.journal import Journal
from testing.mock_batches import BatchServer
from testing.mock_server import Server

MANY = [f"prompt {at}" for at in range(40)]
Instead = Callable[[str, Any], web.Response | None]


@pytest.fixture(autouse=True)
def _forgotten() -> None:
    """The port may have been another test's, whose answers would count."""
    shared_client().rate_limiters.clear()
    shared_client().declined_rows.clear()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    found = Journal(tmp_path / "replies.sqlite")
    yield found
    found.close()


def error(status: int, words: str, **more: Any) -> web.Response:
    return web.json_response({"error": {"message": words, **more}}, status=status)


def bad(status: int, words: str, **more: Any) -> Instead:
    """So is each prompt answered that has the word bad in it."""
    return lambda prompt, body: error(status, words, **more) if "bad" in prompt else None


def after(many: int, status: int, words: str, **more: Any) -> Instead:
    """So is every prompt answered once so many were answered well."""
    left = [many]

    def instead(prompt: str, body: Any) -> web.Response | None:
        left[0] -= 1
        return error(status, words, **more) if left[0] < 0 else None

    return instead


def failures(replies: list[list[Reply]]) -> list[str]:
    return [reply.failure for (reply,) in replies if reply.failure]


def stopped(model: Endpoint, prompts: list[str] = MANY) -> str:
    with pytest.raises(SelfsownError) as caught:
        model.complete(prompts)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


INPUTS = [
    (403, "Your chosen model requires moderation and your input was flagged"),
    (403, "The request was blocked by the guardrail"),
    (403, "Content violates the usage policies"),
    (404, "No endpoints found that can handle the requested parameters"),
    (404, "The image of this prompt was not found"),
    (403, "Sorry, not this one"),
    (400, "The response was filtered due to the prompt triggering the content management policy"),
    (400, "Input data may contain inappropriate content"),
    (400, "This model's maximum context length is 4096 tokens"),
    (413, "prompt is too long: 250000 tokens > 200000 maximum"),
    (451, "Unavailable for legal reasons"),
    (422, "Could not be processed"),
]


@pytest.mark.parametrize(("status", "words"), INPUTS)
@pytest.mark.parametrize("first", [True, False])
def test_what_is_said_of_one_input_fails_its_row_alone_wherever_it_stands(
    status: int, words: str, first: bool, journal: Journal
) -> None:
    prompts = ["bad", *MANY] if first else [*MANY, "bad"]
    with Server(instead=bad(status, words)) as server:
        for again in (1, 2):
            model = endpoint([], 0, journal, url=server.url, model="m", max_in_flight=4)
            assert failures(model.complete(prompts)) == [f"the server declined it, {status}: {words}"]
            assert (server.asked["bad"], server.asked["prompt 7"]) == (again, 1)
            shared_client().rate_limiters.clear()


@pytest.mark.parametrize(("status", "words"), INPUTS)
def test_alone_in_a_call_of_a_later_run_it_fails_all_the_same(status: int, words: str, journal: Journal) -> None:
    with Server(instead=bad(status, words)) as server:
        endpoint([], 0, journal, url=server.url, model="m").complete(MANY[:3])
        for prompts in (["bad"], ["bad 1", "bad 2", "bad 3", "bad 4"]):
            shared_client().rate_limiters.clear()  # as in another process
            found = failures(endpoint([], 0, journal, url=server.url, model="m").complete(prompts))
            assert found == [f"the server declined it, {status}: {words}"] * len(prompts)


ACCOUNTS = [
    (400, "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade", {}),
    (400, "Billing hard limit has been reached", {"code": "billing_hard_limit_reached"}),
    (400, "Access denied, please make sure your account is in good standing.", {"code": "Arrearage"}),
    (400, "This organization has been disabled.", {}),
    (400, "API key not valid. Please pass a valid API key.", {}),
    (402, "Insufficient Balance", {}),
    (402, "This request requires more credits, or fewer max_tokens", {}),
    (401, "Incorrect API key provided", {}),
    (403, "Your newly created team doesn't have any credits yet", {}),
    (403, "user quota is not enough", {"code": "insufficient_user_quota"}),
    (403, "Daily limit exceeded", {}),
    (403, "Your account was flagged for violating the usage policies", {}),
    (404, "The account is suspended; add a payment method", {}),
    (
        429,
        "You exceeded your current quota, please check your plan and billing details.",
        {"code": "insufficient_quota"},
    ),
    (429, "Your account is suspended, please check your plan and billing details", {}),
    (429, "Rate limit reached on requests per day (RPD): Limit 200, Used 200", {}),
    (500, "insufficient balance", {}),
    (429, "账户余额不足", {}),
]


@pytest.mark.parametrize(("status", "words", "more"), ACCOUNTS)
@pytest.mark.parametrize("answered", [0, 30])
def test_what_is_said_of_the_account_stops_the_run_even_after_many_answers(
    status: int, words: str, more: Any, answered: int, journal: Journal
) -> None:
    with Server(instead=after(answered, status, words, **more)) as server:
        began = time.monotonic()
        said = stopped(endpoint([], 0, journal, url=server.url, model="m", max_in_flight=8))
        assert time.monotonic() - began < 3
        assert sum(server.asked.values()) <= answered + 8
        assert words in said
        assert ("its replies are stored" in said) == (answered > 0)
        server.instead = lambda prompt, body: None
        shared_client().rate_limiters.clear()
        assert not failures(endpoint([], 0, journal, url=server.url, model="m").complete(MANY))
        assert sum(server.paid.values()) == len(MANY), "nothing was paid twice"


@pytest.mark.parametrize(
    "words",
    [
        "Rate limit exceeded: 20 requests per minute",
        "You exceeded your current quota, please check your plan and billing details. Please retry in 22.3s.",
        "Quota exceeded for requests_per_minute_per_project",
        "Too many requests, try again in 1s",
        "slow down",
        "Rate limit reached: 15 per minute, 1000 per day",
        "Too many concurrent requests for this account",
        "TPM limit of your account's tier",
    ],
)
@pytest.mark.parametrize("within", [False, True])
def test_a_limit_that_is_soon_over_is_waited_for_also_where_it_comes_as_a_good_reply(words: str, within: bool) -> None:
    left = [5]

    def instead(prompt: str, body: Any) -> web.Response | None:
        left[0] -= 1
        told = {"error": {"message": words, "code": 429}}
        head = {"Retry-After": "0.05"}
        return web.json_response(told, status=200 if within else 429, headers=head) if left[0] >= 0 else None

    with Server(instead=instead) as server:
        model = endpoint([], 0, url=server.url, model="m", retries=1, max_in_flight=2)
        assert not failures(model.complete(MANY[:10])), "it does not count as a try"
        assert sum(server.asked.values()) == 15


@pytest.mark.parametrize(
    ("told", "fatal", "declined", "busy"),
    [
        ({"error": {"code": 429, "message": "slow down"}}, False, False, True),
        ({"error": {"code": "rate_limit_exceeded", "message": "slow down"}}, False, False, True),
        ({"error": {"status": "RESOURCE_EXHAUSTED", "message": "slow down"}}, False, False, True),
        ({"error": {"code": 429, "message": "Rate limit exceeded: free-models-per-day"}}, True, False, False),
        ({"error": {"code": 402, "message": "pay"}}, True, False, False),
        ({"error": {"code": 401, "message": "who"}}, True, False, False),
        ({"error": {"type": "authentication_error", "message": "who"}}, True, False, False),
        ({"error": {"code": 400, "message": "not so"}}, False, True, False),
        ({"error": {"type": "invalid_request_error", "message": "not so"}}, False, True, False),
        ({"error": {"code": 403, "message": "your input was flagged"}}, False, True, False),
        ({"error": {"code": 502, "message": "upstream"}}, False, False, False),
        ({"error": "upstream"}, False, False, False),
        ({"error": {"message": "Your credit balance is too low"}}, True, False, False),
        ({"errors": [{"message": "not so", "code": 400}]}, False, True, False),
        ({"object": "error", "message": "not so", "code": 400}, False, True, False),
        ({"detail": "Internal"}, False, False, False),
        (
            {"base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}, "choices": None},
            True,
            False,
            False,
        ),
    ],
)
def test_an_error_in_a_good_reply_means_what_it_would_by_its_status(
    told: Any, fatal: bool, declined: bool, busy: bool
) -> None:
    fault = error_in_body(json.dumps(told))
    assert (fault.fatal, fault.declined, fault.busy) == (fatal, declined, busy)
    assert len(fault.reason.splitlines()) == 1


@pytest.mark.parametrize(
    "prompt",
    [
        "bad: what is my credit balance today?",
        "bad: explain the billing of a hospital",
        "bad: My account was suspended. Why?",
        "bad: write a letter about overdue payments",
        "bad: insufficient funds\nmeans what",
        "bad: is a quota exceeded here",
        "bad: 我的余额不足怎么办",
        "bad: our organization has been disabled by a storm",
    ],
)
def test_words_of_the_prompt_that_the_server_repeats_blame_nobody(prompt: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider, "FIRST_POLL_SECONDS", 0.02)
    echo = lambda prompt, body: error(400, f"Invalid prompt: '{prompt}' is refused") if "bad" in prompt else None  # noqa: E731
    with Server(instead=echo) as server:
        found = failures(endpoint([], 0, url=server.url, model="m", max_in_flight=1).complete([*MANY[:5], prompt]))
        assert len(found) == 1
        assert found[0].startswith("the server declined it, 400: Invalid prompt")
    tell = lambda prompt, times: (400, f"Invalid prompt: '{prompt}' is refused") if "bad" in prompt else None  # noqa: E731
    with BatchServer(tell=tell) as server:
        model = endpoint([], 0, url=server.url, model="m", batch=10)
        assert failures(model.complete([*MANY[:5], prompt])) == found


def test_an_empty_purse_is_known_though_the_prompts_are_about_money(journal: Journal) -> None:
    words = "Your credit balance is too low to access the API. Please go to Plans & Billing to upgrade"
    prompts = [f"What is meant by: your credit balance is {at} dollars?" for at in range(20)]
    with Server(instead=after(5, 400, words)) as server:
        assert words in stopped(endpoint([], 0, journal, url=server.url, model="m"), prompts)


@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize("in_flight", [1, 8])
def test_a_refusal_of_every_row_stops_after_a_handful_and_the_hint_names_the_path(status: int, in_flight: int) -> None:
    with Server(instead=lambda prompt, body: error(status, "no")) as server:
        said = stopped(endpoint([], 0, url=server.url, model="m", max_in_flight=in_flight))
        assert f"({status}: no)" in said
        assert ("such as …/v1" in said) == (status == 404)
        assert sum(server.asked.values()) <= 8
        assert f"({status}: no)" in stopped(endpoint([], 0, url=server.url, model="m"), ["one"])


def test_a_key_that_is_taken_away_on_the_way_stops_the_run_after_some_rows(journal: Journal) -> None:
    with Server(instead=after(20, 403, "Forbidden")) as server:
        prompts = [f"prompt {at}" for at in range(200)]
        said = stopped(endpoint([], 0, journal, url=server.url, model="m"), prompts)
        assert "in a row" in said
        assert sum(server.asked.values()) < 20 + 10 + 10 + 64


@pytest.mark.parametrize("many", [3, 12, 40])
@pytest.mark.parametrize("batch", [0, 100])
def test_a_request_that_is_declined_for_every_row_stops_with_a_hint_however_few(
    many: int, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider, "FIRST_POLL_SECONDS", 0.02)
    words = "Unsupported value: 'temperature' does not support 0.5 with this model."
    tell = lambda prompt, times: (400, words)  # noqa: E731
    with BatchServer(tell=tell, instead=lambda prompt, body: error(400, words)) as server:
        said = stopped(endpoint([], 0, url=server.url, model="m", batch=batch), MANY[:many])
        assert words in said
        assert "extra: {FIELD: null}" in said


def test_an_option_that_the_server_does_not_take_is_found_although_it_answered_without_it(journal: Journal) -> None:
    picky = lambda prompt, body: error(400, "unknown field top_k") if "top_k" in body else None  # noqa: E731
    with Server(instead=picky) as server:
        endpoint([], 0, journal, url=server.url, model="m").complete(MANY[:12])
        shared_client().rate_limiters.clear()
        said = stopped(endpoint([], 0, journal, url=server.url, model="m", extra={"top_k": 5}), MANY[:12])
        assert "extra: {FIELD: null}" in said


@pytest.mark.parametrize("make", [endpoint, anthropic])
def test_in_a_batch_the_same_holds(make: Any, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider, "FIRST_POLL_SECONDS", 0.02)
    flagged = lambda prompt, times: (403, "your input was flagged") if "7" in prompt else None  # noqa: E731
    with BatchServer(tell=flagged) as server:
        model = make([], 0, journal, url=server.url, model="m", api_key="", batch=100)
        assert failures(model.complete(MANY[:10])) == ["the server declined it, 403: your input was flagged"]
        server.tell = lambda prompt, times: (403, "Forbidden") if "17" in prompt else None
        assert failures(model.complete(MANY[10:20])) == ["the server declined it, 403: Forbidden"]
        server.tell = lambda prompt, times: (400, "Your credit balance is too low") if "27" in prompt else None
        said = stopped(model, MANY[20:30])
        assert "Your credit balance is too low" in said
        server.tell = lambda prompt, times: None
        assert not failures(model.complete(MANY[20:30]))
        assert {server.paid[prompt] for prompt in MANY[20:30]} == {1}


@given(st.sampled_from([400, 403, 404, 413, 422, 429, 500, 503]), st.text(max_size=80), st.text(max_size=80))
def test_no_words_are_misread_into_a_traceback_and_a_prompt_s_own_words_never_stop_a_row(
    status: int, before: str, prompt: str
) -> None:
    said = json.dumps({"error": {"message": f"{before}{prompt}"}})
    assert error_of_response(status, {}, said, prompt).reason
    quoted = error_of_response(
        400, {}, json.dumps({"error": {"message": f"refused: {prompt} ."}}), json.dumps(f". {prompt} .")
    )
    assert quoted.declined or "limit for the day" in quoted.reason


@pytest.mark.parametrize("refused", [1, 3, 7, 9])
def test_where_all_are_refused_for_different_reasons_the_run_ends(refused: int) -> None:
    """Some for what they hold, the others as if for the account, and these first."""

    def instead(prompt: str, body: Any) -> web.Response:
        flagged = int(prompt.split()[1]) >= refused
        return error(403, "your input was flagged" if flagged else "Forbidden")

    with Server(instead=instead) as server:
        said = stopped(endpoint([], 0, url=server.url, model="m"), MANY[:12])
        assert "does not allow the request (403: Forbidden)" in said


def test_two_calls_at_once_that_wait_for_each_other_s_refusals_come_to_an_end() -> None:
    with Server(latency=0.05, instead=lambda prompt, body: error(403, "Forbidden")) as server:
        found: list[str] = []
        model = endpoint([], 0, url=server.url, model="m")
        calls = [threading.Thread(target=lambda: found.append(stopped(model, MANY[:5]))) for _ in range(3)]
        for call in calls:
            call.start()
        for call in calls:
            call.join(20)
        assert len(found) == 3
