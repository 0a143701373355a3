"""Where a server is, and the key that it wants to see, which stands in no recipe."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import urlsplit

from selfsown.records import SelfsownError

SHORTEST = 8  # characters of a key


def check(url: str) -> None:
    try:
        found = urlsplit(url)
        good = found.scheme in ("http", "https") and bool(found.hostname) and (found.port or 1) > 0
    except ValueError:
        good = False
    if not good:
        raise SelfsownError("url is no address; write one such as http://localhost:8000/v1")
    if "@" in found.netloc or found.query or found.fragment:
        words = f"url for {found.hostname} holds more than an address; write it up to the path"
        raise SelfsownError(f"{words}, and name the key's variable by key")


def secret_of(key: str) -> str:
    """What stands in the environment variable or the file, read anew each time and shown to nobody."""
    if not key:
        return ""
    found = os.environ.get(key, "")
    try:
        if not found and Path(key).is_file():
            found = Path(key).read_text(encoding="utf-8")
    except (OSError, ValueError):  # no such file, or one that cannot be read
        found = ""
    found = found.strip()
    if found.isascii() and found.isprintable() and found:
        if len(found) < SHORTEST:
            raise SelfsownError(
                f"key: what it names has fewer than {SHORTEST} characters, and could not be told from words of a "
                "reply; take a longer one, or leave key out where the server asks for none"
            )
        return found
    name = f"{key} is" if re.fullmatch(r"[A-Z]+(_[A-Z0-9]+){1,6}", key) else "it is"  # it may be the key itself
    raise SelfsownError(
        f"key: {name} no environment variable that is set, and no file with a key in it; "
        "write the variable's name, such as OPENAI_API_KEY, and never the key itself"
    )
