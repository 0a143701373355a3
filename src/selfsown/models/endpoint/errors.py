"""What may go wrong with a request, and what each means for its row and for the run."""

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
SCHEMA_ERROR = re.compile(r"response_format|output_(config|format)|json.?schema|structured.?output|grammar", re.IGNORECASE)
URL_HINT = "url ends where the API's own paths begin, such as …/v1"
FATAL_STATUSES = {
    401: "does not accept the key",
    402: "wants to be paid first",
    403: "does not allow it",
    404: f"knows no such model, or no such path; {URL_HINT}",
    405: f"takes no such request; {URL_HINT}",
}


class RequestError(Exception):
    """fatal: nothing will be answered; declined: this row never will be; otherwise it is tried again.

    stops: as long as nothing was ever answered, these words end the run; afterwards it is the row's fault, or is tried
    again. busy: the server only asks for time, so that the try does not count; slower: fewer should be out at once;
    wait: the seconds that it asks for; unreached: there was no connection, so that nothing was sent; form: it may be
    the schema that it does not take; of_input: the server blames what was asked. outcome: what the ledger calls it;
    used: the tokens that it took all the same.
    """

    def __init__(self, words: str, outcome: str = "", *, fatal: bool = False, declined: bool = False) -> None:
        super().__init__(words)
        self.reason, self.outcome, self.fatal, self.declined = words, outcome, fatal, declined
        self.busy = self.overloaded = self.unreachable = self.may_be_schema = self.is_input_error = False
        self.fatal_reason = ""
        self.retry_after = 0.0
        self.usage: TokenUsage = UNKNOWN_USAGE


def error_of_response(status: int, headers: Mapping[str, str], reply: str, asked: str = "") -> RequestError:
    """What a reply means that is none. asked: the request, of which the server may repeat words."""
    words, codes, _ = parse_error(reply)
    return _meant(status, f"{status}: {words}" if words else str(status), f"{words} {codes}", reply, asked, headers)


def error_in_body(reply: str, asked: str = "") -> RequestError:
    """The same for an error in the body of a reply whose status is that of an answer."""
    words, codes, status = parse_error(reply)
    code = f" {status}" if status else ""
    return _meant(status or 500, f"200 with an error{code}: {words}", f"{words} {codes}", reply, asked, {})


def _meant(status: int, said: str, words: str, reply: str, asked: str, headers: Mapping[str, str]) -> RequestError:
    """words: without the status, with all codes."""
    if stopped := _stopped(status, words, reply, asked):
        return RequestError(f"{stopped} ({said})", "stopped", fatal=True)
    if status // 100 == 4 and status not in (*RETRYABLE_STATUSES, 429):
        found = RequestError(f"the server declined it, {said}", "declined", declined=True)
        found.may_be_schema = status in (400, 422) and bool(SCHEMA_ERROR.search(reply))
        found.is_input_error = is_input_error(words)
        found.fatal_reason = f"{FATAL_STATUSES[status]} ({said})" if status in FATAL_STATUSES and not found.is_input_error else ""
        return found
    found = RequestError(f"the server said {said}", "busy" if status == 429 else "status")
    found.busy = status == 429
    found.overloaded = status in (429, 503, 529)
    found.retry_after = retry_after_seconds(headers)
    return found


def _stopped(status: int, words: str, reply: str, asked: str) -> str:
    """Why no request will be answered; nothing, where one may be."""
    busy = status == 429
    if status // 100 == 3:
        return "sends us elsewhere; name the address itself"
    if (busy and is_daily_limit(reply)) or (status == 403 and is_daily_limit(words)):
        return "has reached its limit for the day"
    if status not in (401, 402) and is_account_error(words, asked, quota=not busy) and not (busy and is_short_limit(reply)):
        return "has no credit or quota left for this account, or blocks it"
    return FATAL_STATUSES[status] if status in (401, 402, 405) else ""


def connection_error(error: Exception, timeout: float, words: str) -> RequestError:
    """What it means that there was no reply, or half of one."""
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        found = RequestError(f"it cannot be reached ({words})")
        found.unreachable = True
        return found
    if isinstance(error, TimeoutError):
        return RequestError(f"no answer within {timeout:g} seconds", "timeout")
    return RequestError(f"the connection broke ({words or type(error).__name__})", "reset")


def retry_after_seconds(headers: Mapping[str, str]) -> float:
    """The seconds that Retry-After asks for, as a number or as a date; 0 where it asks for nothing that can be read."""
    written = headers.get("Retry-After", "")
    try:
        return max(0.0, float(headers["retry-after-ms"]) / 1000 if "retry-after-ms" in headers else float(written))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(written).timestamp() - time.time())
    except ValueError:
        return 0.0
