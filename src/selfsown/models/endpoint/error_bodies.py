"""What a server's error says, wherever it puts it: its words, its codes, and the status that these stand for."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

MAX_CHARS_SHOWN = 300  # characters of a server's words that are repeated
STATUSES = {  # symbolic codes, as letters alone; the first that is part of what a server writes counts
    "badrequest": 400,
    "invalidrequest": 400,
    "invalidargument": 400,
    "invalidparameter": 400,
    "contentfilter": 400,
    "authentication": 401,
    "unauthenticated": 401,
    "invalidapikey": 401,
    "billing": 402,
    "payment": 402,
    "permission": 403,
    "notfound": 404,
    "requesttoolarge": 413,
    "ratelimit": 429,
    "toomanyrequests": 429,
    "resourceexhausted": 429,
    "throttling": 429,
    "overloaded": 529,
    "unavailable": 503,
    "timeout": 504,
}
_WORDS = ("message", "detail", "msg", "error_message", "status_msg", "error_msg", "error", "reason", "title")
_CODES = ("code", "type", "status", "status_code", "error_code", "reason", "innererror")
_ERRORS = ("error", "errors", "base_resp", "detail", "message", "msg")  # where one stands, if there are no choices


class ErrorBody(NamedTuple):
    """words: in one line; codes: whatever stands beside them, as numbers or names; status: 0 where none is known."""

    message: str
    codes: str
    status: int


def parse_error(reply: str) -> ErrorBody:
    """What a reply says that is none."""
    try:
        tree = json.loads(reply)
    except (ValueError, RecursionError):
        return ErrorBody(html_title(reply) or _line(reply), "", 0)
    error = _inner(tree)
    codes = " ".join(_codes(error))
    return ErrorBody(_line(_words(error)), codes, _status(codes.split()))


def html_title(text: str) -> str:
    """What an HTML page is called; nothing, where the text is none."""
    if not re.match(r"\s*<(!doctype|html|head|body|\?xml)", text, re.IGNORECASE):
        return ""
    title = re.search(r"<(title|h1)[^>]*>(.*?)</\1", text, re.IGNORECASE | re.DOTALL)
    words = _line(html.unescape(re.sub(r"<[^>]*>", " ", title[2]))) if title else ""
    return f"an HTML page titled {words!r}" if words else "an HTML page without a title"


def has_error(tree: Mapping[str, Any], *, empty: bool) -> bool:
    """Whether a reply is an error, whatever its status was; empty: it holds no answer."""
    if empty:
        return any(tree.get(name) for name in _ERRORS)
    return bool(tree.get("error"))


def _inner(tree: Any) -> Any:
    """The error itself; the first, where there is a list of them."""
    for name in ("error", "errors", "base_resp"):
        found = tree.get(name) if isinstance(tree, dict) else None
        if isinstance(found, list) and found:
            found = found[0]
        if found and not isinstance(found, bool):
            return found
    return tree


def _words(error: Any) -> str:
    if isinstance(error, str):
        return error
    if isinstance(error, dict):
        for name in _WORDS:
            if error.get(name):
                return _words(error[name])
    return json.dumps(error)


def _codes(error: Any) -> Iterator[str]:
    for name in _CODES if isinstance(error, dict) else ():
        value = error.get(name)
        if isinstance(value, dict):
            yield from _codes(value)
        elif isinstance(value, str | int) and not isinstance(value, bool) and len(str(value)) < 100:
            yield from str(value).split()


def _status(codes: list[str]) -> int:
    numbers = [int(code) for code in codes if re.fullmatch(r"[45]\d\d", code)]
    if numbers:
        return numbers[0]
    plain = [re.sub(r"[^a-z]", "", code.lower()) for code in codes]
    return next((status for name, status in STATUSES.items() if any(name in each for each in plain)), 0)


def _line(text: str) -> str:
    return " ".join(text.split())[:MAX_CHARS_SHOWN]
