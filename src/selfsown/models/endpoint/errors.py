"""The errors of a request, and what each means for its row and for the run."""

from __future__ import annotations

import email.utils
import re
import time
from collections.abc import Mapping

import aiohttp

from selfsown.models.endpoint.error_bodies import parse_error
from selfsown.models.endpoint.error_causes import is_account_error, is_daily_limit, is_input_error, is_short_limit
from selfsown.usage.prices import UNKNOWN_USAGE, TokenUsage

RETRYABLE_STATUSES = (408, 409, 425)
SCHEMA_ERROR = re.compile(
    r"response_format|output_(config|format)|json.?schema|structured.?output|grammar", re.IGNORECASE
)
GIVE_UP_SECONDS = 600.0  # the longest Retry-After that is followed, and the longest time with nothing but status 429
URL_HINT = "url must end where the API's own paths begin, such as …/v1"
FATAL_STATUSES = {
    401: "does not accept the API key",
    402: "requires payment",
    403: "does not allow the request",
    404: f"has no such model, or no such path; {URL_HINT}",
    405: f"accepts no such request; {URL_HINT}",
}


class RequestError(Exception):
    """Why a request has no reply.

    reason: in words, for the row or the error. fatal: no request will be answered. declined: this row will never be
    answered; any other error is retried. fatal_reason: as long as nothing was ever answered, it ends the run;
    afterwards it concerns the row, or is retried. busy: the server only asks for time, so the attempt does not count.
    overloaded: fewer requests should be in flight. retry_after: seconds that the server asks for. unreachable: there
    was no connection, so nothing was sent. may_be_schema: the server may reject the JSON schema. is_input_error: the
    server blames the prompt. outcome: in the journal. usage: the tokens that were used nevertheless.
    """

    def __init__(self, reason: str, outcome: str = "", *, fatal: bool = False, declined: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.outcome = reason, outcome
        self.fatal, self.declined = fatal, declined
        self.busy = self.overloaded = self.unreachable = self.may_be_schema = self.is_input_error = False
        self.fatal_reason = ""
        self.retry_after = 0.0
        self.status, self.summary = 0, ""  # of the response, if there was one: with the server's message
        self.usage: TokenUsage = UNKNOWN_USAGE


def error_of_response(status: int, headers: Mapping[str, str], reply: str, request: str = "") -> RequestError:
    """The error of a response with this status. request: its body, which the server may quote."""
    message, codes, _ = parse_error(reply)
    if message.startswith(str(status)):  # such as 404: Not Found, a plain page of a web server
        message = message.removeprefix(str(status)).lstrip(": ")
    summary = f"{status}: {message}" if message else str(status)
    error = _classify(status, summary, f"{message} {codes}", reply, request, headers)
    error.status, error.summary = status, summary
    return error


def error_in_body(reply: str, request: str = "") -> RequestError:
    """The same for an error in the body of a response with status 200."""
    message, codes, status = parse_error(reply)
    code = f" {status}" if status else ""
    return _classify(status or 500, f"200 with an error{code}: {message}", f"{message} {codes}", reply, request, {})


def _classify(
    status: int, summary: str, message: str, reply: str, request: str, headers: Mapping[str, str]
) -> RequestError:
    """summary: the status and the server's message. message: without the status, with all codes."""
    if fatal := _fatal_reason(status, message, reply, request):
        return RequestError(f"{fatal} ({summary})", "stopped", fatal=True)
    if status // 100 == 4 and status not in (*RETRYABLE_STATUSES, 429):
        error = RequestError(f"the server declined it, {summary}", "declined", declined=True)
        error.may_be_schema = status in (400, 422) and bool(SCHEMA_ERROR.search(reply))
        error.is_input_error = is_input_error(message)
        error.fatal_reason = (
            f"{FATAL_STATUSES[status]} ({summary})" if status in FATAL_STATUSES and not error.is_input_error else ""
        )
        return error
    error = RequestError(f"the server returned {summary}", "busy" if status == 429 else "status")
    error.busy = status == 429
    error.overloaded = status in (429, 503, 529)
    error.retry_after = retry_after_seconds(headers)
    return error


def _fatal_reason(status: int, message: str, reply: str, request: str) -> str:
    """Why no request will be answered; "" where one may be."""
    busy = status == 429
    if status // 100 == 3:
        return "redirects to another address; set url to that address"
    if (busy and is_daily_limit(reply)) or (status == 403 and is_daily_limit(message)):
        return "has reached its daily limit"
    if (
        status not in (401, 402)
        and is_account_error(message, request, quota=not busy)
        and not (busy and is_short_limit(reply))
    ):
        return "has no credit or quota left for this account, or has blocked it"
    return FATAL_STATUSES[status] if status in (401, 402, 405) else ""


def connection_error(failure: Exception, timeout: float, message: str) -> RequestError:
    """The error of a request without a response, or with a truncated one. message: of the failure, masked."""
    if isinstance(failure, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        error = RequestError(f"it cannot be reached{_why_unreachable(failure, message)}")
        error.unreachable = True
        return error
    if isinstance(failure, TimeoutError):
        return RequestError(f"no answer within {timeout:g} seconds", "timeout")
    return RequestError(f"the connection broke ({message or type(failure).__name__})", "reset")


def _why_unreachable(failure: Exception, message: str) -> str:
    """What to check."""
    if isinstance(failure, aiohttp.ClientConnectorDNSError):
        return ": no such host; check the spelling of url"
    if isinstance(failure, aiohttp.ClientConnectorSSLError):
        return f": no encrypted connection ({message}); write http:// where the server has none"
    if isinstance(getattr(failure, "os_error", None), ConnectionRefusedError):
        return ": nothing listens at this host and port (connection refused); start the server, or correct url"
    return f" ({message})"


def retry_after_seconds(headers: Mapping[str, str]) -> float:
    """The seconds that Retry-After asks for, as a number or as a date; 0 where it is absent or unreadable."""
    value = headers.get("Retry-After", "")
    try:
        return max(0.0, float(headers["retry-after-ms"]) / 1000 if "retry-after-ms" in headers else float(value))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return 0.0
