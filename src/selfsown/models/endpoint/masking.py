"""Mask the API key in whatever a server sends, also where it is escaped or truncated."""

from __future__ import annotations

import re
from functools import lru_cache

MIN_SECRET_CHARS = 8  # anything shorter may occur in any text
PREFIX_CHARS = 12  # of the beginning, by which a truncated key is recognized


def mask_secret(text: str, secret: str) -> str:
    """The text with [key] wherever it holds the secret, or the beginning of it."""
    if len(secret) < MIN_SECRET_CHARS:
        return text
    beginning, rest = _patterns(secret)
    parts, end = list[str](), 0
    for match in beginning.finditer(text):
        if match.start() >= end:
            parts += [text[end : match.start()], "[key]"]
            end = match.end()
            for pattern in rest:
                if not (more := pattern.match(text, end)):
                    break
                end = more.end()
    return "".join([*parts, text[end:]]) if parts else text


@lru_cache
def _patterns(secret: str) -> tuple[re.Pattern[str], tuple[re.Pattern[str], ...]]:
    """The secret's beginning, and each character of its rest, as JSON or an address may write them."""
    written = [
        char if char.isalnum() else rf"(?:\\?{re.escape(char)}|\\u00(?i:{ord(char):02x})|%(?i:{ord(char):02x}))"
        for char in secret
    ]
    return re.compile("".join(written[:PREFIX_CHARS])), tuple(map(re.compile, written[PREFIX_CHARS:]))
