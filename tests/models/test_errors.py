"""What a server's refusals mean, and how long they ask to wait."""

from __future__ import annotations

import email.utils
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfsown.models.endpoint.errors import error_of_response


@pytest.mark.parametrize("status", [301, 401, 402, 405])
def test_some_end_the_run(status: int) -> None:
    fault = error_of_response(status, {}, '{"error": {"message": "no"}}')
    assert fault.fatal
    assert f"({status}: no)" in fault.reason


@pytest.mark.parametrize("status", [400, 413, 422])
def test_some_are_the_row_s_own_fault(status: int) -> None:
    fault = error_of_response(status, {}, "too  long\n")
    assert (fault.fatal, fault.declined, fault.reason) == (False, True, f"the server declined it, {status}: too long")


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 529])
def test_some_pass(status: int) -> None:
    fault = error_of_response(status, {}, "")
    assert not fault.fatal
    assert not fault.declined
    assert (fault.busy, fault.overloaded) == (status == 429, status in (429, 503, 529))


def test_an_empty_purse_ends_the_run_although_it_looks_like_a_wait() -> None:
    assert error_of_response(429, {}, '{"error": {"code": "insufficient_quota", "message": "pay"}}').fatal


def test_the_wait_is_a_number_of_seconds_or_a_date() -> None:
    assert error_of_response(429, {"Retry-After": "2.5"}, "").retry_after == 2.5
    assert error_of_response(503, {"retry-after-ms": "1500", "Retry-After": "9"}, "").retry_after == 1.5
    later = email.utils.formatdate(time.time() + 60, usegmt=True)
    assert 55 < error_of_response(429, {"Retry-After": later}, "").retry_after <= 60
    assert error_of_response(429, {"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}, "").retry_after == 0


def test_the_server_s_own_words_are_found_where_it_puts_them() -> None:
    for said in ({"error": {"message": "no"}}, {"error": "no"}, {"message": "no"}, {"detail": "no"}):
        assert error_of_response(400, {}, json.dumps(said)).reason == "the server declined it, 400: no"
    listed = {"detail": [{"loc": ["body", "seed"], "msg": "extra"}]}
    assert '"seed"' in error_of_response(422, {}, json.dumps(listed)).reason


@given(st.integers(300, 599), st.text(), st.text())
def test_whatever_a_server_says_is_told_in_one_line(status: int, wait: str, reply: str) -> None:
    fault = error_of_response(status, {"Retry-After": wait}, reply)
    assert fault.retry_after >= 0
    assert str(status) in fault.reason
    assert len(fault.reason) < 450
    assert len(fault.reason.splitlines()) == 1
