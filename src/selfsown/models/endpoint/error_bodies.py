"""Parse error bodies of any server: the message, the codes, and the HTTP status that they stand for."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from selfsown.models import Json

MAX_CHARS_SHOWN = 300  # of a server's message
STATUSES = {  # symbolic codes, in letters alone; the first that occurs in a server's code counts
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
_MESSAGE_FIELDS = ("message", "detail", "msg", "error_message", "status_msg", "error_msg", "error", "reason", "title")
_CODE_FIELDS = ("code", "type", "status", "status_code", "error_code", "reason", "innererror")
_ERROR_FIELDS = (
    "error",
    "errors",
    "base_resp",
    "detail",
    "message",
    "msg",
)  # where an error is, if there are no choices


class ErrorBody(NamedTuple):
    """message: in one line. codes: numbers and names beside it. status: HTTP status, 0 where unknown."""

    message: str
    codes: str
    status: int


def parse_error(reply: str) -> ErrorBody:
    """The error in the body of a response."""
    try:
        tree = json.loads(reply)
    except (ValueError, RecursionError):
        return ErrorBody(html_title(reply) or _line(reply), "", 0)
    error = _inner(tree)
    codes = " ".join(_codes(error))
    return ErrorBody(_line(_message(error)), codes, _status(codes.split()))


def html_title(text: str) -> str:
    """A description of an HTML page by its title; "" where the text is not HTML."""
    if not re.match(r"\s*<(!doctype|html|head|body|\?xml)", text, re.IGNORECASE):
        return ""
    title = re.search(r"<(title|h1)[^>]*>(.*?)</\1", text, re.IGNORECASE | re.DOTALL)
    name = _line(html.unescape(re.sub(r"<[^>]*>", " ", title[2]))) if title else ""
    return f"an HTML page titled {name!r}" if name else "an HTML page without a title"


def has_error(tree: Mapping[str, Json], *, empty: bool) -> bool:
    """Whether a body is an error, whatever its status; empty: it holds no answer."""
    if empty:
        return any(tree.get(name) for name in _ERROR_FIELDS)
    return bool(tree.get("error"))


def _inner(tree: Json) -> Json:
    """The error itself; the first of a list of errors."""
    for name in ("error", "errors", "base_resp"):
        error = tree.get(name) if isinstance(tree, dict) else None
        if isinstance(error, list) and error:
            error = error[0]
        if error and not isinstance(error, bool):
            return error
    return tree


def _message(error: Json) -> str:
    if isinstance(error, str):
        return error
    if isinstance(error, dict):
        for name in _MESSAGE_FIELDS:
            if error.get(name):
                return _message(error[name])
    return json.dumps(error)


def _codes(error: Json) -> Iterator[str]:
    for name in _CODE_FIELDS if isinstance(error, dict) else ():
        value = error.get(name)
        if isinstance(value, dict):
            yield from _codes(value)
        elif isinstance(value, str | int) and not isinstance(value, bool) and len(str(value)) < 100:
            yield from str(value).split()


def _status(codes: list[str]) -> int:
    numbers = [int(code) for code in codes if re.fullmatch(r"[45]\d\d", code)]
    if numbers:
        return numbers[0]
    letters = [re.sub(r"[^a-z]", "", code.lower()) for code in codes]
    return next((status for name, status in STATUSES.items() if any(name in code for code in letters)), 0)


def _line(text: str) -> str:
    return " ".join(text.split())[:MAX_CHARS_SHOWN]
