"""Where a server is, and the key and the headers that it wants to see, whose secrets stand in no recipe."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from selfsown.records import SelfsownError

MIN_KEY_CHARS = 8  # characters of a key
_VARIABLE = re.compile(r"[A-Z]+(_[A-Z0-9]+){1,6}")  # what is called so is a variable, and no key
_SECRET = re.compile(
    r"key$|token|signature|secret|passw|authori[sz]ation|credential|cookie|^code$|(^|[-_])(sig|auth|sas|pwd|jwt)($|[-_])",
    re.IGNORECASE,
)
_KEY = re.compile(r"(Bearer|Basic|Token) |((sk|pk|rk|gh[pousr]|gsk|hf|xox[a-z])[-_]|AKIA|AIza|eyJ)\S{10}")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_OURS = ("content-type", "content-length", "transfer-encoding", "host", "connection")


def check_url(url: str) -> None:
    """SelfsownError where this is no address, or holds more than one may show."""
    try:
        found = urlsplit(url)
        good = found.scheme in ("http", "https") and bool(found.hostname) and (found.port or 1) > 0
    except ValueError:
        good = False
    if not good:
        raise SelfsownError("url is no address; write one such as http://localhost:8000/v1")
    if "@" in found.netloc or found.fragment:
        words = f"url for {found.hostname} holds more than an address; write it up to the path"
        raise SelfsownError(f"{words}, and name the key's variable by key")
    for name, value in parse_qsl(found.query, keep_blank_values=True):
        if _SECRET.search(name) or _KEY.match(value):
            raise SelfsownError(
                f"url for {found.hostname} holds a secret, {name[:30]}=…, which would stand in recipes and logs; leave "
                "it out, and name the variable that holds it by key, or by headers: {x-functions-key: MY_VARIABLE}"
            )


def join_url(base: str, path: str) -> str:
    """The address of one of the API's own paths; what the base asks for behind a ? is kept."""
    before, mark, query = base.partition("?")
    return before.rstrip("/") + path + mark + query


def read_secret(key: str, place: str = "api_key") -> str:
    """What stands in the environment variable or the file, read anew each time and shown to nobody. place: the option
    that names it."""
    if not key:
        return ""
    found = _stored(key)
    if found.isascii() and found.isprintable() and found:
        if len(found) < MIN_KEY_CHARS:
            raise SelfsownError(
                f"{place}: what it names has fewer than {MIN_KEY_CHARS} characters, and could not be told from words of a "
                "reply; take a longer one, or leave it out where the server asks for none"
            )
        return found
    name = f"{key} is" if _VARIABLE.fullmatch(key) else "it is"  # it may be the key itself
    raise SelfsownError(
        f"{place}: {name} no environment variable that is set, and no file with a key in it; "
        "write the variable's name, such as OPENAI_API_KEY, and never the key itself"
    )


def _stored(key: str) -> str:
    """What the variable or the file holds; nothing where there is none."""
    found = os.environ.get(key, "")
    try:
        if not found and Path(key).is_file():
            found = Path(key).read_text(encoding="utf-8")
    except (OSError, ValueError):  # no such file, or one that cannot be read
        found = ""
    return found.strip()


def resolve_headers(headers: Any) -> tuple[dict[str, str], tuple[str, ...]]:
    """The user's headers as they are sent, and the secrets in them. A value that is called like a variable is one, and
    a header that holds a secret by its name must name a variable or a file. Raises SelfsownError, which never repeats a
    value: it may be a secret that should not stand there."""
    found, secrets = dict[str, str](), list[str]()
    if headers is None:
        return found, ()
    if not isinstance(headers, Mapping):
        raise SelfsownError("headers are no mapping; write them as headers: {api-key: MY_VARIABLE, X-Team: research}")
    for name, value in ((str(name), value) for name, value in headers.items()):
        place = f"headers.{name}"
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            raise SelfsownError(f"{place}: its value is no text; put it in quotes")
        if not _HEADER.fullmatch(name) or name.lower() in _OURS:
            raise SelfsownError(f"{place}: this header cannot be set; take a name such as api-key or X-Team")
        if _SECRET.search(name) or _VARIABLE.fullmatch(value):
            short = not _SECRET.search(name) and _stored(value)  # such a value need not be hidden
            found[name] = short or read_secret(value, place)
            secrets += [found[name], *found[name].split()]
        elif _KEY.match(value):
            raise SelfsownError(f"{place}: this looks like a secret; write the name of the variable that holds it")
        elif not (value.isascii() and value.isprintable()):
            raise SelfsownError(f"{place}: its value is not plain ASCII text in one line")
        else:
            found[name] = value
    return found, tuple(secrets)
