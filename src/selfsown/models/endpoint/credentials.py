"""The URL of a server, its API key and headers. Secrets are named in a recipe, never written there."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from selfsown.errors import RecipeError

API_PATHS = ("/chat/completions", "/completions", "/messages", "/models", "/responses", "/embeddings")
_PLAIN_URL = re.compile(
    r"[A-Za-z][A-Za-z0-9-]*(\.[A-Za-z0-9-]+)*(:[0-9]{1,5})?(/[A-Za-z0-9_.-]{0,20}){0,6}|[0-9.]+(:[0-9]{1,5})?(/[a-z0-9]{0,9})*"
)
MIN_KEY_CHARS = 8  # of an API key
_VARIABLE = re.compile(r"[A-Z]+(_[A-Z0-9]+){1,6}")  # the name of a variable, not a key
_SECRET = re.compile(
    r"key$|token|signature|secret|passw|authori[sz]ation|credential|cookie|^code$|(^|[-_])(sig|auth|sas|pwd|jwt)($|[-_])",
    re.IGNORECASE,
)
_KEY = re.compile(r"(Bearer|Basic|Token) |((sk|pk|rk|gh[pousr]|gsk|hf|xox[a-z])[-_]|AKIA|AIza|eyJ)\S{10}")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_RESERVED_HEADERS = ("content-type", "content-length", "transfer-encoding", "host", "connection")


def check_url(url: str) -> None:
    """Raises RecipeError where this is not a URL, or contains a secret."""
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        valid = False
    if not valid:
        raise RecipeError(f"url is not an address; write {_with_scheme(url) or 'one such as http://localhost:8000/v1'}")
    for path in API_PATHS:
        base = parts.path.rstrip("/").removesuffix(path)
        if parts.path.rstrip("/").endswith(path) and "@" not in parts.netloc:
            right = urlunsplit((parts.scheme, parts.netloc, base, "", ""))
            raise RecipeError(f"url ends with {path}, which is added to it; write {right}")
    if "@" in parts.netloc or parts.fragment:
        raise RecipeError(
            f"url for {parts.hostname} contains more than an address; write it up to the path, "
            "and name the variable of the key in api_key"
        )
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if _SECRET.search(name) or _KEY.match(value):
            raise RecipeError(
                f"url for {parts.hostname} contains a secret, {name[:30]}=…, which would appear in recipes and logs; "
                "remove it, and name its variable in api_key, or in headers: {x-functions-key: MY_VARIABLE}"
            )


def _with_scheme(url: str) -> str:
    """The URL whose http:// was left out, as far as it is a plain host, port and path; "" where it is not."""
    host = url.partition("/")[0]
    if not _PLAIN_URL.fullmatch(url) or _KEY.match(url) or not (host == "localhost" or {".", ":"} & {*host}):
        return ""
    local = re.match(r"localhost\b|[0-9.]+(:|/|$)", url) or re.match(r"[^/]*:[0-9]+", url)
    return f"{'http' if local else 'https'}://{url}"


def join_url(base: str, path: str) -> str:
    """The URL of one of the API's own paths; the query of the base URL is kept."""
    before, separator, query = base.partition("?")
    return before.rstrip("/") + path + separator + query


def read_secret(key: str, place: str = "api_key") -> str:
    """The content of the environment variable or file of this name, read each time, and never printed.

    place: the option that names it, for errors. Raises RecipeError where there is no usable key.
    """
    if not key:
        return ""
    secret = _stored(key)
    if secret.isascii() and secret.isprintable() and secret:
        if len(secret) < MIN_KEY_CHARS:
            raise RecipeError(
                f"{place}: the key has fewer than {MIN_KEY_CHARS} characters, and could not be distinguished from "
                "words of a reply; use a longer one, or remove the option where the server needs no key"
            )
        return secret
    name = key if _VARIABLE.fullmatch(key) else "its value"  # which may be the key itself
    raise RecipeError(
        f"{place}: {name} names neither a set environment variable nor a file with a key; "
        "write the variable's name, such as OPENAI_API_KEY, never the key itself"
    )


def _stored(key: str) -> str:
    """The content of the variable or file; "" where there is none."""
    content = os.environ.get(key, "")
    try:
        if not content and Path(key).is_file():
            content = Path(key).read_text(encoding="utf-8")
    except (OSError, ValueError):  # no such file, or one that cannot be read
        content = ""
    return content.strip()


def resolve_headers(headers: object) -> tuple[dict[str, str], tuple[str, ...]]:
    """The user's headers as they are sent, and the secrets in them.

    A value that looks like the name of a variable is read from it, and a header whose name marks it as secret must name
    a variable or a file. Raises RecipeError, which never repeats a value: it may be a secret.
    """
    resolved, secrets = dict[str, str](), list[str]()
    if headers is None:
        return resolved, ()
    if not isinstance(headers, Mapping):
        raise RecipeError("headers is not a mapping; write it as headers: {api-key: MY_VARIABLE, X-Team: research}")
    for name, value in ((str(name), value) for name, value in headers.items()):
        place = f"headers.{name}"
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            raise RecipeError(f"{place}: its value is not a string; put it in quotes")
        if not _HEADER.fullmatch(name) or name.lower() in _RESERVED_HEADERS:
            raise RecipeError(f"{place}: this header cannot be set; use a name such as api-key or X-Team")
        if _SECRET.search(name) or _VARIABLE.fullmatch(value):
            plain = not _SECRET.search(name) and _stored(value)  # it may be shorter than a key
            resolved[name] = plain or read_secret(value, place)
            secrets += [resolved[name], *resolved[name].split()]
        elif _KEY.match(value):
            raise RecipeError(f"{place}: this looks like a secret; write the name of its variable instead")
        elif not (value.isascii() and value.isprintable()):
            raise RecipeError(f"{place}: its value must be one line of printable ASCII")
        else:
            resolved[name] = value
    return resolved, tuple(secrets)
