"""What may go wrong with a request, and what each means for its row and for the run."""

from __future__ import annotations

import email.utils
import json
import re
import time
from collections.abc import Mapping

import aiohttp

AGAIN = (408, 409, 425)
FORM = re.compile(r"response_format|output_(config|format)|json.?schema|structured.?output|grammar", re.IGNORECASE)
STOP = {
    401: "does not accept the key",
    402: "wants to be paid first",
    403: "does not allow it",
    404: "knows no such model, or no such path",
    405: "takes no such request; url ends where the path of the API begins, such as …/v1",
}


class Fault(Exception):
    """fatal: nothing will be answered; declined: this row never will be; otherwise it is tried again.

    busy: the server only asks for time, so that the try does not count; slower: fewer should be out at once;
    wait: the seconds that it asks for; unreached: there was no connection, so that nothing was sent; form: it may be
    the schema that it does not take. outcome: what the ledger calls it.
    """

    def __init__(self, words: str, outcome: str = "", *, fatal: bool = False, declined: bool = False) -> None:
        super().__init__(words)
        self.words, self.outcome, self.fatal, self.declined = words, outcome, fatal, declined
        self.busy = self.slower = self.unreached = self.form = False
        self.wait = 0.0


def refusal(status: int, headers: Mapping[str, str], reply: str) -> Fault:
    """What a reply means that is none."""
    words = _words(reply)
    said = f"{status}: {words}" if words else str(status)
    if status in STOP or status // 100 == 3:
        return Fault(
            f"{STOP.get(status, 'sends us elsewhere; name the address itself')} ({said})", "stopped", fatal=True
        )
    if status == 429 and "insufficient_quota" in reply:
        return Fault(f"has no quota left ({said})", "stopped", fatal=True)
    if status // 100 == 4 and status not in (*AGAIN, 429):
        found = Fault(f"the server declined it, {said}", "declined", declined=True)
        found.form = status in (400, 422) and bool(FORM.search(reply))
        return found
    found = Fault(f"the server said {said}", "busy" if status == 429 else "status")
    found.busy = status == 429
    found.slower = status in (429, 503, 529)
    found.wait = wait_of(headers)
    return found


def unheard(error: Exception, timeout: float, words: str) -> Fault:
    """What it means that there was no reply, or half of one."""
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        found = Fault(f"it cannot be reached ({words})")
        found.unreached = True
        return found
    if isinstance(error, TimeoutError):
        return Fault(f"no answer within {timeout:g} seconds", "timeout")
    return Fault(f"the connection broke ({words or type(error).__name__})", "reset")


def _words(reply: str) -> str:
    """The server's own words, in one line."""
    try:
        tree = json.loads(reply)
        error = tree.get("error", tree)
        found = error.get("message", error.get("detail", error)) if isinstance(error, dict) else error
    except (ValueError, AttributeError, RecursionError):
        found = reply
    return " ".join((found if isinstance(found, str) else json.dumps(found)).split())[:300]


def wait_of(headers: Mapping[str, str]) -> float:
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
